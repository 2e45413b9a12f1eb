"""The state of a run: a pure fold of its events (`console.domain.fold`), and what can be asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from console.domain.incident import IncidentState, MessageState, PostmortemState, RollbackState
from console.domain.outcome import Evidence, Line, Preview
from console.domain.plan import Json, Plan, Step
from console.domain.shared import Received
from console.domain.standing import Assessment

MESSAGES = "messages"
"""The parameter `asks` of a step that begins when no drafted message waits any more."""


class StepStatus(StrEnum):
    """Where a step stands.

    WAITING: a predecessor is not over. READY: it could start (and does by itself, unless it needs a
    person or the run is held). ARMED: confirmed, starts as soon as it may. RUNNING. SUCCEEDED. FAILED.
    UNCERTAIN: it was started and has no end. SKIPPED.
    """

    WAITING = "waiting"
    READY = "ready"
    ARMED = "armed"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


OVER = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED})


class RunStatus(StrEnum):
    """Whether steps may start by themselves."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    HELD = "held"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Yes:
    """A confirmation that was given and is not yet used: bound to the digest of what was shown."""

    digest: str
    actor: str
    at: datetime
    limits: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step failed, what state production is in, what to do next."""

    message: str
    production: str
    remedy: str
    lines: tuple[str, ...] = ()
    reopens: tuple[str, ...] = ()
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt that ended without success left: its `before` and its durable progress, oldest first.

    The next attempt reads it, so that nothing is done twice and nothing is left lying.
    """

    before: Mapping[str, Json] = field(default_factory=dict)
    progress: tuple[Mapping[str, Json], ...] = ()


class StepState(msgspec.Struct, frozen=True):
    """Everything the events say about one step."""

    step: Step
    status: StepStatus = StepStatus.WAITING
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ready_at: datetime | None = None
    before: Mapping[str, Json] = msgspec.field(default_factory=dict)
    preview: Preview | None = None
    preview_digest: str | None = None
    yes: Yes | None = None
    progress: tuple[Mapping[str, Json], ...] = ()
    """`data` of the durable progress of the current attempt, oldest first."""
    progress_text: str = ""
    progress_share: float | None = None
    evidence: Evidence | None = None
    failure: Failure | None = None
    unknown: str = ""
    unknown_lines: tuple[Line, ...] = ()
    by: str = ""
    note: str = ""
    accepted: str = ""
    stopping: bool = False
    overridden_guards: tuple[str, ...] = ()
    void: str = ""
    """Why the last yes was void, with the difference; empty when there is nothing to say."""
    unfinished: Attempt | None = None
    """The last attempt, when it ended without success and the step is to be done again."""
    undone: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """What was recorded before the last success that was reopened: it stays known how it was before the step."""

    @property
    def over(self) -> bool:
        """Succeeded or skipped."""
        return self.status in OVER

    @property
    def elapsed(self) -> float | None:
        """Seconds from start to end, None while it has not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class VoidSignature:
    """A signature that stands no more: whose it was, why, and since when."""

    name: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SignOffState:
    """A signature as it stands: `given` is True, False (refused) or None (open). `recorded_by` is who entered it in the
    record (`user@host`), `login` with which it came from the signer's own machine."""

    role: str
    title: str
    required: bool
    given: bool | None = None
    name: str = ""
    note: str = ""
    at: datetime | None = None
    plan: str = ""
    commit: str = ""
    by_voice: bool = False
    login: str = ""
    recorded_by: str = ""
    void: VoidSignature | None = None
    """What had been signed before and stands no more, while nothing was signed since."""

    @property
    def how(self) -> str:
        """How it was given: by voice, or with which login; empty when nothing was, and for a rehearsal's own."""
        if self.login:
            return f"signed as {self.login}"
        return f"by voice, recorded by {self.recorded_by}" if self.by_voice else ""


@dataclass(frozen=True, slots=True)
class CriterionState:
    """A criterion as it stands: `met` is True, False or None (open, or not enough to say)."""

    id: str
    title: str
    required: bool
    met: bool | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class FindingState:
    """A finding of the preflight or of a step, and whether somebody went on despite it."""

    code: str
    severity: str
    message: str
    evidence: str = ""
    remedy: str = ""
    overridden: str = ""


@dataclass(frozen=True, slots=True)
class AlertState:
    """An alert that is raised; `offer` is `incident` when it suggests to declare one."""

    id: str
    severity: str
    message: str
    at: datetime
    offer: str | None = None
    cleared: str = ""


@dataclass(frozen=True, slots=True)
class DeployState:
    """The last that was seen of a service's deploy."""

    service: str
    deploy: str
    status: str
    commit: str
    trigger: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Apart:
    """The shared record is lost to the driver since `at`. `waived` says who drives is certain all the same; empty while
    nobody has said so: until then nothing destructive starts."""

    at: datetime
    reason: str
    waived: str = ""


class NoteState(msgspec.Struct, frozen=True):
    """Words for the record. Made like an event: a run holds as many as somebody cares to write."""

    at: datetime
    actor: str
    text: str
    step: str | None = None


