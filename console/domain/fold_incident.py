"""What the events of an incident do to a run's state: its clock, the way back, words to the stakeholders."""

from dataclasses import replace
from typing import TypeVar

from msgspec import structs

from console.domain import payload
from console.domain.events import Event
from console.domain.incident import Delivery, IncidentState, MessageState, PostmortemState, RollbackState
from console.domain.plan import Json, Phase, Step, TimelineRow
from console.domain.released import BUILD, MIGRATE, PUSH
from console.domain.rollback_plan import RollbackPlan, extended
from console.domain.standing import Assessment, Way
from console.domain.state import RunStatus, StepState
from console.domain.wire import decode
from console.domain.working import Working

T = TypeVar("T")

_CHANGING = frozenset({PUSH, BUILD, MIGRATE})


def declared(work: Working, event: Event) -> None:
    """Something is wrong in production: the run is held and the incident's clock runs."""
    reason = payload.text(event.data, "reason")
    incident = IncidentState(event.at, event.actor, reason)
    work.run = structs.replace(
        work.run, incident_at=event.at, incident_reason=reason, incidents=(*work.run.incidents, incident)
    )
    _hold(work, f"incident: {reason}")


def closed(work: Working, event: Event) -> None:
    """The incident is over; the run stays held until somebody resumes it."""
    words = payload.text(event.data, "reason")
    incidents = work.run.incidents
    if incidents:
        incidents = (*incidents[:-1], replace(incidents[-1], closed_at=event.at, closing=words))
    work.run = structs.replace(work.run, incident_at=None, incident_reason="", incidents=incidents)


def assessed(work: Working, event: Event) -> None:
    """Somebody looked where production stands and which ways lead back."""
    found = decode(Assessment, event.data.get("assessment"))
    work.run = structs.replace(work.run, assessment=found, assessed_at=event.at)


def chosen(work: Working, event: Event) -> None:
    """A way back is gone: its steps join the plan, the others stand still, and what is due starts."""
    added = RollbackPlan(
        phases=_each(Phase, event.data.get("phases")),
        steps=_each(Step, event.data.get("steps")),
        rows=_each(TimelineRow, event.data.get("rows")),
    )
    rows = payload.number_or_none(event.data, "lost")
    rollback = RollbackState(
        way=Way(payload.text(event.data, "way")),
        at=event.at,
        actor=event.actor,
        price=payload.text(event.data, "price"),
        steps=tuple(step.id for step in added.steps),
        rows=None if rows is None else int(rows),
        reason=payload.text(event.data, "reason"),
    )
    work.run = structs.replace(
        work.run,
        plan=extended(work.run.plan, added),
        rollbacks=(*work.run.rollbacks, rollback),
        status=RunStatus.RUNNING,
        started_at=work.run.started_at or event.at,
        held_reason="",
    )
    work.steps.update({step.id: StepState(step) for step in added.steps})


def dropped(work: Working, event: Event) -> None:
    """The way that was chosen is gone no further."""
    rollbacks = work.run.rollbacks
    if rollbacks:
        reason = payload.text(event.data, "reason", "given up")
        given_up = replace(rollbacks[-1], dropped=reason)
        work.run = structs.replace(work.run, rollbacks=(*rollbacks[:-1], given_up), assessment=None, assessed_at=None)
        _hold(work, f"incident: {work.run.incident_reason}")


def message_drafted(work: Working, event: Event) -> None:
    """Words for the stakeholders wait to be sent."""
    message = MessageState(
        id=payload.text(event.data, "message"),
        turn=payload.text(event.data, "turn"),
        subject=payload.text(event.data, "subject"),
        text=payload.text(event.data, "text"),
        at=event.at,
    )
    work.run = structs.replace(work.run, messages={**work.run.messages, message.id: message})


def message_sent(work: Working, event: Event) -> None:
    """A message went out on one channel, or did not arrive there."""
    message = work.run.messages.get(payload.text(event.data, "message"))
    if message is None:
        return
    channel = payload.text(event.data, "channel")
    delivered = payload.flag(event.data, "delivered")
    error = "" if delivered else payload.text(event.data, "error") or "it did not arrive"
    told = replace(
        message,
        subject=payload.text(event.data, "subject", message.subject),
        text=payload.text(event.data, "text", message.text),
        deliveries={**message.deliveries, channel: Delivery(channel, event.at, error)},
    )
    work.run = structs.replace(work.run, messages={**work.run.messages, message.id: told})


def message_dropped(work: Working, event: Event) -> None:
    """A message is not sent."""
    message = work.run.messages.get(payload.text(event.data, "message"))
    if message is not None:
        kept = replace(message, dropped=payload.text(event.data, "reason", "not sent"))
        work.run = structs.replace(work.run, messages={**work.run.messages, message.id: kept})


def postmortem_planned(work: Working, event: Event) -> None:
    """Somebody owns the post-mortem, and its day is set."""
    planned = PostmortemState(payload.text(event.data, "owner"), payload.text(event.data, "date"))
    work.run = structs.replace(work.run, postmortem=planned)


def production_may_have_changed(work: Working, step: StepState) -> None:
    """What was seen of production does not stand for what a step may have made of it since; a way that is gone is shown
    as it was chosen."""
    action = step.step.action or ""
    if work.run.rollback is None and (action in _CHANGING or action.startswith("rollback.")):
        work.run = structs.replace(work.run, assessment=None, assessed_at=None)


def _each(kind: type[T], value: Json) -> tuple[T, ...]:
    return tuple(decode(kind, item) for item in value) if isinstance(value, list) else ()


def _hold(work: Working, reason: str) -> None:
    if work.run.status is RunStatus.RUNNING:
        work.run = structs.replace(work.run, status=RunStatus.HELD, held_reason=reason)
