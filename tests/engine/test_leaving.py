"""Letting go of a run: by closing it, by its end, and by a disk that refuses the record."""

import asyncio
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.state import StepStatus
from console.engine.autopilot import Autopilot
from console.errors import (
    JournalError,
    Refused,
)
from console.ports import JournalFailed, Update
from tests.domain.plans import plan, release_plan, step
from tests.engine.driving import ASKING, ONE, driving, in_the_middle_of_it, kinds, status
from tests.engine.world import Console, FakeWorld, MemoryJournal, console, disk_full, until


class TestLeaving:
    async def test_closing_leaves_what_runs_and_the_next_console_looks_for_it(self, tmp_path: Path) -> None:
        world = FakeWorld(gates={"a": asyncio.Event()})
        async with driving(ONE, tmp_path, world=world) as run:
            await until(run.feed, in_the_middle_of_it)
        assert kinds(run)[-1] is Kind.DRIVER_LEFT
        assert run.conductor.state.steps["a"].status is StepStatus.RUNNING
        with pytest.raises(Refused, match="let go"):
            await run.conductor.send(i.Note("x"))
        world.gates["a"].set()
        again = console(ONE, tmp_path, world=world, journal=MemoryJournal(tmp_path, run.journal.events()))
        task = asyncio.create_task(again.conductor.run())
        await until(again.feed, status("a", StepStatus.SUCCEEDED))
        assert kinds(again, "a")[3:5] == [Kind.STEP_UNCERTAIN, Kind.STEP_RECONCILED]
        await again.conductor.close()
        await task

    async def test_whoever_waits_for_an_answer_is_told(self, tmp_path: Path) -> None:
        async with driving(ASKING, tmp_path) as run:
            waiting = asyncio.create_task(run.conductor.send(i.Look("a")))
            await asyncio.sleep(0)
            await run.conductor.close()
            with pytest.raises(Refused, match="let go"):
                await waiting

    async def test_closing_before_the_start_returns_at_once(self, tmp_path: Path) -> None:
        run = console(ONE, tmp_path)
        await run.conductor.close()
        assert (await run.conductor.run()).seq == 0

    async def test_a_finished_run_is_left_as_it_is(self, tmp_path: Path) -> None:
        async with driving(ONE, tmp_path) as run:
            await run.conductor.send(i.Finish("abandoned", "rain"))
        assert kinds(run)[-2:] == [Kind.RUN_FINISHED, Kind.DRIVER_LEFT]
        again = console(ONE, tmp_path, journal=MemoryJournal(tmp_path, run.journal.events()))
        state = await again.conductor.run()
        assert state.outcome == "abandoned"
        assert len(again.journal.events()) == len(run.journal.events())


class TestFullDisk:
    async def test_wherever_it_strikes_nothing_is_lost_and_the_run_can_be_gone_on_with(self, tmp_path: Path) -> None:
        """The disk is full from event n on, for all n: the console stops and says so; with room it goes on."""
        for number in range(1, 40):
            world, journal = FakeWorld(), MemoryJournal(tmp_path)
            journal.before = disk_full(number)
            first = console(release_plan(), tmp_path, world=world, journal=journal)
            heard: list[Update] = []
            first.feed.subscribe(heard.append)
            with pytest.raises(JournalError, match="No space left"):
                await asyncio.gather(first.conductor.run(), _fly(first))
            assert [each for each in heard if isinstance(each, JournalFailed)]
            assert len(journal.events()) == number - 1
            second = console(release_plan(), tmp_path, world=world, journal=MemoryJournal(tmp_path, journal.events()))
            task = asyncio.create_task(second.conductor.run())
            await _fly(second)
            await second.conductor.close()
            assert (await task).outcome == "completed", f"full at event {number}"
            assert set(world.done.values()) == {1}, f"full at event {number}"

    async def test_what_runs_is_asked_to_stop_and_waited_for(self, tmp_path: Path) -> None:
        world = FakeWorld(gates={"a": asyncio.Event()})
        run = console(plan(step("a"), step("b", action=None)), tmp_path, world=world)
        task = asyncio.create_task(run.conductor.run())
        await run.conductor.send(i.Start())
        await until(run.feed, in_the_middle_of_it)
        run.journal.before = disk_full(0)
        with pytest.raises(JournalError):
            await run.conductor.send(i.Note("x"))
        assert not task.done(), "the step is in the middle of something"
        world.gates["a"].set()
        with pytest.raises(JournalError):
            await task
        assert world.done["a"] == 1
        assert run.conductor.state.steps["a"].status is StepStatus.RUNNING, "its end is looked for next time"

    async def test_a_person_who_does_not_want_to_wait_may_leave(self, tmp_path: Path) -> None:
        world = FakeWorld(gates={"a": asyncio.Event()})
        run = console(ONE, tmp_path, world=world)
        task = asyncio.create_task(run.conductor.run())
        await run.conductor.send(i.Start())
        await until(run.feed, in_the_middle_of_it)
        run.journal.before = disk_full(0)
        with pytest.raises(JournalError):
            await run.conductor.send(i.Note("x"))
        await run.conductor.close()
        with pytest.raises(JournalError):
            await task


async def _fly(run: Console[MemoryJournal]) -> None:
    await Autopilot(run.conductor, run.feed).drive()
