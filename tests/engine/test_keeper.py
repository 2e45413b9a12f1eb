"""What keeps a shared record beside the conductor: waivers that end with their reason, and trouble that is told."""

import asyncio
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.shared import Branch, Observer
from console.domain.state import StepStatus
from console.engine.shared_opening import open_shared
from console.errors import TakenOver
from tests.domain.plans import ASKED, plan, step
from tests.engine.driving import status
from tests.engine.shared_driving import RUN, begin, driver, end, kill, machine, opened
from tests.engine.shared_store import MemoryDriver, Record
from tests.engine.test_shared_journal import note
from tests.engine.world import FakeWorld, until

ASKING = plan(step("a", confirmation=ASKED), step("b", after=("a",), confirmation=ASKED))


class TestNobodyElseDrives:
    async def test_it_is_asked_anew_once_the_record_was_reached_in_between(self, tmp_path: Path) -> None:
        record, world = Record(), FakeWorld()
        async with machine(tmp_path, record, "ann", ASKING, world) as there:
            console = there.console
            await console.conductor.send(i.Start())
            there.store.wire.cut()
            await console.conductor.send(i.Note("gone"))
            await until(console.feed, lambda state: state.apart is not None)
            await console.conductor.send(i.DriveApart(RUN))
            there.store.wire.mend()
            await until(console.feed, lambda state: state.apart is None)
            there.store.wire.cut()
            await console.conductor.send(i.Note("gone again"))
            state = await until(console.feed, lambda state: state.apart is not None)
            assert state.apart is not None
            assert not state.apart.waived

    async def test_it_is_asked_anew_by_the_next_console(self, tmp_path: Path) -> None:
        """Whoever takes a run up the next morning knows nothing of who drives by then."""
        record, world = Record(), FakeWorld()
        journal, store = await opened(tmp_path, record, "ann", ASKING)
        ann = begin(journal, store, world, ASKING)
        await ann.console.conductor.send(i.Start())
        store.wire.cut()
        await ann.console.conductor.send(i.Note("gone"))
        await until(ann.console.feed, lambda state: state.apart is not None)
        await ann.console.conductor.send(i.DriveApart(RUN))
        await kill(ann)
        line = MemoryDriver(record, name="ann")
        line.wire.cut()
        again = begin(await open_shared(tmp_path / "ann" / RUN, line, driver("ann", 2)), line, world, ASKING)
        console = again.console
        await until(console.feed, lambda state: state.seq > 0 and bool(state.driver))
        await console.conductor.send(i.Look("a"))
        await console.conductor.send(i.Confirm("a", console.feed.state.steps["a"].preview_digest or ""))
        assert console.feed.state.apart is not None
        assert not console.feed.state.apart.waived
        assert world.calls["a.perform"] == 0
        await console.conductor.send(i.DriveApart(RUN))
        await until(console.feed, status("a", StepStatus.SUCCEEDED))
        await end(again)


class TestTrouble:
    async def test_a_take_over_that_a_chore_finds_makes_the_driver_give_way(self, tmp_path: Path) -> None:
        """The line broke between two calls; the first to speak on the new one is told who drives now."""
        record = Record()
        journal, store = await opened(tmp_path, record, "ann", ASKING)
        await note(journal, "one")
        observers = store.observers

        async def taken_over(run: str) -> tuple[Observer, ...]:
            store.observers = observers  # type: ignore[method-assign]
            await opened(tmp_path, record, "bob", ASKING, taking_over=1)
            raise TakenOver("bob@bob-laptop drives this run now.", epoch=2, driver="bob@bob-laptop")

        store.observers = taken_over  # type: ignore[method-assign]
        there = begin(journal, store, FakeWorld(), ASKING)
        await asyncio.wait_for(there.keeping, 5)
        assert journal.taken_over is not None
        await kill(there)

    async def test_a_branch_that_cannot_be_read_here_is_named_all_the_same(self, tmp_path: Path) -> None:
        """It may be of a newer console."""
        record = Record()
        async with machine(tmp_path, record, "ann", ASKING, FakeWorld()) as there:
            record.of(RUN).branches[7] = Branch(7, "bob@bob-laptop", 3, (b'{"kind": "of.tomorrow"}',))
            record.tell_driver(RUN)
            await until(there.console.feed, lambda state: any("bob@bob-laptop" in each.text for each in state.notes))
            (named,) = [each for each in there.journal.events() if each.kind is Kind.BRANCH_ATTACHED]
            assert named.data["events"] == 1

    async def test_branches_are_read_when_there_is_news_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("console.engine.keeper.BEAT", 0.01)
        record = Record()
        async with machine(tmp_path, record, "ann", ASKING, FakeWorld()) as there:
            store, calls, rounds = there.store, there.store.wire.calls, asyncio.Event()
            wait = store.wait

            async def counted(run: str, seconds: float) -> bool:
                if calls.count("wait") >= 10:
                    rounds.set()
                return await wait(run, seconds)

            store.wait = counted  # type: ignore[method-assign]
            await asyncio.wait_for(rounds.wait(), 5)
            assert calls.count("observers") >= 9
            assert calls.count("branches") <= 2
            record.of(RUN).branches[7] = Branch(7, "bob@bob-laptop", 3, (b"{}",))
            record.tell_driver(RUN)
            await until(there.console.feed, lambda state: any("bob@bob-laptop" in each.text for each in state.notes))
