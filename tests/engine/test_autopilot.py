"""An unattended rehearsal: what it does by itself, and where it stops for a person."""

import asyncio
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.outcome import Preview, Unknown
from console.domain.plan import Plan, SignOff
from console.domain.state import RunState, RunStatus, StepStatus
from console.engine.autopilot import Autopilot, Ending, Outcome
from console.engine.clock import WallClock
from console.errors import OutcomeUnknown, StepFailed
from console.ports import Context
from tests.domain.plans import ASKED, plan, release_plan, signature, step
from tests.engine.world import Console, FakeAction, FakeWorld, MemoryJournal, console, disk_full, until


async def fly(run: Console[MemoryJournal], *, retry_failed: bool = False) -> tuple[RunState, Outcome]:
    """Drive a run by the autopilot until that stops."""
    driving = asyncio.create_task(run.conductor.run())
    async with asyncio.timeout(10):
        outcome = await Autopilot(run.conductor, run.feed, retry_failed=retry_failed).drive()
    await run.conductor.close()
    return await driving, outcome


def again(run: Console[MemoryJournal], plan: Plan) -> Console[MemoryJournal]:
    """The next console over the same world and journal."""
    return console(
        plan, run.journal.directory, world=run.world, journal=MemoryJournal(run.journal.directory, run.journal.events())
    )


async def test_an_undisturbed_run_is_completed_and_does_everything_once(tmp_path: Path) -> None:
    run = console(release_plan(), tmp_path)
    state, outcome = await fly(run)
    assert outcome == Outcome(Ending.COMPLETED, production=state.production)
    assert set(run.world.done.values()) == {1}
    assert all(each.over for each in state.steps.values())
    assert all(each.met for each in state.criteria.values())
    assert [each.name for each in state.signoffs.values()] == ["rehearsal:owner", "rehearsal:qa"]


async def test_the_migration_is_armed_while_the_services_build(tmp_path: Path) -> None:
    world = FakeWorld(gates={"backend": asyncio.Event()})
    run = console(release_plan(), tmp_path, world=world)
    flying = asyncio.create_task(fly(run))
    await until(run.feed, lambda state: state.steps["migrate"].status is StepStatus.ARMED)
    assert run.feed.state.steps["backend"].status is StepStatus.RUNNING
    world.gates["backend"].set()
    assert (await flying)[1].ending is Ending.COMPLETED


async def test_a_failure_holds_the_run_lets_others_end_and_stays_open(tmp_path: Path) -> None:
    world = FakeWorld(
        perform_errors={"backend": [StepFailed("build failed", production="old backend serves", remedy="fix it")]},
        gates={"frontend": asyncio.Event()},
    )
    run = console(release_plan(), tmp_path, world=world)
    flying = asyncio.create_task(fly(run))
    await until(run.feed, lambda state: state.status is RunStatus.HELD)
    assert not flying.done()
    world.gates["frontend"].set()
    state, outcome = await flying
    assert outcome == Outcome(Ending.STOPPED, "backend", "build failed", "old backend serves", "fix it")
    assert state.steps["frontend"].status is StepStatus.SUCCEEDED
    assert world.done["migrate"] == 0
    assert state.outcome == ""


async def test_a_preview_that_fails_stops_it_too(tmp_path: Path) -> None:
    world = FakeWorld(preview_errors={"merge": [StepFailed("conflict in a.js")] * 2})
    _, outcome = await fly(console(release_plan(), tmp_path, world=world))
    assert (outcome.ending, outcome.step, outcome.message) == (Ending.STOPPED, "merge", "conflict in a.js")


async def test_what_nobody_can_tell_is_left_to_a_person(tmp_path: Path) -> None:
    world = FakeWorld(lost_answers={"push": [OutcomeUnknown("lost")]}, probes={"push": [Unknown("the tip moved on")]})
    state, outcome = await fly(console(release_plan(), tmp_path, world=world))
    assert (outcome.ending, outcome.step, outcome.message) == (Ending.STOPPED, "push", "the tip moved on")
    assert state.steps["push"].status is StepStatus.UNCERTAIN


