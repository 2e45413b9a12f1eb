"""What the engine and the actions ask of each other: the step contract, time, the record.

What always holds: an action reads the run only from its context, and tells of itself only through its report.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from console.domain.events import Draft, Event
from console.domain.outcome import Evidence, Preview, Probe, Progress
from console.domain.plan import Json, Plan, Step
from console.domain.state import RunState


class Clock(Protocol):
    """Time. `pause` waits for planned seconds, which the pace of a rehearsal divides; `sleep` for wall seconds."""

    @property
    def pace(self) -> float:
        """By how much planned waits are divided; 1 outside rehearsals."""

    def now(self) -> datetime:
        """The wall time, UTC."""

    def monotonic(self) -> float:
        """Wall seconds since some moment; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait for wall seconds: polling, back-off, time-outs."""

    async def pause(self, planned: float, *, minimum: float = 0.0) -> None:
        """Wait for planned seconds divided by the pace, but at least `minimum` wall seconds."""


class Journal(Protocol):
    """The record of a run; one writer. `append` returns when the event is durable."""

    @property
    def run(self) -> str:
        """The run's id."""

    @property
    def directory(self) -> Path:
        """The run's folder; `artifacts/` lies in it."""

    async def append(self, draft: Draft, *, at: datetime, actor: str) -> Event:
        """Write one event, flushed and synced. Raises JournalError when the disk refuses; then nothing was written."""

    def events(self) -> Sequence[Event]:
        """All events so far, oldest first."""

    @property
    def apart(self) -> str:
        """Why what is recorded here reaches nobody else now: the shared record is lost, or another driver has it.

        Empty while all is well, and where nothing is shared.
        """

    async def confirmed(self) -> bool:
        """Whether what was appended stands in the shared record under our epoch, asked anew where it was lost.

        True where nothing is shared.
        """

    async def close(self) -> None:
        """Give up the lock."""


Report = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Context:
    """What an action is given: the plan, its step, the run so far, and a way to hear that it should stop.

    `before` and `recorded` come from the journal (`step.started` and the durable progress of the current
    attempt) and are what a probe compares the world with. `limits` are the reading limits that the
    confirmation accepted. `stopping()` is asked at safe points: when true, raise `Stopped`.
    """

    plan: Plan
    step: Step
    run: str
    state: RunState
    clock: Clock
    artifacts: Path
    before: Mapping[str, Json] = field(default_factory=dict)
    recorded: tuple[Mapping[str, Json], ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    attempt: int = 1
    stopping: Callable[[], bool] = lambda: False

    @property
    def marker(self) -> str:
        """`rc/<run>/<step>`: marks connections and whatever the console creates."""
        return f"rc/{self.run}/{self.step.id}"


class Action(Protocol):
    """The code behind a step."""

    @property
    def destructive(self) -> bool:
        """Whether it changes production; then it performs only with a confirmation."""

    async def preview(self, ctx: Context) -> Preview:
        """What it will do. Reads only. Raises StepFailed when it cannot be done as things are."""

    async def probe(self, ctx: Context) -> Probe:
        """Whether it was done since `ctx.before`. Reads only."""

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Do it, bounded in time. Raises StepFailed (or ServiceError) with what state production is in."""

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Look from outside whether it worked. Raises VerificationFailed with the difference."""
