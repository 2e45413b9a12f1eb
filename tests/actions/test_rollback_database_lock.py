"""Keeping a database from being written to, as a role that is no superuser."""

from collections.abc import Iterator

import pytest

from console.actions.rollback.database_lock import (
    end_earlier_sessions,
    is_read_only,
    means_read_only,
    read_only_setting,
    sees_others,
    server_time,
    sessions,
    set_read_only,
)
from console.adapters.database.database import PostgresDatabase
from console.engine.clock import WallClock
from console.errors import DatabaseError, StepFailed
from console.secrets import Secret
from tests.actions.fakes import FakeClock, Reports
from tests.actions.test_rollback_loss import LEAD
from tests.migration.postgres import LiveDatabase, Server

OWNER, WORKER = "fencing_owner", "fenced_worker"


@pytest.fixture
def name(server: Server) -> Iterator[str]:
    """A database's name."""
    name = server.new_database()
    yield name
    server.drop(name)


@pytest.fixture
def owned(server: Server, name: str) -> Iterator[tuple[LiveDatabase, PostgresDatabase]]:
    """A database twice: for its superuser, and for its owner, who may end sessions but not a superuser's."""
    server.command("postgres", f"CREATE ROLE {OWNER} LOGIN")
    server.command("postgres", f"GRANT pg_monitor, pg_signal_backend TO {OWNER}")
    server.command("postgres", f"ALTER DATABASE {name} OWNER TO {OWNER}")
    url = server.url(name).replace("postgres@", f"{OWNER}@")
    yield LiveDatabase(server, name), PostgresDatabase(Secret(url, "the test"), WallClock(), tls="disable")
    server.command("postgres", f"ALTER DATABASE {name} OWNER TO postgres")
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


@pytest.fixture
def worker(server: Server, name: str, owned: tuple[LiveDatabase, PostgresDatabase]) -> Iterator[PostgresDatabase]:
    """The same database for an ordinary role: of its sessions the owner, without pg_monitor, sees next to nothing."""
    server.command("postgres", f"CREATE ROLE {WORKER} LOGIN")
    server.command("postgres", f"REVOKE pg_monitor FROM {OWNER}")
    server.command(name, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {WORKER}")
    server.command(name, f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {WORKER}")
    url = server.url(name).replace("postgres@", f"{WORKER}@")
    yield PostgresDatabase(Secret(url, "the test"), WallClock(), tls="disable")
    server.command(name, f"BEGIN READ WRITE; DROP OWNED BY {WORKER}; DROP ROLE {WORKER}; COMMIT")


async def test_a_session_whose_beginning_is_hidden_counts_as_one_from_before(
    owned: tuple[LiveDatabase, PostgresDatabase], worker: PostgresDatabase
) -> None:
    _, owner = owned
    assert not await sees_others(owner)
    async with worker.session("crm-worker") as pooled:
        await pooled.fetch("SELECT 1 AS one")
        await set_read_only(owner, "on")
        ended, stay = await end_earlier_sessions(owner, await server_time(owner), FakeClock(), Reports())
        assert (ended, stay) == (1, ())
        with pytest.raises(DatabaseError):
            await pooled.execute(LEAD.format("after the fence"))
    async with worker.session("crm-worker") as later:
        assert [each.hidden for each in await sessions(owner, await server_time(owner))] == [True]
        with pytest.raises(DatabaseError) as refused:
            await later.execute(LEAD.format("after the fence"))
    assert refused.value.sqlstate == "25006"


async def test_an_ordinary_roles_session_that_cannot_be_ended_is_a_failure_although_nothing_is_seen_of_it(
    server: Server, owned: tuple[LiveDatabase, PostgresDatabase], worker: PostgresDatabase
) -> None:
    _, owner = owned
    server.command("postgres", f"REVOKE pg_signal_backend FROM {OWNER}")
    async with worker.session("crm-worker"):
        with pytest.raises(StepFailed, match=r"may write do not end: pid \d+ \(crm-worker\)"):
            await end_earlier_sessions(owner, await server_time(owner), FakeClock(), Reports())


async def test_a_superusers_session_that_is_hidden_stays_and_is_said_to_be_unseen(
    owned: tuple[LiveDatabase, PostgresDatabase], worker: PostgresDatabase
) -> None:
    superuser, owner = owned
    async with superuser.session("provider-metrics"):
        _, stay = await end_earlier_sessions(owner, await server_time(owner), FakeClock(), Reports())
    assert [(each.application, each.hidden, each.superuser) for each in stay] == [("provider-metrics", True, True)]


@pytest.mark.parametrize("value", ["on", "TRUE", "t", "yes", "y", "1"])
async def test_the_setting_is_recognised_in_every_spelling(
    name: str, owned: tuple[LiveDatabase, PostgresDatabase], value: str
) -> None:
    superuser, owner = owned
    await superuser.run(f"ALTER DATABASE {name} SET default_transaction_read_only = '{value}'")
    assert means_read_only(await read_only_setting(owner))
    assert await is_read_only(owner)


@pytest.mark.parametrize("value", ["off", "false", "no", "0", "n", ""])
def test_what_is_off_is_not_taken_for_on(value: str) -> None:
    assert not means_read_only(value)
