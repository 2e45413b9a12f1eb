"""Keeping a database from being written to, as a role that is no superuser."""

from collections.abc import Iterator

import pytest

from console.actions.rollback.database_lock import end_earlier_sessions, read_only_setting, server_time, set_read_only
from console.adapters.database import PostgresDatabase
from console.engine.clock import WallClock
from console.errors import StepFailed
from console.secrets import Secret
from tests.actions.fakes import FakeClock, Reports
from tests.actions.test_rollback_loss import LEAD
from tests.migration.postgres import LiveDatabase, Server

OWNER = "fencing_owner"


@pytest.fixture
def owned(server: Server) -> Iterator[tuple[LiveDatabase, PostgresDatabase]]:
    """A database twice: for its superuser, and for its owner, who may end sessions but not a superuser's."""
    name = server.new_database()
    server.command("postgres", f"CREATE ROLE {OWNER} LOGIN")
    server.command("postgres", f"GRANT pg_monitor, pg_signal_backend TO {OWNER}")
    server.command("postgres", f"ALTER DATABASE {name} OWNER TO {OWNER}")
    url = server.url(name).replace("postgres@", f"{OWNER}@")
    yield LiveDatabase(server, name), PostgresDatabase(Secret(url, "the test"), WallClock(), tls="disable")
    server.drop(name)
    server.command("postgres", f"DROP ROLE {OWNER}")


async def test_a_superusers_session_that_does_not_write_is_named_and_stays(
    owned: tuple[LiveDatabase, PostgresDatabase],
) -> None:
    superuser, owner = owned
    async with superuser.session("provider-metrics"), owner.session("crm-backend"):
        since = await server_time(owner)
        ended, stay = await end_earlier_sessions(owner, since, FakeClock(), Reports())
        assert ended == 1
        assert [each.application for each in stay] == ["provider-metrics"]


async def test_a_session_that_writes_and_cannot_be_ended_is_a_failure_that_names_it(
    owned: tuple[LiveDatabase, PostgresDatabase],
) -> None:
    superuser, owner = owned
    async with superuser.session("import") as session:
        await session.execute("BEGIN")
        await session.execute(LEAD.format("a superuser's".replace("'", "")))
        with pytest.raises(StepFailed, match=r"may write do not end: pid \d+ \(import\)"):
            await end_earlier_sessions(owner, await server_time(owner), FakeClock(), Reports())


async def test_the_databases_own_setting_comes_back_as_it_was(owned: tuple[LiveDatabase, PostgresDatabase]) -> None:
    _, owner = owned
    assert await read_only_setting(owner) == ""
    await set_read_only(owner, "off")
    assert await read_only_setting(owner) == "off"
    await set_read_only(owner, "on")
    assert await read_only_setting(owner) == "on"
    await set_read_only(owner, "")
    assert await read_only_setting(owner) == ""
