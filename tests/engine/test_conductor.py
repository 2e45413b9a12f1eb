"""A run from its first event to its last, over a fake world."""

import asyncio
from pathlib import Path

from console.domain.state import RunState
from console.engine.autopilot import Autopilot, Ending, Outcome
from tests.domain.plans import release_plan
from tests.engine.world import Console, console


async def unattended(run: Console, *, retry_failed: bool = False) -> tuple[RunState, Outcome]:
    """Drive a run by the autopilot until that stops."""
    driving = asyncio.create_task(run.conductor.run())
    outcome = await Autopilot(run.conductor, run.feed, retry_failed=retry_failed).drive()
    await run.conductor.close()
    return await driving, outcome


async def test_an_undisturbed_run_is_completed_and_does_everything_once(tmp_path: Path) -> None:
    run = console(release_plan(), tmp_path)
    state, outcome = await unattended(run)
    assert outcome == Outcome(Ending.COMPLETED, production=state.production)
    assert set(run.world.done.values()) == {1}
    assert all(each.over for each in state.steps.values())
    assert all(each.met for each in state.criteria.values())
    assert all(each.given for each in state.signoffs.values())
