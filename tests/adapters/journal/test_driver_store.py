"""A driver's store on a real PostgreSQL: epochs fence, lines are taken once, and a session that ends lets go."""

import asyncio
import json

import pytest

from console.adapters.journal.driver import PostgresDriverStore
from console.domain.shared import Branch, Lease
from console.domain.wire import GENESIS, line_digest
from console.errors import JournalError, StoreLost, TakenOver
from tests.adapters.journal.conftest import RUN, SINCE, Store, chain, driver


async def test_a_run_is_there_once_it_was_created(store: Store) -> None:
    alice = store.driver()
    assert await alice.find(RUN) is None
    assert await alice.runs() == ()
    with pytest.raises(JournalError, match="is not in the shared record"):
        await alice.plan(RUN)
    await alice.create(RUN, '{"name": "plan · ✓"}')
    await alice.create(RUN, '{"name": "plan · ✓"}')
    assert await alice.plan(RUN) == '{"name": "plan · ✓"}'
    found = await alice.find(RUN)
    assert found is not None
    assert (found.run, found.events, found.tip, found.last, found.lease, found.last_at) == (
        RUN,
        0,
        GENESIS,
        (),
        None,
        None,
    )
    with pytest.raises(JournalError, match="another plan"):
        await alice.create(RUN, "{}")


async def test_an_epoch_names_its_driver_and_its_lease_is_held(alice: PostgresDriverStore) -> None:
    found = await alice.find(RUN)
    assert found is not None
    assert found.lease == Lease(1, "alice@laptop", "laptop", 41, SINCE, held=True)


async def test_lines_come_back_byte_for_byte(alice: PostgresDriverStore) -> None:
    lines = chain(5)
    await alice.append(RUN, 1, 1, lines[:2])
    await alice.append(RUN, 1, 3, lines[2:])
    assert await alice.lines(RUN, 0) == lines
    assert await alice.lines(RUN, 4) == lines[4:]
    found = await alice.find(RUN)
    assert found is not None
    assert (found.events, found.last, found.tip) == (5, tuple(lines[2:]), line_digest(lines[4]))
    assert found.last_at is not None


async def test_an_append_may_be_repeated_and_may_overlap(alice: PostgresDriverStore) -> None:
    lines = chain(6)
    await alice.append(RUN, 1, 1, lines[:4])
    await alice.append(RUN, 1, 1, lines[:4])
    await alice.append(RUN, 1, 3, lines[2:])
    assert await alice.lines(RUN, 0) == lines


async def test_another_line_of_a_number_and_a_gap_are_refused_whole(alice: PostgresDriverStore) -> None:
    lines = chain(4)
    await alice.append(RUN, 1, 1, lines[:2])
    with pytest.raises(TakenOver, match="another line of the same number"):
        await alice.append(RUN, 1, 2, [chain(2, text="otherwise")[1], lines[2]])
    with pytest.raises(JournalError, match="line 4 would leave a gap behind line 2") as gap:
        await alice.append(RUN, 1, 4, lines[3:])
    assert not isinstance(gap.value, StoreLost | TakenOver)
    assert await alice.lines(RUN, 0) == lines[:2]


async def test_lines_of_any_length_and_number_are_taken(alice: PostgresDriverStore) -> None:
    lines = [*chain(3), *chain(2_500, text="x" * 200, first=4)]
    lines[1] = chain(2, text="y" * 100_000)[1]
    await alice.append(RUN, 1, 1, lines)
    assert await alice.lines(RUN, 0) == lines


