"""A world of fakes for the engine: actions with real side effects on a dictionary, a clock that never waits."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from console.domain.events import Draft, Event
from console.domain.fold import initial
from console.domain.outcome import Done, Evidence, Fact, NotDone, Preview, Probe, Progress, Reading
from console.domain.plan import Plan, Step
from console.domain.state import RunState
from console.engine.conductor import About, Conductor
from console.engine.desk import Limits
from console.engine.feed import RunFeed
from console.engine.incident import IncidentDesk
from console.errors import JournalError
from console.ports import Context, Journal, Report


class FakeClock:
    """Time that passes only when somebody waits; every reading of it is a millisecond later than the last."""

    def __init__(self, pace: float = 1.0) -> None:
        self.pace = pace
        self.time = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async def pause(self, planned: float, *, minimum: float = 0.0) -> None:
        await self.sleep(max(planned / self.pace, minimum))


class SimulatedDeath(BaseException):
    """The process is killed here."""


class MemoryJournal:
    """A journal in memory. `before` and `after` are called with the number of the event around its writing."""

    def __init__(self, directory: Path, events: Sequence[Event] = ()) -> None:
        self._directory = directory
        self._events = list(events)
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[int], None] = lambda _: None

    @property
    def run(self) -> str:
        return "20260204-200000-test"

    @property
    def directory(self) -> Path:
        return self._directory

    async def append(self, draft: Draft, *, at: datetime, actor: str) -> Event:
        number = len(self._events) + 1
        self.before(number)
        await asyncio.sleep(0)
        event = Event(number, at, self.run, actor, draft.kind, draft.step, draft.data)
        self._events.append(event)
        self.after(number)
        return event

    def events(self) -> Sequence[Event]:
        return self._events

    @property
    def apart(self) -> str:
        return ""

    async def confirmed(self) -> bool:
        return True

    async def close(self) -> None:
        return None


@dataclass
class FakeWorld:
    """What the fake actions change: how often each step's work was done. Outlives every console."""

    done: Counter[str] = field(default_factory=Counter)
    facts: dict[str, str] = field(default_factory=dict)
    readings: dict[str, tuple[Reading, ...]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    probes: dict[str, list[Probe]] = field(default_factory=dict)
    preview_errors: dict[str, list[Exception]] = field(default_factory=dict)
    perform_errors: dict[str, list[Exception]] = field(default_factory=dict)
    lost_answers: dict[str, list[Exception]] = field(default_factory=dict)
    verify_errors: dict[str, list[Exception]] = field(default_factory=dict)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    kind: "type[FakeAction] | None" = None
    """Another kind of action, for tests that need one."""

    def action(self, step: Step) -> "FakeAction":
        return (self.kind or FakeAction)(self, step)


@dataclass
class FakeAction:
    """An action whose work is one increment in the world. Errors queued in the world come first."""

    world: FakeWorld
    step: Step

    @property
    def destructive(self) -> bool:
        return self.step.action in ("source.push", "migrate.run")

    async def preview(self, ctx: Context) -> Preview:
        self._called("preview")
        await asyncio.sleep(0)
        _raise_next(self.world.preview_errors, self.step.id)
        return Preview(
            summary=f"Does {self.step.id}",
            facts=(Fact("fact", self.world.facts.get(self.step.id, "1")),),
            readings=self.world.readings.get(self.step.id, ()),
            before={"count": self.world.done[self.step.id]},
        )

    async def probe(self, ctx: Context) -> Probe:
        self._called("probe")
        await asyncio.sleep(0)
        queued = self.world.probes.get(self.step.id)
        if queued:
            return queued.pop(0)
        before = ctx.before.get("count", 0)
        assert isinstance(before, int)
        if self.world.done[self.step.id] > before:
            return Done(self._evidence())
        return NotDone("the world's counter did not move")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        self._called("perform")
        await report(Progress("begun", share=0.0, durable=True, data={"attempt": ctx.attempt}))
        gate = self.world.gates.get(self.step.id)
        if gate is not None:
            await gate.wait()
        _raise_next(self.world.perform_errors, self.step.id)
        self.world.done[self.step.id] += 1
        _raise_next(self.world.lost_answers, self.step.id)
        await report(Progress("done", share=1.0))
        return self._evidence()

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        self._called("verify")
        await asyncio.sleep(0)
        _raise_next(self.world.verify_errors, self.step.id)

    def _evidence(self) -> Evidence:
        commit = {"commit": "c" * 40} if self.step.action in ("source.merge", "source.push") else {}
        return Evidence(f"{self.step.id} is done", data={"count": self.world.done[self.step.id], **commit})

    def _called(self, what: str) -> None:
        self.world.calls[f"{self.step.id}.{what}"] += 1


def _raise_next(errors: dict[str, list[Exception]], step_id: str) -> None:
    if errors.get(step_id):
        raise errors[step_id].pop(0)


J = TypeVar("J", bound=Journal)


@dataclass
class Console(Generic[J]):
    """A conductor over a journal and a fake world, with its feed."""

    plan: Plan
    world: FakeWorld
    journal: J
    clock: FakeClock
    feed: RunFeed
    conductor: Conductor


def console(
    plan: Plan,
    directory: Path,
    *,
    world: FakeWorld | None = None,
    journal: MemoryJournal | None = None,
    limits: Limits | None = None,
    redact: Callable[[str], str] = lambda text: text,
    rehearsal: bool = True,
) -> Console[MemoryJournal]:
    """A console that drives `plan`; give `world` and `journal` of an earlier one to take its run up again."""
    return console_over(
        plan,
        journal or MemoryJournal(directory),
        world or FakeWorld(),
        limits=limits,
        redact=redact,
        rehearsal=rehearsal,
    )


def console_over(
    plan: Plan,
    journal: J,
    world: FakeWorld,
    *,
    limits: Limits | None = None,
    redact: Callable[[str], str] = lambda text: text,
    rehearsal: bool = True,
    incident: IncidentDesk | None = None,
) -> Console[J]:
    """A console over any journal."""
    clock = FakeClock()
    feed = RunFeed(initial(plan))
    about = About("ops@laptop", host="laptop", rehearsal=rehearsal)
    conductor = Conductor(
        plan, journal, world.action, clock, feed, about, redact=redact, limits=limits, incident=incident
    )
    return Console(plan, world, journal, clock, feed, conductor)


def disk_full(at: int) -> Callable[[int], None]:
    """A disk that is full from the event with this number on."""

    def refuse(number: int) -> None:
        if number >= at:
            raise JournalError("The journal cannot be written: No space left on device.", remedy="Make room.")

    return refuse


async def until(feed: RunFeed, condition: Callable[[RunState], bool]) -> RunState:
    """Wait until the run's state fulfils a condition; the state then."""
    moved = asyncio.Event()
    unsubscribe = feed.subscribe(lambda _: moved.set())
    try:
        async with asyncio.timeout(5):
            while not condition(feed.state):
                moved.clear()
                await moved.wait()
    finally:
        unsubscribe()
    return feed.state
