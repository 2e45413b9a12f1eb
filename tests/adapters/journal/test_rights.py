"""The roles of a shared record, tried with real logins: what each may do, and that the database refuses the rest."""

import asyncio
from itertools import product

import pytest

from console.adapters.journal.driver import PostgresDriverStore
from console.domain.shared import Signature
from console.errors import DatabaseError, JournalError, StoreLost
from tests.adapters.journal.conftest import RUN, SINCE, Store, chain

TABLES = ("version", "runs", "epochs", "events", "tail", "branches", "inbox", "answers")
CHANGES = {
    "insert": "INSERT INTO release_console.{} OVERRIDING SYSTEM VALUE SELECT * FROM release_console.{}",
    "update": "UPDATE release_console.{} SET {} = {}",
    "delete": "DELETE FROM release_console.{}",
    "truncate": "TRUNCATE release_console.{} CASCADE",
    "drop": "DROP TABLE release_console.{} CASCADE",
    "alter": "ALTER TABLE release_console.{} DISABLE ROW LEVEL SECURITY",
}
COLUMNS = {
    "version": "version",
    "runs": "epoch",
    "epochs": "actor",
    "events": "line",
    "tail": "body",
    "branches": "lines",
    "inbox": "note",
    "answers": "reason",
}
CALLS = {
    "create_run": "('r', '{}')",
    "claim": "('r', 0, 'a', 'h', 1, now())",
    "hold": "('r', 1)",
    "append": "('r', 1, 1, ARRAY['x'])",
    "add_tail": "('r', 1, 1, 'x')",
    "attach": "('r', 1, 1, 'a', ARRAY['x'])",
    "answer": "(1, true, '')",
}
INNER = {
    "as_holder": "('r', 1)",
    "refuse_epoch": "('r')",
    "end_session": "(1, 1)",
    "take_lease": "('r', 1)",
}
NO_RIGHT = "42501"


async def refusal(store: Store, login: str, statement: str) -> str:
    """The SQLSTATE with which a statement of a login is refused; fails when it is not."""
    async with store.as_somebody(login).session("tests") as session:
        with pytest.raises(DatabaseError) as refused:
            await session.fetch(statement)
    return refused.value.sqlstate


async def test_nobody_changes_a_table(store: Store, alice: PostgresDriverStore) -> None:
    await alice.append(RUN, 1, 1, chain(1))
    for login in ("alice", "eve", "quinn", "mallory"):
        async with store.as_somebody(login).session("tests") as session:
            for table, (what, statement) in product(TABLES, CHANGES.items()):
                column = COLUMNS[table]
                words = (table, column, column) if what == "update" else (table, table)
                with pytest.raises(DatabaseError) as refused:
                    await session.execute(statement.format(*words))
                assert refused.value.sqlstate == NO_RIGHT, f"{login} {what} {table}: {refused.value.message}"
    assert await alice.lines(RUN, 0) == chain(1)


async def test_only_drivers_call_what_writes_and_nobody_what_is_inside(store: Store) -> None:
    for login in ("eve", "quinn", "mallory"):
        for name, arguments in (CALLS | INNER).items():
            state = await refusal(store, login, f"SELECT release_console.{name}{arguments}")
            assert state == NO_RIGHT, f"{login} calls {name}"
    for name, arguments in INNER.items():
        assert await refusal(store, "alice", f"SELECT release_console.{name}{arguments}") == NO_RIGHT
    assert await refusal(store, "alice", f"SELECT release_console.hold{CALLS['hold']}") == "RC004"


async def test_who_is_nobody_reads_nothing(store: Store, alice: PostgresDriverStore) -> None:
    for table in TABLES:
        assert await refusal(store, "mallory", f"SELECT * FROM release_console.{table}") == NO_RIGHT
    for table in ("inbox", "answers"):
        assert await refusal(store, "eve", f"SELECT * FROM release_console.{table}") == NO_RIGHT


async def test_each_client_is_refused_where_its_login_is_no_member(store: Store) -> None:
    for client, role in (
        (store.driver("eve").runs, "release_console_driver"),
        (store.observer("quinn").runs, "release_console_observer"),
        (store.signer("alice").login, "release_console_signer"),
    ):
        if role == "release_console_observer":
            assert await client() == (), "a signer may watch as well"
            continue
        with pytest.raises(JournalError) as refused:
            await client()
        assert not isinstance(refused.value, StoreLost)
        assert f"GRANT {role} TO" in refused.value.remedy


