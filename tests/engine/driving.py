"""Driving a run in a test: a conductor that runs, intents sent, states waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.plan import Plan
from console.domain.state import RunState, StepStatus
from console.engine.desk import Limits
from tests.domain.plans import ASKED, TYPED, plan, step
from tests.engine.world import Console, FakeWorld, MemoryJournal, console

ONE = plan(step("a"))
ASKING = plan(step("a", confirmation=ASKED))
ARMING = plan(step("a"), step("b", after=("a",), confirmation=TYPED))


@asynccontextmanager
async def driving(
    plan: Plan, directory: Path, *, world: FakeWorld | None = None, limits: Limits | None = None, start: bool = True
) -> AsyncIterator[Console[MemoryJournal]]:
    """A console whose conductor runs, with the run begun; closed on the way out."""
    run = console(plan, directory, world=world, limits=limits)
    task = asyncio.create_task(run.conductor.run())
    if start:
        await run.conductor.send(i.Start())
    try:
        yield run
    finally:
        await run.conductor.close()
        await task


def status(step: str, *wanted: StepStatus) -> Callable[[RunState], bool]:
    return lambda state: state.steps[step].status in wanted


def in_the_middle_of_it(state: RunState) -> bool:
    """Whether step `a` has begun its work and not ended it."""
    return bool(state.steps["a"].progress)


def kinds(run: Console[MemoryJournal], step: str | None = None) -> list[Kind]:
    return [each.kind for each in run.journal.events() if step is None or each.step == step]


async def yes(run: Console[MemoryJournal], step: str, typed: str = "") -> None:
    """Look at a step and confirm it."""
    await run.conductor.send(i.Look(step))
    await run.conductor.send(i.Confirm(step, run.feed.state.steps[step].preview_digest or "", typed=typed))