async def test_taken_up_again_it_tries_what_had_failed_once_more(tmp_path: Path) -> None:
    world = FakeWorld(perform_errors={"push": [StepFailed("the target has moved")]})
    first = console(release_plan(), tmp_path, world=world)
    _, outcome = await fly(first)
    assert outcome.step == "push"
    _, outcome = await fly(again(first, release_plan()))
    assert outcome.step == "push", "nobody asked for another try"
    state, outcome = await fly(again(first, release_plan()), retry_failed=True)
    assert outcome.ending is Ending.COMPLETED
    assert world.done["merge"] == 2, "a refused push sends the run back to the merge"
    assert state.steps["push"].attempt == 2


async def test_facts_that_keep_changing_stop_it(tmp_path: Path) -> None:
    class Restless(FakeAction):
        async def preview(self, ctx: Context) -> Preview:
            self.world.facts["a"] = str(self.world.calls["a.preview"])
            return await super().preview(ctx)

    run = console(plan(step("a", confirmation=ASKED)), tmp_path, world=FakeWorld(kind=Restless))
    _, outcome = await fly(run)
    assert outcome.ending is Ending.STOPPED
    assert "The world has changed" in outcome.message
    assert run.world.done["a"] == 0


async def test_a_record_that_cannot_be_written_stops_it(tmp_path: Path) -> None:
    run = console(release_plan(), tmp_path)
    run.journal.before = disk_full(12)
    driving = asyncio.create_task(run.conductor.run())
    outcome = await Autopilot(run.conductor, run.feed).drive()
    assert outcome.ending is Ending.STOPPED
    assert "No space left" in outcome.message
    await asyncio.gather(driving, return_exceptions=True)


async def test_only_rehearsals_are_driven_so(tmp_path: Path) -> None:
    run = console(release_plan(), tmp_path, rehearsal=False)
    state, outcome = await fly(run)
    assert outcome.ending is Ending.STOPPED
    assert "Only a rehearsal" in outcome.message
    assert state.status is RunStatus.NOT_STARTED


async def test_an_open_incident_is_for_a_person(tmp_path: Path) -> None:
    run = console(release_plan(), tmp_path, world=FakeWorld(gates={"backup": asyncio.Event()}))
    flying = asyncio.create_task(fly(run))
    await until(run.feed, lambda state: bool(state.running))
    await run.conductor.send(i.DeclareIncident("dashboards are down"))
    run.world.gates["backup"].set()
    _, outcome = await flying
    assert outcome.message == "An incident is open: dashboards are down"


async def test_what_is_missing_for_the_end_is_said(tmp_path: Path) -> None:
    """A signature without a step of its own: nobody is asked for it, so the run cannot be completed."""
    run = console(plan(step("a"), signoffs=(SignOff("ceo", "The boss"),)), tmp_path)
    _, outcome = await fly(run)
    assert outcome.ending is Ending.STOPPED
    assert "The boss has not signed" in outcome.message


async def test_its_signatures_are_marked(tmp_path: Path) -> None:
    run = console(plan(signature("qa", after=()), signoffs=(SignOff("qa", "QA lead"),)), tmp_path)
    await fly(run)
    signed = next(each for each in run.journal.events() if each.kind is Kind.SIGNOFF_GIVEN)
    assert signed.data["name"] == "rehearsal:qa"
    assert signed.data["by_voice"] is False


class TestClock:
    async def test_the_pace_divides_planned_waits_and_nothing_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        monkeypatch.setattr(asyncio, "sleep", sleep)
        clock = WallClock(pace=60.0)
        await clock.pause(1800.0)
        await clock.pause(60.0, minimum=5.0)
        await clock.sleep(3.0)
        assert slept == [30.0, 5.0, 3.0]

    def test_it_tells_the_time_in_utc_and_never_goes_back(self) -> None:
        clock = WallClock()
        assert clock.now().utcoffset() is not None
        assert clock.monotonic() <= clock.monotonic()
        assert clock.pace == 1.0

    @pytest.mark.parametrize("pace", [0.0, -1.0])
    def test_a_pace_that_is_none_is_refused(self, pace: float) -> None:
        with pytest.raises(ValueError, match="above 0"):
            WallClock(pace)
