"""Intents: what a person asks for. `console.domain.decide` turns them into events or refuses them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Start:
    """Let the run begin."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Let no further step start by itself."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Let steps start by themselves again."""


@dataclass(frozen=True, slots=True)
class DriveApart:
    """Nobody else drives, although the shared record cannot be asked. `typed` must be the run's id; `reason` says how
    that is known."""

    typed: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """Take a new preview of a step (it changes nothing)."""

    step: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Yes to a step whose predecessors are over, bound to the digest of the preview that was shown.

    `typed` is what the person typed where the plan asks for it; `limits` are the reading limits accepted.
    When predecessors are still to come, the same yes arms the step.
    """

    step: str
    digest: str
    typed: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disarm:
    """Take back a yes that was given ahead."""

    step: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A manual step is done."""

    step: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave a step out. A step that others depend on as a guard cannot be skipped so."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class OverrideGuard:
    """Go on with `step` although its guard has not succeeded; `typed` must be the guard's id."""

    step: str
    guard: str
    reason: str
    typed: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Try a failed step again."""

    step: str


@dataclass(frozen=True, slots=True)
class DoneByHand:
    """The person did it elsewhere; `verify` still runs. `accept` records an acceptance of its failure."""

    step: str
    note: str
    accept: str = ""


@dataclass(frozen=True, slots=True)
class Reopen:
    """Do an earlier step again; what was built on it is reopened with it."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The person decides an uncertain step: `done` or `not_done`; or `probe` to look once more."""

    step: str
    answer: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Abort:
    """Stop the running steps (or one of them) at the next safe point, and hold."""

    step: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Words for the record."""

    text: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """A signature, given or refused."""

    role: str
    name: str
    approve: bool
    note: str = ""
    by_voice: bool = True


@dataclass(frozen=True, slots=True)
class OverrideFinding:
    """Go on despite a finding."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeclareIncident:
    """Something is wrong in production: hold the run and start the incident's clock."""

    reason: str


@dataclass(frozen=True, slots=True)
class CloseIncident:
    """The incident is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Assess:
    """Look where production stands and which ways lead back (it changes nothing)."""


@dataclass(frozen=True, slots=True)
class ChooseWay:
    """Go this way back.

    `assessed` is the `at` of the assessment that was shown; `reason` says why it is not the recommended one.
    """

    way: str
    assessed: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DropWay:
    """Go the chosen way no further; another one may be chosen, or the run closed."""

    reason: str


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Tell the stakeholders: a drafted message, as it was edited; again to the channels that it did not reach."""

    message: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class DropMessage:
    """Do not send a drafted message."""

    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlanPostmortem:
    """Who owns the post-mortem, and when it is (ISO 8601 date)."""

    step: str
    owner: str
    date: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Close the run: `completed` when the plan allows it, `rolled_back` after a way back, `failed` or `abandoned`."""

    outcome: str
    reason: str = ""


Intent = (
    Start
    | Hold
    | Resume
    | DriveApart
    | Look
    | Confirm
    | Disarm
    | Tick
    | Skip
    | OverrideGuard
    | Retry
    | DoneByHand
    | Reopen
    | Reconcile
    | Abort
    | Note
    | Sign
    | OverrideFinding
    | DeclareIncident
    | CloseIncident
    | Assess
    | ChooseWay
    | DropWay
    | SendMessage
    | DropMessage
    | PlanPostmortem
    | Finish
)