class RunState(msgspec.Struct, frozen=True):
    """The whole run. Mappings are in the plan's order."""

    plan: Plan
    run: str = ""
    seq: int = 0
    status: RunStatus = RunStatus.NOT_STARTED
    rehearsal: bool = False
    pace: float = 1.0
    plan_digest: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last_at: datetime | None = None
    held_reason: str = ""
    outcome: str = ""
    outcome_reason: str = ""
    production: str = ""
    driver: str = ""
    driver_since: datetime | None = None
    drivers: tuple[str, ...] = ()
    """Everybody who has driven this run: as `user@host`, by the name of their account, and by their login of the shared
    record, where these are known."""
    apart: Apart | None = None
    """That the shared record is lost; None while it is not, or where nothing is shared."""
    steps: Mapping[str, StepState] = msgspec.field(default_factory=dict)
    signoffs: Mapping[str, SignOffState] = msgspec.field(default_factory=dict)
    criteria: Mapping[str, CriterionState] = msgspec.field(default_factory=dict)
    findings: Mapping[str, FindingState] = msgspec.field(default_factory=dict)
    alerts: Mapping[str, AlertState] = msgspec.field(default_factory=dict)
    deploys: Mapping[str, DeployState] = msgspec.field(default_factory=dict)
    received: Mapping[int, Received] = msgspec.field(default_factory=dict)
    """The signatures that came from other machines, by their number in the inbox."""
    notes: tuple[NoteState, ...] = ()
    incident_at: datetime | None = None
    """When the incident that is open was declared; None while none is."""
    incident_reason: str = ""
    incidents: tuple[IncidentState, ...] = ()
    """Every incident of the run, oldest first."""
    assessment: Assessment | None = None
    """The last assessment of where production stands; None once something may have changed it since."""
    assessed_at: datetime | None = None
    rollbacks: tuple[RollbackState, ...] = ()
    """The ways back that were chosen, oldest first."""
    messages: Mapping[str, MessageState] = msgspec.field(default_factory=dict)
    postmortem: PostmortemState | None = None
    waits: tuple[tuple[datetime, datetime], ...] = ()
    """From when to when the run could do nothing but wait for a person, oldest first."""
    waiting_since: datetime | None = None

    @property
    def rollback(self) -> RollbackState | None:
        """The way back that is being gone, or was gone to its end; None when none was, or the last was dropped."""
        return self.rollbacks[-1] if self.rollbacks and not self.rollbacks[-1].dropped else None

    def set_aside(self, step_id: str) -> bool:
        """Whether a step stands still because a way back is gone instead: it neither starts nor can be steered."""
        rollback = self.rollback
        return rollback is not None and step_id not in rollback.steps

    @property
    def active(self) -> tuple[StepState, ...]:
        """The steps that count now, in order: those of the way back that is gone, else all of the plan."""
        rollback = self.rollback
        return tuple(self.steps.values()) if rollback is None else tuple(self.steps[each] for each in rollback.steps)

    @property
    def complete(self) -> bool:
        """Whether every step that counts now is over."""
        return all(each.over for each in self.active)

    def evidence(self, step_id: str) -> Mapping[str, Json]:
        """`data` of a step's evidence; empty when there is none."""
        step = self.steps.get(step_id)
        return step.evidence.data if step is not None and step.evidence is not None else {}

    @property
    def waited_for_people(self) -> float:
        """Seconds for which the run waited for a person, the wait that goes on now left out."""
        return sum((until - since).total_seconds() for since, until in self.waits)

    @property
    def running(self) -> tuple[StepState, ...]:
        """The steps that run now."""
        return tuple(s for s in self.steps.values() if s.status is StepStatus.RUNNING)

    @property
    def attention(self) -> tuple[StepState, ...]:
        """The steps that wait for a person, most urgent first: failed, uncertain, kept by a guard, then ready ones."""
        rank = {StepStatus.FAILED: 0, StepStatus.UNCERTAIN: 1, StepStatus.WAITING: 2, StepStatus.ARMED: 2}
        waiting = [
            s
            for s in self.active
            if (s.status is StepStatus.READY and (self.needs_person(s) or self.waits_for_words(s)))
            or s.status in (StepStatus.FAILED, StepStatus.UNCERTAIN)
            or self.kept_by_guard(s)
        ]
        return tuple(sorted(waiting, key=lambda s: rank.get(s.status, 3)))

    def kept_by_guard(self, step: StepState) -> bool:
        """Whether only a guard that was left out keeps a step waiting: it must be overridden there, or done."""
        if step.status not in (StepStatus.WAITING, StepStatus.ARMED) or not step.step.guards:
            return False
        missing = [
            self.steps[guard]
            for guard in step.step.guards
            if self.steps[guard].status is not StepStatus.SUCCEEDED and guard not in step.overridden_guards
        ]
        settled = all(self.steps[each].over for each in step.step.after)
        return settled and bool(missing) and all(guard.over for guard in missing)

    def waits_for_words(self, step: StepState) -> bool:
        """Whether a step stands still until every message that was drafted is sent or dropped."""
        return step.step.params.get("asks") == MESSAGES and any(each.waits for each in self.messages.values())

    @staticmethod
    def needs_person(step: StepState) -> bool:
        """Whether a step cannot go on by itself from where it stands."""
        if step.status in (StepStatus.FAILED, StepStatus.UNCERTAIN):
            return True
        return step.step.action is None or (step.step.confirmation is not None and step.yes is None)

    @property
    def current_phase(self) -> str | None:
        """The id of the first phase with a step that is not over; None when all are."""
        for step in self.active:
            if not step.over:
                return step.step.phase
        return None
