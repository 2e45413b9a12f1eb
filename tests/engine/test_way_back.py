"""The way back as the engine goes it: chosen on an assessment, driven like any plan, and safe to die in anywhere."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.fold import fold
from console.domain.plan import Channel
from console.domain.rollback import TITLES, verdicts
from console.domain.standing import Assessment, Runs, Schema, ServiceStanding, Standing, Way, WayBack
from console.domain.state import RunState, RunStatus, StepStatus
from console.domain.summary import production_sentence
from console.domain.wire import format_time
from console.engine.autopilot import Autopilot, Ending, Outcome
from console.engine.incident import IncidentDesk
from console.errors import Refused, StepFailed
from console.ports import Clock
from tests.domain.plans import release_plan
from tests.engine.test_death import die_at
from tests.engine.world import Console, FakeWorld, MemoryJournal, SimulatedDeath, console_over, until

PLAN = replace(release_plan(), channels=(Channel("team", "env:TEAM"), Channel("board", "env:BOARD")))
MIGRATED = Standing(
    pushed=True,
    services=(ServiceStanding("backend", "crm-api", "c" * 40, Runs.NEW),),
    schema=Schema.NEW,
    postgres_id="dpg-1",
    database="crm",
    saved_copy="accounts_before_020",
    recoverable=True,
)


@dataclass
class FakeAssessor:
    """Sees the standing that it is given; `errors` come first."""

    standing: Standing = MIGRATED
    errors: list[Exception] = field(default_factory=list)

    async def assess(self, state: RunState, clock: Clock) -> Assessment:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        ways = [
            WayBack(v.way, TITLES[v.way], v.applies, v.restores, v.recommended, v.why) for v in verdicts(self.standing)
        ]
        return Assessment(format_time(clock.now()), self.standing, tuple(ways))


@dataclass
class FakeNotifier:
    """Keeps what was sent; `down` names the channels that fail."""

    down: set[str] = field(default_factory=set)
    sent: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, subject: str, text: str, channels: Sequence[str] = ()) -> Mapping[str, str]:
        await asyncio.sleep(0)
        self.sent += [(channel, subject) for channel in channels if channel not in self.down]
        return {channel: "the channel refused it" if channel in self.down else "" for channel in channels}


def broken() -> FakeWorld:
    """A world in which the migration fails, and goes on failing."""
    return FakeWorld(perform_errors={"migrate": [StepFailed("a KPI breaks", production="The dashboard is down.")] * 9})


def over(
    directory: Path, world: FakeWorld, journal: MemoryJournal | None = None, desk: IncidentDesk | None = None
) -> Console[MemoryJournal]:
    desk = desk or IncidentDesk(FakeAssessor(), FakeNotifier())
    return console_over(PLAN, journal or MemoryJournal(directory), world, incident=desk)


async def fly(run: Console[MemoryJournal], way: str | None = "recommended") -> tuple[RunState, Outcome]:
    driving = asyncio.create_task(run.conductor.run())
    async with asyncio.timeout(10):
        outcome = await Autopilot(run.conductor, run.feed, way_back=way).drive()
    await run.conductor.close()
    return await driving, outcome


async def test_a_failure_is_answered_by_the_recommended_way(tmp_path: Path) -> None:
    world = broken()
    state, outcome = await fly(over(tmp_path, world))
    assert (outcome.ending, state.outcome) == (Ending.CLOSED, "rolled_back")
    assert state.rollback is not None
    assert state.rollback.way is Way.SCHEMA
    assert state.incidents[0].reason.startswith("migrate: a KPI breaks")
    assert state.incidents[0].closed_at is not None
    assert state.steps["migrate"].status is StepStatus.FAILED, "what was set aside stands as it stood"
    assert {each.step.id for each in state.active if each.status is StepStatus.SKIPPED} == {"back.discard_copy"}
    assert all(
        world.done[each.step.id] == 1
        for each in state.active
        if each.status is StepStatus.SUCCEEDED and each.step.action
    )
    assert state.postmortem is not None


async def test_another_way_may_be_asked_for(tmp_path: Path) -> None:
    state, _ = await fly(over(tmp_path, broken()), "database")
    assert state.rollback is not None
    assert state.rollback.way is Way.DATABASE
    assert state.rollback.reason
    assert state.outcome == "rolled_back"


async def test_a_way_that_does_not_apply_leaves_the_run_open(tmp_path: Path) -> None:
    state, outcome = await fly(over(tmp_path, broken()), "backup")
    assert outcome.ending is Ending.STOPPED
    assert "There is no verified backup" in outcome.message
    assert state.incident_at is not None
    assert state.outcome == ""


async def test_a_failure_of_the_way_back_is_for_a_person(tmp_path: Path) -> None:
    world = broken()
    world.perform_errors["back.schema"] = [StepFailed("the lock was not given", production="Production is fenced.")]
    run = over(tmp_path, world)
    _, outcome = await fly(run)
    assert (outcome.ending, outcome.step) == (Ending.STOPPED, "back.schema")
    again = over(tmp_path, world, MemoryJournal(tmp_path, run.journal.events()))
    driving = asyncio.create_task(again.conductor.run())
    async with asyncio.timeout(10):
        outcome = await Autopilot(again.conductor, again.feed, way_back="recommended", retry_failed=True).drive()
    await again.conductor.close()
    assert (await driving).outcome == "rolled_back"
    assert world.done["back.push"] == 1, "what was done is not done again"


async def test_dying_at_every_event_boundary_of_a_way_back_changes_nothing(tmp_path: Path) -> None:
    """From the declaration to the end, whichever way: everything was done once, everybody told."""
    whole = over(tmp_path, broken())
    expected, _ = await fly(whole, "database")
    events = whole.journal.events()
    begin = next(each.seq for each in events if each.kind is Kind.INCIDENT_DECLARED)
    assert len(events) - begin > 60
    for number in range(begin, len(events) + 1):
        for moment in ("before", "after"):
            journal, world = MemoryJournal(tmp_path), broken()
            setattr(journal, moment, die_at(number))
            state = await to_the_end(tmp_path, world, journal)
            assert state.outcome == "rolled_back", f"killed {moment} event {number}"
            assert end_of(state) == end_of(expected), f"killed {moment} event {number}"
            doubled = {step: count for step, count in world.done.items() if count != 1}
            assert not doubled, f"killed {moment} event {number}: {doubled}"


async def to_the_end(directory: Path, world: FakeWorld, journal: MemoryJournal) -> RunState:
    """Drive a run, and take it up again when it was killed."""
    for _ in range(2):
        run = over(directory, world, journal)
        driving = asyncio.create_task(run.conductor.run())
        flying = asyncio.create_task(Autopilot(run.conductor, run.feed, way_back="database").drive())
        done, _ = await asyncio.wait({driving, flying}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert done
        if flying in done:
            await run.conductor.close()
        flying.cancel()
        ended = (await asyncio.gather(driving, flying, return_exceptions=True))[0]
        journal = MemoryJournal(directory, run.journal.events())
        if not isinstance(ended, SimulatedDeath):
            break
    return fold(PLAN, journal.events())


def end_of(state: RunState) -> object:
    """What must be the same however often the console died."""
    steps = {each.step.id: each.status for each in state.steps.values()}
    told = {each.id: sorted(each.deliveries) for each in state.messages.values()}
    assert all(channels == ["board", "team"] for channels in told.values())
    return state.status, state.outcome, steps, told, len(state.incidents), len(state.rollbacks)


async def test_a_message_that_does_not_arrive_is_told_retried_and_blocks_nothing(tmp_path: Path) -> None:
    notifier = FakeNotifier(down={"board"})
    run = over(tmp_path, broken(), desk=IncidentDesk(FakeAssessor(), notifier))
    driving = asyncio.create_task(run.conductor.run())
    await run.conductor.send(i.DeclareIncident("the dashboard is down"))
    state = await until(run.feed, lambda state: bool(state.messages))
    message = state.messages["declared:1"]
    await run.conductor.send(i.SendMessage(message.id, "We are on it", "The dashboard is down."))
    told = run.feed.state.messages["declared:1"]
    assert told.subject == "We are on it"
    assert {each.channel: each.error for each in told.deliveries.values()} == {
        "team": "",
        "board": "the channel refused it",
    }
    notifier.down.clear()
    await run.conductor.send(i.SendMessage(message.id, told.subject, told.text))
    assert notifier.sent == [("team", "We are on it"), ("board", "We are on it")], "whom it reached is not told twice"
    with pytest.raises(Refused, match="delivered on every channel"):
        await run.conductor.send(i.SendMessage(message.id, told.subject, told.text))
    await run.conductor.close()
    await driving


async def test_stakeholders_are_not_called_notified_while_words_still_wait(tmp_path: Path) -> None:
    """The step begins when every message is sent or dropped; nothing else waits for it but the papers."""
    run = over(tmp_path, FakeWorld())
    driving = asyncio.create_task(run.conductor.run())
    send = run.conductor.send
    await send(i.DeclareIncident("the dashboard is down"))
    await send(i.Assess())
    assert run.feed.state.assessment is not None
    await send(i.ChooseWay("schema", run.feed.state.assessment.at))
    for step, typed in (("push", "main"), ("schema", "crm"), ("previous", "")):
        await until(run.feed, lambda state, step=step: state.steps[f"back.{step}"].status is StepStatus.READY)
        await send(i.Look(f"back.{step}"))
        digest = run.feed.state.steps[f"back.{step}"].preview_digest or ""
        asked = run.feed.state.steps[f"back.{step}"].step.confirmation
        await send(i.Confirm(f"back.{step}", digest, typed=asked.phrase if typed and asked else ""))
    state = await until(run.feed, lambda state: state.steps["back.told"].status is StepStatus.READY)
    state = await until(run.feed, lambda state: not state.running and len(state.messages) == 3)
    assert state.attention[0].step.id == "back.told"
    for message in state.messages.values():
        await send(i.SendMessage(message.id, message.subject, message.text))
    await until(run.feed, lambda state: state.steps["back.told"].status is StepStatus.SUCCEEDED)
    await run.conductor.close()
    await driving


async def test_what_is_set_aside_neither_starts_nor_can_be_steered(tmp_path: Path) -> None:
    run = over(tmp_path, FakeWorld(gates={"back.hold": asyncio.Event()}))
    driving = asyncio.create_task(run.conductor.run())
    send = run.conductor.send
    await send(i.DeclareIncident("the dashboard is down"))
    with pytest.raises(Refused, match="Nobody has looked"):
        await send(i.ChooseWay("schema", "2026-02-04T20:00:00.000Z"))
    await send(i.Assess())
    assessment = run.feed.state.assessment
    assert assessment is not None
    with pytest.raises(Refused, match="not the recommended way"):
        await send(i.ChooseWay("database", assessment.at))
    with pytest.raises(Refused, match="cannot be gone"):
        await send(i.ChooseWay("nothing", assessment.at, "why not"))
    await send(i.ChooseWay("schema", assessment.at))
    state = await until(run.feed, lambda state: bool(state.running))
    assert {each.step.id for each in state.running} <= {"back.hold", "back.revert"}
    assert state.status is RunStatus.RUNNING
    with pytest.raises(Refused, match="set aside"):
        await send(i.Skip("push", "not needed"))
    with pytest.raises(Refused, match="A way back is being gone"):
        await send(i.CloseIncident("over"))
    with pytest.raises(Refused, match="Still running"):
        await send(i.DropWay("another one"))
    await run.conductor.close()
    await driving


async def test_a_way_that_was_dropped_leaves_room_for_another(tmp_path: Path) -> None:
    run = over(tmp_path, FakeWorld(perform_errors={"back.hold": [StepFailed("no answer")]}))
    driving = asyncio.create_task(run.conductor.run())
    send = run.conductor.send
    await send(i.DeclareIncident("the dashboard is down"))
    await send(i.Assess())
    at = run.feed.state.assessment.at if run.feed.state.assessment else ""
    await send(i.ChooseWay("schema", at))
    await until(run.feed, lambda state: state.steps["back.hold"].status is StepStatus.FAILED and not state.running)
    await send(i.DropWay("the provider does not answer"))
    assert run.feed.state.rollback is None
    assert run.feed.state.status is RunStatus.HELD
    state = await until(run.feed, lambda state: bool(state.messages["chosen:1"].dropped))
    assert state.messages["declared:1"].waits, "what is still true may still be said"
    with pytest.raises(Refused, match="Nobody has looked"):
        await send(i.ChooseWay("database", at, "the saved copy is damaged"))
    await send(i.Assess())
    at = run.feed.state.assessment.at if run.feed.state.assessment else ""
    await send(i.ChooseWay("database", at, "the saved copy is damaged"))
    state = run.feed.state
    assert state.rollback is not None
    assert state.rollback.steps[0] == "back2.hold"
    assert [each.dropped for each in state.rollbacks] == ["the provider does not answer", ""]
    await run.conductor.close()
    await driving


async def test_nothing_goes_on_while_a_fence_that_was_left_keeps_users_out(tmp_path: Path) -> None:
    """A dropped way leaves its fence: the incident stays open until users are in again, by a way or by hand."""
    assessor = FakeAssessor()
    world = FakeWorld(gates={"back.revert": asyncio.Event()})
    run = over(tmp_path, world, desk=IncidentDesk(assessor))
    driving = asyncio.create_task(run.conductor.run())
    send = run.conductor.send
    await send(i.Start())
    await send(i.DeclareIncident("the dashboard is down"))
    await until(run.feed, lambda state: not state.running)
    await send(i.Assess())
    at = run.feed.state.assessment.at if run.feed.state.assessment else ""
    await send(i.ChooseWay("database", at, "the saved copy is damaged"))
    await until(run.feed, lambda state: state.steps["back.fence"].status is StepStatus.READY)
    await send(i.Look("back.fence"))
    await send(i.Confirm("back.fence", run.feed.state.steps["back.fence"].preview_digest or ""))
    await until(run.feed, lambda state: state.steps["back.fence"].status is StepStatus.SUCCEEDED)
    world.gates["back.revert"].set()
    await until(run.feed, lambda state: not state.running)
    await send(i.DropWay("the provider does not recover"))
    assert run.feed.state.assessment is None
    with pytest.raises(Refused, match="Users are kept out"):
        await send(i.CloseIncident("it is over"))
    assessor.standing = replace(MIGRATED, fenced=True)
    await send(i.Assess())
    with pytest.raises(Refused, match="Users are kept out"):
        await send(i.CloseIncident("it is over"))
    assert "Users are kept out" in production_sentence(run.feed.state)
    assessor.standing = MIGRATED
    await send(i.Assess())
    await send(i.CloseIncident("opened by hand in the dashboard"))
    assert "Users are kept out" not in production_sentence(run.feed.state)
    await run.conductor.close()
    await driving


async def test_what_was_seen_does_not_stand_for_what_a_step_made_of_it_since(tmp_path: Path) -> None:
    world = FakeWorld(gates={"migrate": asyncio.Event()})
    run = over(tmp_path, world)
    driving = asyncio.create_task(run.conductor.run())
    flying = asyncio.create_task(Autopilot(run.conductor, run.feed).drive())
    await until(run.feed, lambda state: state.steps["migrate"].status is StepStatus.RUNNING)
    await run.conductor.send(i.Assess())
    assert run.feed.state.assessment is not None
    world.gates["migrate"].set()
    await until(run.feed, lambda state: state.steps["migrate"].over)
    assert run.feed.state.assessment is None
    flying.cancel()
    await asyncio.gather(flying, return_exceptions=True)
    await run.conductor.close()
    await driving


async def test_a_world_that_cannot_be_seen_is_told_and_may_be_looked_at_again(tmp_path: Path) -> None:
    desk = IncidentDesk(FakeAssessor(errors=[StepFailed("the provider does not answer", remedy="Wait.")]))
    run = over(tmp_path, FakeWorld(), desk=desk)
    driving = asyncio.create_task(run.conductor.run())
    with pytest.raises(Refused, match="could not be seen: the provider does not answer"):
        await run.conductor.send(i.Assess())
    await run.conductor.send(i.Assess())
    assert run.feed.state.assessment is not None
    await run.conductor.close()
    await driving
