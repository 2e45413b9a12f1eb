"""A whole run over a shared record: cut at every call, taken over at every event. Nothing lost, nothing doubled, and
never two who change production at once."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.fold import fold
from console.domain.state import RunState, StepStatus
from console.domain.wire import decode_event
from console.engine.autopilot import Autopilot, Ending
from console.engine.chain import read_chain
from console.errors import Refused, TakenOver
from console.ports import JournalFailed, SharedStatus, Update, Watched
from tests.domain.plans import ASKED, plan, release_plan, step
from tests.engine.driving import status
from tests.engine.shared_driving import RUN, Machine, begin, end, kill, machine, opened
from tests.engine.shared_store import MemoryObserver, Record
from tests.engine.world import FakeAction, FakeWorld, until

PLAN = release_plan()
ASKING = plan(step("a", confirmation=ASKED), step("b", after=("a",), confirmation=ASKED))


def recorded(record: Record) -> list[Kind]:
    return [decode_event(line)[0].kind for line in record.of(RUN).lines]


async def flown(there: Machine) -> None:
    """Drive to the end as the unattended rehearsal does; what failed by the cut itself is tried again."""
    pilot = Autopilot(there.console.conductor, there.console.feed, retry_failed=True)
    outcome = await asyncio.wait_for(pilot.drive(), 20)
    assert outcome.ending is Ending.COMPLETED, outcome


async def calls_of_a_run(tmp_path: Path) -> int:
    record = Record()
    async with machine(tmp_path, record, "ann", PLAN, FakeWorld()) as there:
        await flown(there)
        return len(there.store.wire.calls)


@pytest.mark.parametrize("answered", [True, False], ids=["not carried out", "answer lost"])
async def test_the_store_cut_at_any_call_of_a_run(tmp_path: Path, answered: bool) -> None:
    count = await calls_of_a_run(tmp_path / "whole")
    assert count > 50
    for call in range(1, count):
        record, world = Record(), FakeWorld()
        folder = tmp_path / str(call)
        journal, store = await opened(folder, record, "ann", PLAN)
        store.wire.cut_at(call, answered=answered, once=True)
        there = begin(journal, store, world, PLAN)
        try:
            await flown(there)
        finally:
            await end(there)
        lines = record.of(RUN).lines
        assert lines == there.lines, f"cut at call {call}"
        assert set(world.done.values()) == {1}, f"cut at call {call}: {world.done}"
        state = fold(PLAN, read_chain(b"".join(line + b"\n" for line in lines)).events)
        assert state.outcome == "completed"


class TestLost:
    async def test_nothing_that_changes_production_starts_until_it_is_reached_again(self, tmp_path: Path) -> None:
        record, world = Record(), FakeWorld()
        async with machine(tmp_path, record, "ann", ASKING, world) as there:
            console = there.console
            await console.conductor.send(i.Start())
            await console.conductor.send(i.Look("a"))
            there.store.wire.cut()
            await console.conductor.send(i.Confirm("a", console.feed.state.steps["a"].preview_digest or ""))
            await until(console.feed, lambda state: state.apart is not None)
            assert world.done["a"] == 0
            assert console.feed.state.steps["a"].status in (StepStatus.ARMED, StepStatus.READY, StepStatus.FAILED)
            there.store.wire.mend()
            await until(console.feed, lambda state: state.apart is None)
            await until(console.feed, status("a", StepStatus.SUCCEEDED))
        assert world.done["a"] == 1
        assert Kind.STORE_LOST in recorded(record)
        assert Kind.STORE_REGAINED in recorded(record)

    async def test_what_runs_comes_to_its_end_and_is_sent_later(self, tmp_path: Path) -> None:
        record, world = Record(), FakeWorld(gates={"a": asyncio.Event()})
        async with machine(tmp_path, record, "ann", ASKING, world) as there:
            console = there.console
            await console.conductor.send(i.Start())
            await console.conductor.send(i.Look("a"))
            await console.conductor.send(i.Confirm("a", console.feed.state.steps["a"].preview_digest or ""))
            await until(console.feed, lambda state: bool(state.steps["a"].progress))
            there.store.wire.cut()
            await console.conductor.send(i.Note("it is gone"))
            world.gates["a"].set()
            await until(console.feed, status("a", StepStatus.SUCCEEDED))
            there.store.wire.mend()
        assert recorded(record).count(Kind.STEP_SUCCEEDED) == 1

    async def test_the_loss_that_is_seen_only_as_the_step_begins_keeps_it_from_beginning(self, tmp_path: Path) -> None:
        """The line is cut in the very call that sends `step.started`."""
        for answered in (True, False):
            record, world = Record(), FakeWorld()
            async with machine(tmp_path / str(answered), record, "ann", ASKING, world) as there:
                console = there.console
                await console.conductor.send(i.Start())
                await console.conductor.send(i.Look("a"))
                cut_when_it_starts(there, answered=answered)
                await console.conductor.send(i.Confirm("a", console.feed.state.steps["a"].preview_digest or ""))
                state = await until(console.feed, status("a", StepStatus.FAILED))
                failure = state.steps["a"].failure
                assert failure is not None
                assert "about to begin" in failure.message
                assert "changed nothing" in failure.production
                assert world.calls["a.perform"] == 0

    async def test_a_person_may_say_that_nobody_else_drives(self, tmp_path: Path) -> None:
        record, world = Record(), FakeWorld()
        async with machine(tmp_path, record, "ann", ASKING, world) as there:
            console = there.console
            await console.conductor.send(i.Start())
            with pytest.raises(Refused, match="is reached"):
                await console.conductor.send(i.DriveApart(RUN))
            there.store.wire.cut()
            await console.conductor.send(i.Note("gone"))
            await until(console.feed, lambda state: state.apart is not None)
            with pytest.raises(Refused, match="must be typed"):
                await console.conductor.send(i.DriveApart("yes"))
            await console.conductor.send(i.DriveApart(RUN))
            await console.conductor.send(i.Look("a"))
            await console.conductor.send(i.Confirm("a", console.feed.state.steps["a"].preview_digest or ""))
            await until(console.feed, status("a", StepStatus.SUCCEEDED))
            assert world.done["a"] == 1
            there.store.wire.mend()
            await until(console.feed, lambda state: state.apart is None)
            assert Kind.STORE_WAIVED in recorded(record)

    async def test_a_defect_in_speaking_with_it_is_a_loss_and_no_more(self, tmp_path: Path) -> None:
        record = Record()
        async with machine(tmp_path, record, "ann", ASKING, FakeWorld()) as there:
            append = there.store.append

            async def broken(run: str, epoch: int, first: int, lines: list[bytes]) -> None:
                there.store.append = append  # type: ignore[method-assign]
                raise RuntimeError("password=secret")

            heard: list[Update] = []
            there.console.feed.subscribe(heard.append)
            there.store.append = broken  # type: ignore[method-assign,assignment]
            await there.console.conductor.send(i.Note("one"))
            await there.console.conductor.send(i.Note("two"))
            assert await there.journal.confirmed()
            assert there.lines == record.of(RUN).lines
            reasons = [each.reason for each in heard if isinstance(each, SharedStatus) and not each.connected]
            assert not any("secret" in each for each in reasons)
        assert there.lines == record.of(RUN).lines

    async def test_the_driver_is_told(self, tmp_path: Path) -> None:
        record = Record()
        async with machine(tmp_path, record, "ann", ASKING, FakeWorld()) as there:
            heard: list[Update] = []
            there.console.feed.subscribe(heard.append)
            there.store.wire.cut()
            await there.console.conductor.send(i.Note("gone"))
            await until(there.console.feed, lambda state: state.apart is not None)
            lost = [each for each in heard if isinstance(each, SharedStatus) and not each.connected]
            assert lost
            assert "cut" in lost[0].reason
            assert lost[-1].unsent >= 1


def cut_when_it_starts(there: Machine, *, answered: bool) -> None:
    """Cut the line in the call that appends the first `step.started`."""
    store, append = there.store, there.store.append

    async def cutting(run: str, epoch: int, first: int, lines: list[bytes]) -> None:
        if any(b'"step.started"' in line for line in lines):
            store.wire.cut_at(1, answered=answered)
            store.append = append  # type: ignore[method-assign]
        await append(run, epoch, first, lines)

    store.append = cutting  # type: ignore[method-assign,assignment]


@dataclass
class WatchedAction(FakeAction):
    """An action that notes if another console changes production at the same time."""

    async def perform(self, ctx, report):  # type: ignore[no-untyped-def]
        inside = INSIDE
        inside[self.step.id] += 1
        assert inside[self.step.id] == 1, "two consoles do the same step at once"
        try:
            return await FakeAction.perform(self, ctx, report)
        finally:
            inside[self.step.id] -= 1


INSIDE: Counter[str] = Counter()


async def taken_over_at(number: int, folder: Path, *, cut: bool) -> tuple[Record, FakeWorld, RunState]:
    """Ann drives until event `number` is recorded; then Bob takes over while her console lives (`cut`: apart)."""
    INSIDE.clear()
    record, world = Record(), FakeWorld(kind=WatchedAction)
    journal, store = await opened(folder, record, "ann", PLAN)
    ann = begin(journal, store, world, PLAN)
    flying = asyncio.create_task(Autopilot(ann.console.conductor, ann.console.feed).drive())
    await until(ann.console.feed, lambda state: state.seq >= number)
    if cut:
        store.wire.cut()
    lease = record.lease(RUN)
    assert lease is not None
    taken, line = await opened(folder, record, "bob", PLAN, taking_over=lease.epoch)
    if cut:
        store.wire.mend()
    await asyncio.wait({ann.driving}, timeout=10)
    if ann.driving.exception() is None:
        assert ann.console.feed.state.outcome == "completed", "it was brought to its end before, or apart"
    else:
        assert isinstance(ann.driving.exception(), TakenOver)
    await asyncio.gather(flying, return_exceptions=True)
    await journal.attach_branch()
    bob = begin(taken, line, world, PLAN)
    try:
        await flown(bob)
    finally:
        await end(bob)
        await kill(ann)
    assert bob.lines == record.of(RUN).lines
    return record, world, bob.console.feed.state


@pytest.mark.parametrize("cut", [False, True], ids=["connected", "apart"])
async def test_taken_over_at_any_event_nothing_is_lost_and_nothing_doubled(tmp_path: Path, cut: bool) -> None:
    record = Record()
    async with machine(tmp_path / "whole", record, "ann", PLAN, FakeWorld()) as there:
        await flown(there)
    count = len(record.of(RUN).lines)
    for number in range(2, count):
        record, world, state = await taken_over_at(number, tmp_path / f"{number}-{cut}", cut=cut)
        assert state.outcome == "completed", f"taken over at event {number}"
        for each in PLAN.steps:
            # Who is apart goes on with what changes nothing: a backup may be taken twice, a push may not.
            if each.confirmation is not None or (each.action is not None and not cut):
                assert world.done[each.id] == 1, f"taken over at event {number}: {each.id}"
        read_chain(b"".join(line + b"\n" for line in record.of(RUN).lines))
        for branch in record.of(RUN).branches.values():
            assert not set(branch.lines) & set(record.of(RUN).lines)


async def test_whoever_was_taken_over_from_starts_nothing_and_takes_no_orders(tmp_path: Path) -> None:
    record, world = Record(), FakeWorld(gates={"a": asyncio.Event()})
    journal, store = await opened(tmp_path, record, "ann", ASKING)
    ann = begin(journal, store, world, ASKING)
    heard: list[Update] = []
    ann.console.feed.subscribe(heard.append)
    await ann.console.conductor.send(i.Start())
    await ann.console.conductor.send(i.Look("a"))
    await ann.console.conductor.send(i.Confirm("a", ann.console.feed.state.steps["a"].preview_digest or ""))
    await until(ann.console.feed, lambda state: bool(state.steps["a"].progress))
    taken, line = await opened(tmp_path, record, "bob", ASKING, taking_over=1)
    await asyncio.wait_for(ann.keeping, 5)
    with pytest.raises(Refused, match="bob@bob-laptop"):
        await ann.console.conductor.send(i.Note("may I?"))
    assert not ann.driving.done(), "what runs comes to its end"
    world.gates["a"].set()
    with pytest.raises(TakenOver):
        await asyncio.wait_for(ann.driving, 5)
    assert any(isinstance(each, JournalFailed) and "bob@bob-laptop" in each.message for each in heard)
    await journal.attach_branch()
    (branch,) = record.of(RUN).branches.values()
    assert Kind.STEP_SUCCEEDED in [decode_event(each)[0].kind for each in branch.lines]
    bob = begin(taken, line, world, ASKING)
    state = await until(bob.console.feed, status("a", StepStatus.SUCCEEDED))
    warned = await until(bob.console.feed, lambda state: any(each.startswith("branch:") for each in state.alerts))
    assert "look at what they did" in next(iter(warned.alerts.values())).message
    assert state.steps["a"].by == "probe"
    assert world.done["a"] == 1
    await until(bob.console.feed, lambda state: any("apart from this record" in each.text for each in state.notes))
    await end(bob)
    await kill(ann)


async def test_the_driver_sees_who_watches(tmp_path: Path) -> None:
    record = Record()
    async with machine(tmp_path, record, "ann", ASKING, FakeWorld()) as there:
        told = asyncio.Event()
        seen: list[Watched] = []

        def hear(update: Update) -> None:
            if isinstance(update, Watched) and update.observers:
                seen.append(update)
                told.set()

        there.console.feed.subscribe(hear)
        eve = MemoryObserver(record, login="eve", person="eve@desk")
        await eve.listen(RUN)
        record.tell_driver(RUN)
        await asyncio.wait_for(told.wait(), 5)
        assert [each.login for each in seen[-1].observers] == ["eve"]