async def test_a_driver_who_watches_can_only_read(store: Store, alice: PostgresDriverStore) -> None:
    watching = store.observer("alice")
    assert [each.run for each in await watching.runs()] == [RUN]
    with pytest.raises(JournalError, match="does not allow it"):
        await watching._link.fetch(f"SELECT release_console.hold('{RUN}', 1)")
    await watching._link.fetch("SET ROLE release_console_driver")
    with pytest.raises(StoreLost, match="read-only"):
        await watching._link.fetch(f"SELECT release_console.create_run('{RUN}2', '')")


async def test_a_driver_without_the_lease_writes_nothing_even_in_its_epoch(
    store: Store, alice: PostgresDriverStore
) -> None:
    async with store.as_somebody("bob").session("tests") as session:
        for call in (f"append('{RUN}', 1, 1, ARRAY['x'])", "answer(1, true, '')"):
            with pytest.raises(DatabaseError) as refused:
                await session.fetch(f"SELECT release_console.{call}")
            assert refused.value.sqlstate == "RC005"
        with pytest.raises(DatabaseError) as stolen:
            await session.fetch(f"SELECT release_console.hold('{RUN}', 1)")
        assert stolen.value.sqlstate == "RC001", "an epoch is held by the login that claimed it"
    assert await alice.lines(RUN, 0) == []


def signature(role: str = "qa", name: str = "Quinn", *, approve: bool = True, note: str = "") -> Signature:
    return Signature(0, RUN, "somebody", role, name, approve, note, "digest", "26c5a9f", SINCE)


async def test_a_signature_is_told_read_and_answered(store: Store, alice: PostgresDriverStore) -> None:
    quinn = store.signer()
    assert await quinn.login() == "quinn"
    assert await alice.wait(RUN, 0)
    waiting = asyncio.create_task(alice.wait(RUN, 30))
    number = await quinn.sign(signature(note="with a · note"))
    assert await waiting
    (found,) = await alice.inbox(RUN)
    assert (found.id, found.run, found.login, found.role, found.name) == (number, RUN, "quinn", "qa", "Quinn")
    assert (found.approve, found.note, found.plan, found.commit) == (True, "with a · note", "digest", "26c5a9f")
    assert found.at > SINCE, "when it was signed is the database's to say"
    assert await quinn.answer_to(number) is None
    await alice.answer(number, accepted=False, reason="the plan is another")
    await alice.answer(number, accepted=True, reason="")
    answer = await quinn.answer_to(number)
    assert answer is not None
    assert (answer.accepted, answer.reason) == (False, "the plan is another"), "the first answer stands"
    assert await alice.inbox(RUN) == ()
    await quinn.close()


async def test_a_signer_signs_as_nobody_else(store: Store, alice: PostgresDriverStore) -> None:
    values = f"('{RUN}', 'qa', 'Sam', true, '', 'digest', 'commit'"
    columns = "(run, role, name, approve, note, plan, commit"
    for column, value in (("login", "'sam'"), ("at", "now()"), ("id", "7")):
        statement = (
            f"INSERT INTO release_console.inbox {columns}, {column}) OVERRIDING SYSTEM VALUE VALUES {values}, {value})"
        )
        assert await refusal(store, "quinn", statement) == NO_RIGHT
    async with store.as_somebody("quinn").session("tests") as session:
        with pytest.raises(DatabaseError):
            await session.execute("SET SESSION AUTHORIZATION sam")
        await session.execute("SET ROLE release_console_signer")
        await session.execute(f"INSERT INTO release_console.inbox {columns}) VALUES {values})")
    assert [each.login for each in await alice.inbox(RUN)] == ["quinn"]


async def test_a_signer_sees_no_signature_of_another(store: Store, alice: PostgresDriverStore) -> None:
    quinn, sam = store.signer("quinn"), store.signer("sam")
    hers, his = await quinn.sign(signature()), await sam.sign(signature("lead", "Sam", approve=False))
    for number in (hers, his):
        await alice.answer(number, accepted=True, reason="")
    assert await quinn.answer_to(hers) is not None
    assert await quinn.answer_to(his) is None
    for login, own in (("quinn", hers), ("sam", his)):
        database = store.as_somebody(login)
        assert [row["id"] for row in await database.fetch("SELECT id FROM release_console.inbox")] == [own]
        assert [row["signature"] for row in await database.fetch("SELECT signature FROM release_console.answers")] == [
            own
        ]


async def test_an_inbox_is_not_flooded(store: Store, alice: PostgresDriverStore) -> None:
    quinn = store.signer()
    for _ in range(20):
        await quinn.sign(signature())
    with pytest.raises(JournalError, match="twenty signatures of this login wait"):
        await quinn.sign(signature())
    assert await store.signer("sam").sign(signature())
    with pytest.raises(JournalError):
        await quinn.sign(signature(note="n" * 5_000))
    assert len(await alice.inbox(RUN)) == 21
