"""Who watches or signs blocks nobody: whatever they hold open, take or call out, drivers drive and observers see."""

import pytest

from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.hearing import KEPT, Hearing, Told
from console.errors import DatabaseError
from tests.adapters.journal.conftest import RUN, Store, chain, driver

NO_RIGHT = "42501"
SIGN = f"""
INSERT INTO release_console.inbox (run, role, name, approve, note, plan, commit)
VALUES ('{RUN}', 'qa', 'Quinn', true, '', 'digest', 'commit')
"""
LOCKS = ("ROW SHARE", "ROW EXCLUSIVE", "SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
TABLES = ("runs", "epochs", "events", "tail", "branches", "version")


async def drives(alice: PostgresDriverStore, bob: PostgresDriverStore) -> None:
    """Everything that a driver does with the store, a take-over included."""
    await alice.append(RUN, 1, 1, chain(1))
    await alice.hold(RUN, 1)
    assert await bob.claim(RUN, driver("bob@desk"), expected=1) == 2
    await bob.append(RUN, 2, 2, chain(2)[1:])
    assert await bob.lines(RUN, 0) == chain(2)


async def test_a_signature_that_is_left_in_the_air_keeps_nobody_from_taking_over(
    store: Store, alice: PostgresDriverStore
) -> None:
    async with store.as_somebody("quinn").session("tests") as session:
        await session.execute("BEGIN")
        await session.execute(SIGN)
        await drives(alice, store.driver("bob"))


async def test_a_signer_does_not_fill_the_record_with_what_is_not_accepted(
    store: Store, alice: PostgresDriverStore
) -> None:
    twenty = SIGN.replace("VALUES (", "SELECT ").replace("'commit')", "'commit' FROM generate_series(1, 20)")
    answered = """
        INSERT INTO release_console.answers (signature, accepted, reason)
        SELECT i.id, false, 'no' FROM release_console.inbox i ON CONFLICT DO NOTHING
    """
    async with store.as_somebody("quinn").session("tests") as quinn, store.admin.session("tests") as admin:
        for _ in range(10):
            await quinn.execute(twenty)
            await admin.execute(answered)
        with pytest.raises(DatabaseError, match="two hundred signatures") as refused:
            await quinn.execute(SIGN)
        assert refused.value.sqlstate == "RC007"
    async with store.as_somebody("sam").session("tests") as sam:
        await sam.execute(SIGN)


async def test_an_observer_who_locks_what_can_be_locked_keeps_nobody_from_driving(
    store: Store, alice: PostgresDriverStore
) -> None:
    eve = store.as_somebody("eve")
    async with eve.session("tests") as session:
        await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        for table in TABLES:
            await session.execute(f"LOCK TABLE release_console.{table} IN ACCESS SHARE MODE")
        await session.fetch("SELECT * FROM release_console.runs")
        await drives(alice, store.driver("bob"))
    async with eve.session("tests") as session:
        for table in TABLES:
            for strength in ("KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"):
                with pytest.raises(DatabaseError) as refused:
                    await session.fetch(f"SELECT * FROM release_console.{table} FOR {strength}")
                assert refused.value.sqlstate == NO_RIGHT, f"{table} for {strength}"
    for table in TABLES:
        for mode in LOCKS:
            async with eve.session("tests") as session:
                await session.execute("BEGIN")
                with pytest.raises(DatabaseError) as refused:
                    await session.execute(f"LOCK TABLE release_console.{table} IN {mode} MODE NOWAIT")
                assert refused.value.sqlstate == NO_RIGHT, f"{table} in {mode}"


async def test_an_observer_who_takes_the_locks_that_they_read_of_takes_no_lease(
    store: Store, alice: PostgresDriverStore
) -> None:
    """The key of a lease stands in a table that observers read: they may be the faster ones."""
    bob = store.driver("bob")
    async with store.as_somebody("eve").session("tests") as session:
        fetch = bob._link.fetch

        async def beaten(sql: str, params=None, *, size: int = 0):  # type: ignore[no-untyped-def]
            if "pg_try_advisory_lock" in sql:
                await session.fetch("SELECT pg_try_advisory_lock(r.lease) FROM release_console.runs r")
            return await fetch(sql, params, size=size)

        bob._link.fetch = beaten  # type: ignore[method-assign]
        assert await bob.claim(RUN, driver("bob@desk"), expected=1) == 2
        found = await bob.find(RUN)
        assert found is not None
        assert found.lease is not None
        assert found.lease.held


async def test_an_observer_who_calls_out_without_end_fills_nobodys_memory(
    store: Store, alice: PostgresDriverStore
) -> None:
    watching = store.observer("quinn")
    await watching.listen(RUN)
    assert await alice.wait(RUN, 0)
    async with store.as_somebody("eve").session("tests") as session:
        for suffix in ("", "_d"):
            await session.fetch(
                f"SELECT count(pg_notify(r.channel || '{suffix}', repeat('x', 2000) || n))"
                f" FROM release_console.runs r, generate_series(1, {10 * KEPT}) n"
            )
    await alice.append(RUN, 1, 1, chain(1))
    assert await alice.wait(RUN, 5)
    while not (news := await watching.wait(5)).lines:
        assert len(watching._link._hearing.take()) <= KEPT
    assert news.lines == ((1, chain(1)[0]),)


def test_what_is_heard_beyond_measure_is_told_as_that_there_was_more() -> None:
    hearing = Hearing()
    for number in range(3 * KEPT):
        hearing.note(Told("rc", f"l{number}", 1))
    told = hearing.take()
    assert len(told) <= KEPT
    assert told[0] == Told("", "", 0)
    assert told[-1] == Told("rc", f"l{3 * KEPT - 1}", 1)
    assert hearing.take() == []
