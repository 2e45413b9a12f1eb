"""Every event boundary is a safe place to die: the run is taken up again and ends as if nothing had happened."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from console.domain.fold import fold
from console.domain.plan import Criterion, Plan
from console.domain.state import RunState, StepStatus
from console.domain.wire import encode_plan
from console.engine.autopilot import Autopilot, Ending
from console.engine.driver import Driver
from console.engine.journal import FileJournal
from console.engine.runs import verify
from tests.domain.plans import plan, release_plan, step
from tests.engine.world import FakeWorld, MemoryJournal, SimulatedDeath, console, console_over, until

PLAN = release_plan()
ME = Driver.here("ops@laptop")


def die_at(number: int) -> Callable[[int], None]:
    def strike(at: int) -> None:
        if at == number:
            raise SimulatedDeath

    return strike


async def live(journal: MemoryJournal | FileJournal, world: FakeWorld, plan: Plan = PLAN) -> RunState | None:
    """One life of a console: to the end of the run, or to its death (None)."""
    run = console_over(plan, journal, world)
    driving = asyncio.create_task(run.conductor.run())
    flying = asyncio.create_task(Autopilot(run.conductor, run.feed).drive())
    done, _ = await asyncio.wait({driving, flying}, return_when=asyncio.FIRST_COMPLETED)
    if flying in done and flying.result().ending is Ending.COMPLETED:
        await run.conductor.close()
        try:
            return await driving
        except SimulatedDeath:
            return None
    flying.cancel()
    await asyncio.gather(flying, return_exceptions=True)
    with pytest.raises(SimulatedDeath):
        await asyncio.wait_for(driving, 5)
    return None


def end_of(state: RunState) -> object:
    """What must be the same however often the console died."""
    steps = {
        each.step.id: (each.status, each.evidence.summary if each.evidence else "") for each in state.steps.values()
    }
    signed = {each.role: (each.given, each.plan, each.commit) for each in state.signoffs.values()}
    criteria = {each.id: (each.met, each.evidence) for each in state.criteria.values()}
    return state.status, state.outcome, state.production, steps, signed, criteria


async def undisturbed(directory: Path) -> tuple[RunState, int]:
    journal = MemoryJournal(directory)
    state = await live(journal, FakeWorld())
    assert state is not None
    return state, len(journal.events())


async def test_dying_at_every_event_boundary_changes_nothing(tmp_path: Path) -> None:
    state, count = await undisturbed(tmp_path)
    expected = end_of(state)
    assert count > 30
    for number in range(1, count + 1):
        for moment in ("before", "after"):
            journal, world = MemoryJournal(tmp_path), FakeWorld()
            setattr(journal, moment, die_at(number))
            first = await live(journal, world)
            if first is None:
                second = MemoryJournal(tmp_path, journal.events())
                first = await live(second, world)
                assert first is not None
                assert fold(PLAN, second.events()) == first
            assert end_of(first) == expected, f"killed {moment} event {number}"
            assert set(world.done.values()) == {1}, f"killed {moment} event {number}: {world.done}"


async def test_dying_again_while_recovering_changes_nothing(tmp_path: Path) -> None:
    state, count = await undisturbed(tmp_path)
    expected = end_of(state)
    for number in range(5, count - 5, 3):
        journal, world = MemoryJournal(tmp_path), FakeWorld()
        journal.after = die_at(number)
        if await live(journal, world) is not None:
            continue
        for later in range(1, 4):
            journal = MemoryJournal(tmp_path, journal.events())
            journal.after = die_at(len(journal.events()) + later)
            assert await live(journal, world) is None
        last = await live(MemoryJournal(tmp_path, journal.events()), world)
        assert last is not None
        assert end_of(last) == expected, f"killed at event {number} and three times after"
        assert set(world.done.values()) == {1}


async def test_what_the_console_states_by_itself_is_stated_by_the_next_one(tmp_path: Path) -> None:
    """Dying between a step's success and the verdict that follows from it does not keep the run from its end."""
    small = plan(step("a"), criteria=(Criterion("c", "It works", ("a",)),))
    whole = MemoryJournal(tmp_path)
    assert await live(whole, FakeWorld(), small) is not None
    for number in range(1, len(whole.events()) + 1):
        journal, world = MemoryJournal(tmp_path), FakeWorld()
        journal.after = die_at(number)
        assert await live(journal, world, small) is None
        state = await live(MemoryJournal(tmp_path, journal.events()), world, small)
        assert state is not None
        assert (state.outcome, state.criteria["c"].met, world.done["a"]) == ("completed", True, 1)


async def test_a_killed_step_that_did_nothing_must_be_confirmed_again(tmp_path: Path) -> None:
    """The yes was used when the step started; it does not outlive the process."""
    journal, world = MemoryJournal(tmp_path), FakeWorld()

    def strike(number: int) -> None:
        last = journal.events()[-1]
        if last.kind == "step.started" and last.step == "push":
            raise SimulatedDeath

    journal.after = strike
    assert await live(journal, world) is None
    again = console(PLAN, tmp_path, world=world, journal=MemoryJournal(tmp_path, journal.events()))
    driving = asyncio.create_task(again.conductor.run())
    state = await until(again.feed, lambda state: state.steps["push"].status is StepStatus.READY)
    push = state.steps["push"]
    assert push.yes is None
    assert again.conductor.state.needs_person(push)
    assert world.done["push"] == 0
    await again.conductor.close()
    await driving


async def test_a_yes_does_not_outlive_the_console_that_it_was_given_to(tmp_path: Path) -> None:
    """Whoever takes the run up the next morning is asked again, and told that a console died."""
    journal, world = MemoryJournal(tmp_path), FakeWorld()

    def strike(number: int) -> None:
        last = journal.events()[-1]
        if last.kind in ("step.confirmed", "step.armed") and last.step == "migrate":
            raise SimulatedDeath

    journal.after = strike
    assert await live(journal, world) is None
    again = console(PLAN, tmp_path, world=world, journal=MemoryJournal(tmp_path, journal.events()))
    driving = asyncio.create_task(again.conductor.run())
    state = await until(again.feed, lambda state: state.steps["migrate"].yes is None)
    assert "is gone" in state.steps["migrate"].void
    assert "ended without leaving the run" in state.notes[-1].text
    assert world.done["migrate"] == 0
    await again.conductor.close()
    await driving


async def test_dying_in_the_middle_of_any_line_on_disk_changes_nothing(tmp_path: Path) -> None:
    """The same over real files: the process dies when half of line n is written."""
    expected = end_of((await undisturbed(tmp_path))[0])
    for number in range(1, 40, 2):
        world, directory = FakeWorld(), tmp_path / f"run-{number}"
        journal = FileJournal.create(directory, directory.name, encode_plan(PLAN), ME, write=half_of_line(number))
        assert await live(journal, world) is None, f"line {number}"
        await journal.close()
        journal = FileJournal.open(directory, ME)
        assert journal.torn > 0
        state = await live(journal, world)
        await journal.close()
        assert state is not None
        assert end_of(state) == expected, f"line {number}"
        assert set(world.done.values()) == {1}, f"line {number}"
        assert verify(directory).ok


def half_of_line(number: int) -> Callable[[int, bytes], int]:
    """Writes whole lines up to one of which only half reaches the disk before the process dies."""
    lines = 0

    def write(fd: int, line: bytes) -> int:
        nonlocal lines
        lines += 1
        if lines == number:
            os.write(fd, line[: len(line) // 2])
            raise SimulatedDeath
        return os.write(fd, line)

    return write
