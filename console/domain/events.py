"""Events: the immutable facts of a run, and the only input of its state.

An event is one line of the journal. `data` is plain JSON; which keys a kind carries stands beside the kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from console.domain.plan import Json
else:
    # Lines are decoded by the types of an event's fields (`console.domain.lines`), at run time; and what decodes them
    # cannot follow a type that holds itself.
    Json = Any

VERSION = 1


class Kind(StrEnum):
    """What happened. Beside each kind: the keys of its data."""

    RUN_CREATED = "run.created"
    """plan (name, title, environment, digest), rehearsal (bool), pace (float), host, console (version)"""
    RUN_STARTED = "run.started"
    """{}: the person let the run begin; T+ counts from here"""
    RUN_RESUMED = "run.resumed"
    """{}: no longer held (also after a restart when it was not held before)"""
    RUN_PAUSED = "run.paused"
    """reason: no further step starts by itself"""
    RUN_ABORTING = "run.aborting"
    """step: the running step was asked to stop at its next safe point"""
    RUN_FINISHED = "run.finished"
    """outcome: completed | failed | abandoned | rolled_back; reason; production (one sentence)"""
    DRIVER_JOINED = "driver.joined"
    """actor, host, pid; where they are known, name (what the account says they are called) and login (of the store)"""
    DRIVER_LEFT = "driver.left"
    """reason"""
    STORE_LOST = "store.lost"
    """reason, epoch: what is recorded from here on waits for the shared record"""
    STORE_REGAINED = "store.regained"
    """epoch, missed (how many events were sent late)"""
    STORE_WAIVED = "store.waived"
    """reason: the person says that nobody else drives although the shared record cannot be asked"""
    BRANCH_ATTACHED = "branch.attached"
    """epoch, actor, first, events (how many), kinds {kind: how often}: recorded by a driver whose epoch was over"""
    STEP_PREVIEWED = "step.previewed"
    """digest, preview (see console.domain.wire)"""
    STEP_CONFIRMED = "step.confirmed"
    """digest, strength, limits {reading label: limit}"""
    STEP_ARMED = "step.armed"
    """digest, strength, limits: confirmed ahead; starts when its predecessors are over and its facts hold"""
    STEP_DISARMED = "step.disarmed"
    """reason, difference (list of lines): the yes is void"""
    STEP_STARTED = "step.started"
    """attempt (from 1), before, digest (of the preview taken just before; null when not destructive)"""
    STEP_PROGRESSED = "step.progressed"
    """text, share, data: a durable progress"""
    STEP_SUCCEEDED = "step.succeeded"
    """evidence, by: action | hand | probe; note; accepted (a recorded acceptance when verify failed)"""
    STEP_FAILED = "step.failed"
    """message, production, remedy, lines, reopens (list), stopped (bool); data; evidence (only verification failed)"""
    STEP_UNCERTAIN = "step.uncertain"
    """why: it was started and has no end"""
    STEP_RECONCILED = "step.reconciled"
    """answer: done | not_done | unknown; evidence | why | known + lines; by: probe | person; accepted"""
    STEP_REOPENED = "step.reopened"
    """reason, cause (step id or null), with (ids of the steps built on it that are to be done again with it)"""
    STEP_TICKED = "step.ticked"
    """note: a manual step is done"""
    STEP_SKIPPED = "step.skipped"
    """reason, guard_overridden_by (step id or null)"""
    GUARD_OVERRIDDEN = "guard.overridden"
    """guard (step id), reason: given by typing, on the step that depends on it"""
    DEPLOY_OBSERVED = "deploy.observed"
    """service (key), deploy, status, commit, trigger"""
    FINDING_RECORDED = "finding.recorded"
    """code, severity, message, evidence, remedy"""
    FINDING_CLEARED = "finding.cleared"
    """code: a later look did not find it any more"""
    FINDING_OVERRIDDEN = "finding.overridden"
    """code, reason"""
    SIGNOFF_GIVEN = "signoff.given"
    """role, name, note, plan (digest), commit, by_voice (bool); login and inbox (number) when it came from the signer's
    own machine"""
    SIGNOFF_REFUSED = "signoff.refused"
    """role, name, reason, plan, commit, by_voice (bool); login and inbox as above"""
    SIGNOFF_VOID = "signoff.void"
    """role, reason"""
    CRITERION_MET = "criterion.met"
    """criterion, evidence (text)"""
    CRITERION_FAILED = "criterion.failed"
    """criterion, evidence (text), verdict: fail | not enough to say"""
    ALERT_RAISED = "alert.raised"
    """alert (id), severity: warning | danger, message, offer: incident | null"""
    ALERT_CLEARED = "alert.cleared"
    """alert, reason"""
    NOTE_ADDED = "note.added"
    """text; inbox (number), role, login and reason when it says that a signature from the inbox was not accepted"""
    INCIDENT_DECLARED = "incident.declared"
    """reason"""
    INCIDENT_CLOSED = "incident.closed"
    """reason"""
    ROLLBACK_ASSESSED = "rollback.assessed"
    """assessment (see console.domain.standing): where production stands, and the ways back with their prices"""
    ROLLBACK_CHOSEN = "rollback.chosen"
    """way, price, lost (the stated loss in rows, null when none is), reason (why not the recommended one), and what the
    way adds to the plan: phases, steps, rows (of the timeline)"""
    ROLLBACK_DROPPED = "rollback.dropped"
    """reason: the way that was chosen is not gone any further"""
    MESSAGE_DRAFTED = "message.drafted"
    """message (id), turn, subject, text: waits to be sent"""
    MESSAGE_SENT = "message.sent"
    """message (id), channel, subject, text, delivered (bool), error"""
    MESSAGE_DROPPED = "message.dropped"
    """message (id), reason: it is not sent"""
    POSTMORTEM_PLANNED = "postmortem.planned"
    """owner, date (ISO 8601)"""


class Event(msgspec.Struct, frozen=True):
    """One immutable fact. `seq` counts from 1 without gaps; `at` is UTC; `actor` is `user@host` or `console`.

    No dataclass, like everything else here: it comes by the hundred thousand, and is made of its line in a third of the
    time. Its fields are those of the line.
    """

    seq: int
    at: datetime
    run: str
    actor: str
    kind: Kind
    step: str | None = None
    data: Mapping[str, Json] = msgspec.field(default_factory=dict)
    version: int = msgspec.field(default=VERSION, name="v")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has not happened yet: what `decide` returns and the journal completes."""

    kind: Kind
    step: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)
