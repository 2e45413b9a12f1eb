"""Setting a shared record up: once, again, by whom it can be, and where it must not lie."""

import pytest

from console.adapters.database.database import PostgresDatabase
from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.place import same_place
from console.adapters.journal.schema import install, statements_for
from console.adapters.scratch.server import Running
from console.engine.clock import WallClock
from console.errors import DatabaseError, JournalError, StoreLost, TakenOver
from console.sandbox.cluster import Cluster
from console.secrets import Secret
from tests.adapters.journal.conftest import PASSWORD, RUN, Store, chain, driver, reached


async def test_again_is_harmless_and_lets_drivers_go_on(store: Store, alice: PostgresDriverStore) -> None:
    lines = chain(2)
    await alice.append(RUN, 1, 1, lines[:1])
    again = await install(store.owner, tls="disable")
    assert (again.before, again.version, again.database) == (1, 1, store.database)
    await alice.append(RUN, 1, 2, lines[1:])
    assert await alice.lines(RUN, 0) == lines


async def test_rights_that_somebody_added_are_taken_back(own_store: Store) -> None:
    async with own_store.admin.session("tests") as session:
        await session.execute("GRANT INSERT ON release_console.events TO release_console_observer, PUBLIC")
        await session.execute("GRANT UPDATE (line) ON release_console.events TO release_console_driver")
    await install(own_store.owner, tls="disable")
    for login in ("alice", "eve"):
        for statement in (
            "INSERT INTO release_console.events DEFAULT VALUES",
            "UPDATE release_console.events SET line=''",
        ):
            async with own_store.as_somebody(login).session("tests") as session:
                with pytest.raises(DatabaseError) as refused:
                    await session.execute(statement)
            assert refused.value.sqlstate == "42501"


async def test_a_store_of_a_newer_console_is_left_alone(own_store: Store) -> None:
    async with own_store.admin.session("tests") as session:
        await session.execute("INSERT INTO release_console.version (version) VALUES (2)")
    with pytest.raises(JournalError, match="version 2 of its schema; this console works with version 1") as refused:
        await install(own_store.owner, tls="disable")
    assert "newer console" in refused.value.remedy
    with pytest.raises(JournalError, match="version 2"):
        await own_store.driver().runs()


async def test_a_database_that_cannot_hold_every_character_is_refused(store: Store) -> None:
    async with store.admin.session("tests") as session:
        await session.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(JournalError, match="its encoding is LATIN1"):
                await install(store.server.url("latin"), tls="disable")
        finally:
            await session.execute("DROP DATABASE latin WITH (FORCE)")


async def test_a_server_that_is_not_there_is_a_loss() -> None:
    with pytest.raises(StoreLost, match="not reached"):
        await install(Secret("postgresql://a:bcdefgh@127.0.0.1:1/x", "JOURNAL_URL"), tls="disable")


def test_logins_are_quoted() -> None:
    assert statements_for([("release_console_signer", 'q"a')]) == ('GRANT release_console_signer TO "q""a";',)


async def test_an_owner_with_few_rights_is_told_what_an_administrator_runs(
    own_server: Cluster, server: Running
) -> None:
    admin = PostgresDatabase(reached(own_server), WallClock(), tls="disable")
    async with admin.session("tests") as session:
        for login in ("owner", "alice", "bob"):
            await session.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'")
        await session.execute("CREATE DATABASE kept")
        owner = reached(own_server, "owner", "kept")
        with pytest.raises(JournalError, match="owner may not create the roles") as refused:
            await install(owner, tls="disable")
        for statement in refused.value.remedy.splitlines()[1:]:
            await session.execute(statement)
        with pytest.raises(JournalError, match="owner may not set up the shared record in kept") as refused:
            await install(owner, tls="disable")
        await session.execute(refused.value.remedy.partition(": ")[2].partition(";")[0])
        installed = await install(owner, tls="disable")
        assert (installed.before, installed.version, installed.may_end_sessions) == (0, 1, False)
        for statement in statements_for([("release_console_driver", login) for login in ("alice", "bob")]):
            await session.execute(statement)
    await _take_over(own_server)
    await _take_the_lease_back(own_server)
    assert await same_place((owner, "disable"), (reached(own_server), "disable")) == "server"
    assert await same_place((owner, "disable"), (server.url("postgres"), "disable")) == ""


async def _take_over(server: Cluster) -> None:
    """Where the owner may not end the session of the driver before, the epoch alone keeps it from writing."""
    alice = PostgresDriverStore(reached(server, "alice", "kept"), tls="disable")
    bob = PostgresDriverStore(reached(server, "bob", "kept"), tls="disable")
    try:
        await alice.create(RUN, "{}")
        await alice.claim(RUN, driver(), expected=0)
        assert await alice.wait(RUN, 0)
        await bob.claim(RUN, driver("bob@desk"), expected=1)
        assert await alice.wait(RUN, 30), "the former driver, whose session lives, is told"
        with pytest.raises(TakenOver):
            await alice.append(RUN, 1, 1, chain(1))
        await bob.append(RUN, 2, 1, chain(1))
        found = await bob.find(RUN)
        assert found is not None
        assert found.lease is not None
        assert (found.lease.actor, found.lease.held) == ("bob@desk", True)
    finally:
        await alice.close()
        await bob.close()


async def _take_the_lease_back(server: Cluster) -> None:
    """Two consoles that are the same driver to the store: one session writes at a time, and the other is not ended."""
    one = PostgresDriverStore(reached(server, "bob", "kept"), tls="disable")
    two = PostgresDriverStore(reached(server, "bob", "kept"), tls="disable")
    try:
        for each in (one, two):
            assert await each.claim(RUN, driver("bob@home"), expected=2) == 3
        with pytest.raises(StoreLost, match="another session of this driver holds the lease"):
            await one.append(RUN, 3, 2, chain(2)[1:])
        await one.hold(RUN, 3)
        await one.append(RUN, 3, 2, chain(2)[1:])
        found = await one.find(RUN)
        assert found is not None
        assert found.lease is not None
        assert found.lease.held
        with pytest.raises(StoreLost):
            await two.append(RUN, 3, 3, chain(3)[2:])
    finally:
        await one.close()
        await two.close()


async def test_the_same_database_is_recognised_whatever_it_is_called(store: Store) -> None:
    here = store.owner
    otherwise = Secret(here.reveal().replace("postgres:", "postgres:", 1) + "&application_name=x", "DATABASE_URL")
    assert await same_place((here, "disable"), (otherwise, "disable")) == "database"
    assert await same_place((store.url("eve"), "disable"), (here, "disable")) == "database"
    assert await same_place((here, "disable"), (store.server.url("postgres"), "disable")) == "server"
    with pytest.raises(DatabaseError):
        await same_place((here, "disable"), (Secret("postgresql://a:bcdefgh@127.0.0.1:1/x", "URL"), "disable"))