async def test_of_two_claims_at_once_one_wins(store: Store, alice: PostgresDriverStore) -> None:
    claimants = {f"{name}@desk": store.driver(login) for name, login in (("ann", "alice"), ("bob", "bob"))}
    outcomes = await asyncio.gather(
        *(each.claim(RUN, driver(name), expected=1) for name, each in claimants.items()), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["TakenOver", "int"]
    winner = next(name for name, each in zip(claimants, outcomes, strict=True) if each == 2)
    (refused,) = (each for each in outcomes if isinstance(each, TakenOver))
    assert (refused.epoch, refused.driver) == (2, winner)
    found = await claimants[winner].find(RUN)
    assert found is not None
    assert found.lease is not None
    assert (found.lease.epoch, found.lease.actor, found.lease.held) == (2, winner, True)


async def test_nothing_is_taken_of_an_epoch_that_ended(store: Store, alice: PostgresDriverStore) -> None:
    lines = chain(3)
    await alice.append(RUN, 1, 1, lines[:1])
    bob = store.driver("bob")
    assert await bob.claim(RUN, driver("bob@desk"), expected=1) == 2
    await bob.append(RUN, 2, 2, lines[1:2])
    for _ in range(2):  # the first finds its session ended, or the epoch; the next, on a new session, the epoch
        with pytest.raises((TakenOver, StoreLost)):
            await alice.append(RUN, 1, 3, lines[2:])
    with pytest.raises(TakenOver) as refused:
        await alice.append(RUN, 1, 3, lines[2:])
    assert (refused.value.epoch, refused.value.driver) == (2, "bob@desk")
    with pytest.raises(TakenOver):
        await alice.hold(RUN, 1)
    with pytest.raises(TakenOver):
        await alice.claim(RUN, driver(), expected=1)
    assert await bob.lines(RUN, 0) == lines[:2]


async def test_a_claim_whose_answer_was_lost_is_answered_again(store: Store, alice: PostgresDriverStore) -> None:
    again = store.driver()
    assert await again.claim(RUN, driver(), expected=0) == 1
    await again.append(RUN, 1, 1, chain(1))
    for other in (driver(pid=42), driver("alice@desk"), driver(since=SINCE.replace(year=2025))):
        with pytest.raises(TakenOver):
            await again.claim(RUN, other, expected=0)
    with pytest.raises(TakenOver):
        await store.driver("bob").claim(RUN, driver(), expected=0)


async def test_the_lease_is_let_go_with_its_session(store: Store, alice: PostgresDriverStore) -> None:
    await alice.close()
    await alice.close()
    eve = store.observer()
    lease = await _until_held(eve.lease, held=False)
    assert lease.epoch == 1
    await alice.hold(RUN, 1)
    lease = await _until_held(eve.lease, held=True)
    assert lease.epoch == 1


async def test_a_session_that_was_ended_is_a_loss_and_then_works_again(
    store: Store, alice: PostgresDriverStore
) -> None:
    lines = chain(2)
    await alice.append(RUN, 1, 1, lines[:1])
    assert await alice.wait(RUN, 0)
    waiting = asyncio.create_task(alice.wait(RUN, 30))
    await store.admin.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %(name)s",
        {"name": f"rc/drive/{RUN}"},
    )
    with pytest.raises(StoreLost, match="The shared record is not reached: the connection broke off") as lost:
        await waiting
    assert lost.value.production
    assert lost.value.remedy
    await alice.append(RUN, 1, 2, lines[1:])
    assert await alice.lines(RUN, 0) == lines
    found = await alice.find(RUN)
    assert found is not None
    assert found.lease is not None
    assert found.lease.held, "whoever writes again holds the lease again"


async def test_a_take_over_ends_the_session_of_the_driver_before(store: Store, alice: PostgresDriverStore) -> None:
    assert await alice.wait(RUN, 0)
    (before,) = await _drivers(store)
    await store.driver("bob").claim(RUN, driver("bob@desk"), expected=1)
    (after,) = await _drivers(store)
    assert after != before


async def test_branches_are_kept_and_may_only_grow(store: Store, alice: PostgresDriverStore) -> None:
    lines = tuple(chain(4))
    await alice.attach(RUN, Branch(1, "alice@laptop", 2, lines[1:3]))
    await alice.attach(RUN, Branch(1, "alice@laptop", 2, lines[1:3]))
    await alice.attach(RUN, Branch(0, "bob@desk", 1, lines[:1]))
    grown = Branch(1, "alice@laptop", 2, lines[1:])
    await alice.attach(RUN, grown)
    await alice.attach(RUN, Branch(1, "alice@laptop", 2, lines[1:2]))
    assert await alice.branches(RUN) == (Branch(0, "bob@desk", 1, lines[:1]), grown)
    with pytest.raises(TakenOver):
        await alice.attach(RUN, Branch(1, "alice@laptop", 2, (b"{}",)))
    with pytest.raises(JournalError, match="not in the shared record"):
        await alice.attach("another", grown)


async def test_a_driver_is_told_of_epochs_branches_and_nothing_of_its_own(
    store: Store, alice: PostgresDriverStore
) -> None:
    assert await alice.wait(RUN, 0), "what was told before anybody listened is looked for"
    await alice.append(RUN, 1, 1, chain(1))
    assert not await alice.wait(RUN, 0.05)
    bob = store.driver("bob")
    waiting = asyncio.create_task(alice.wait(RUN, 30))
    await bob.attach(RUN, Branch(0, "bob@desk", 1, (b"{}",)))
    assert await waiting


async def test_runs_are_listed_newest_first(store: Store, alice: PostgresDriverStore) -> None:
    await alice.create("another", json.dumps({}))
    await alice.append(RUN, 1, 1, chain(2))
    found = await alice.runs()
    assert [(each.run, each.events, each.lease is not None) for each in found] == [
        ("another", 0, False),
        (RUN, 2, True),
    ]


async def _drivers(store: Store) -> list[object]:
    """The processes of the sessions that hold, or held, the run's lease: asked when those that were ended are gone."""
    rows = await store.admin.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'rc/drive/%'"
    )
    return [row["pid"] for row in rows]


async def _until_held(lease: object, *, held: bool) -> Lease:
    """The lease, once the server has noticed that a session began or ended."""
    async with asyncio.timeout(5):
        while True:
            found = await lease(RUN)  # type: ignore[operator]
            assert isinstance(found, Lease)
            if found.held is held:
                return found
