"""A run's history for tests: intents decided, events appended with times of their own, the state folded."""

from datetime import UTC, datetime, timedelta

from console.domain.consequences import consequences
from console.domain.decide import decide
from console.domain.events import Draft, Event, Kind
from console.domain.fold import apply, initial
from console.domain.intents import Confirm, Intent, Start
from console.domain.outcome import Evidence, Fact, Preview, Reading
from console.domain.plan import Json, Plan
from console.domain.state import RunState, StepState
from console.domain.wire import encode_evidence, encode_preview, plan_digest

BEGIN = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)
ACTOR = "ops@laptop"


class History:
    """A run that tests move on by hand. Every event is a second after the one before, unless time is let pass."""

    def __init__(self, plan: Plan, *, rehearsal: bool = False, pace: float = 1.0) -> None:
        self.plan = plan
        self.state: RunState = initial(plan)
        self.events: list[Event] = []
        self.now = BEGIN
        self.happen(
            Kind.RUN_CREATED, plan={"name": plan.name, "digest": plan_digest(plan)}, rehearsal=rehearsal, pace=pace
        )

    def begin(self) -> "History":
        """Let the run begin."""
        return self.ask(Start())

    def ask(self, intent: Intent) -> "History":
        """Have an intent decided and its events happen. Raises Refused."""
        return self.append(*decide(self.state, intent, ACTOR))

    def append(self, *drafts: Draft) -> "History":
        """Let drafts happen, and what follows from them."""
        for draft in drafts:
            self.now += timedelta(seconds=1)
            event = Event(len(self.events) + 1, self.now, "r1", ACTOR, draft.kind, draft.step, draft.data)
            self.events.append(event)
            self.state = apply(self.state, event)
        follow_up = consequences(self.state)
        return self.append(*follow_up) if follow_up else self

    def happen(self, kind: Kind, step: str | None = None, **data: Json) -> "History":
        """Let one event happen."""
        return self.append(Draft(kind, step, data))

    def wait(self, seconds: float) -> "History":
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    def look(self, step: str, fact: str = "1", *, readings: tuple[Reading, ...] = ()) -> str:
        """Let a preview be taken; its digest."""
        preview = Preview("It does it.", facts=(Fact("fact", fact),), readings=readings)
        self.happen(Kind.STEP_PREVIEWED, step, digest=preview.digest, preview=encode_preview(preview))
        return preview.digest

    def confirm(self, step: str) -> "History":
        """Look at a step and say yes to it, typing what must be typed."""
        digest = self.look(step)
        asked = self.plan.step(step).confirmation
        return self.ask(Confirm(step, digest, typed=asked.phrase if asked is not None else ""))

    def start(self, step: str, **before: Json) -> "History":
        """Let a step start."""
        return self.happen(
            Kind.STEP_STARTED, step, attempt=self.state.steps[step].attempt + 1, before=before, digest=None
        )

    def succeed(self, *steps: str, seconds: float = 0.0, **data: Json) -> "History":
        """Let steps start and succeed, with this evidence."""
        for step in steps:
            self.start(step).wait(seconds)
            evidence = encode_evidence(Evidence(f"{step} is done", data))
            self.happen(Kind.STEP_SUCCEEDED, step, evidence=evidence, by="action", note="", accepted="")
        return self

    def fail(self, step: str, message: str = "it broke", **more: Json) -> "History":
        """Let a step start and fail."""
        return self.start(step).happen(Kind.STEP_FAILED, step, **{"message": message, "production": "", **more})

    def step(self, step: str) -> StepState:
        """A step as it stands."""
        return self.state.steps[step]


def pushed(history: History) -> History:
    """The release plan's run up to the push."""
    history.begin().succeed("backup", "proof")
    history.confirm("merge").succeed("merge", commit="c" * 40)
    return history.confirm("push").succeed("push", commit="c" * 40)


def over(history: History) -> History:
    """The release plan's run up to the signatures."""
    pushed(history).succeed("backend", "frontend")
    return history.confirm("migrate").succeed("migrate", "test").happen(Kind.STEP_TICKED, "call", note="called")
