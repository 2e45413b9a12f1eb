"""A run told as events: what the screens show is folded from them, so every state is one that can come about."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from console.domain.events import Event, Kind
from console.domain.fold import fold
from console.domain.outcome import Evidence, Line, Preview, Section
from console.domain.plan import Json, Plan
from console.domain.state import RunState
from console.domain.wire import encode_evidence, encode_lines, encode_preview

BEGIN = datetime(2026, 2, 4, 14, 30, tzinfo=UTC)
DRIVER = "ops@laptop"


class Story:
    """Events of one run, with a clock that only the story moves."""

    def __init__(self, plan: Plan, *, rehearsal: bool = False, pace: float = 1.0) -> None:
        self.plan = plan
        self.now = BEGIN
        self._events: list[Event] = []
        about: dict[str, Json] = {"name": plan.name, "digest": "5f0c9a1e77b24c01"}
        self.tell(Kind.RUN_CREATED, plan=about, rehearsal=rehearsal, pace=pace)
        self.tell(Kind.DRIVER_JOINED, actor=DRIVER, host="laptop")

    @property
    def state(self) -> RunState:
        """The fold of what was told."""
        return fold(self.plan, self._events)

    @property
    def events(self) -> tuple[Event, ...]:
        """What was told, in order."""
        return tuple(self._events)

    def wait(self, seconds: float) -> "Story":
        """Time goes by."""
        self.now += timedelta(seconds=seconds)
        return self

    def tell(self, kind: Kind, step: str | None = None, **data: Json) -> "Story":
        """One more event, now."""
        self._events.append(Event(len(self._events) + 1, self.now, "run-1", DRIVER, kind, step, data))
        return self

    def begin(self) -> "Story":
        """The person let it begin."""
        return self.tell(Kind.RUN_STARTED)

    def preview(self, step: str, preview: Preview) -> "Story":
        """It was looked at."""
        return self.tell(Kind.STEP_PREVIEWED, step, digest=preview.digest, preview=encode_preview(preview))

    def start(self, step: str) -> "Story":
        """It began."""
        attempt = 1 + sum(event.kind is Kind.STEP_STARTED and event.step == step for event in self._events)
        return self.tell(Kind.STEP_STARTED, step, attempt=attempt, before={}, digest=None)

    def succeed(self, step: str, summary: str = "as planned", *sections: Section, **data: Json) -> "Story":
        """It is done."""
        evidence = encode_evidence(Evidence(summary, data, sections))
        return self.tell(Kind.STEP_SUCCEEDED, step, evidence=evidence, by="action", note="", accepted="")

    def run(self, step: str, seconds: float, summary: str = "as planned", **data: Json) -> "Story":
        """It began, took so long, and is done."""
        return self.start(step).wait(seconds).succeed(step, summary, **data)

    def fail(self, step: str, message: str, production: str, remedy: str, *lines: str) -> "Story":
        """It failed."""
        return self.tell(
            Kind.STEP_FAILED,
            step,
            message=message,
            production=production,
            remedy=remedy,
            lines=list(lines),
            reopens=[],
            stopped=False,
        )

    def doubt(self, step: str, known: str, *lines: Line) -> "Story":
        """It has no end, and the probe cannot tell."""
        self.tell(Kind.STEP_UNCERTAIN, step, why="the console ended while it ran")
        return self.tell(
            Kind.STEP_RECONCILED, step, answer="unknown", known=known, lines=encode_lines(lines), by="probe"
        )

    def say_yes(
        self, step: str, preview: Preview, *, ahead: bool = False, limits: Mapping[str, float] | None = None
    ) -> "Story":
        """The person confirmed it."""
        kind = Kind.STEP_ARMED if ahead else Kind.STEP_CONFIRMED
        return self.tell(kind, step, digest=preview.digest, strength="type", limits=dict(limits or {}))
