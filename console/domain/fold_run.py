"""What the events about the run as a whole do to its state: its course, signatures, criteria, alerts, notes."""

from dataclasses import replace

from msgspec import structs

from console.domain import payload
from console.domain.events import Event
from console.domain.shared import Received
from console.domain.state import (
    Failure,
    FindingState,
    NoteState,
    RunStatus,
    SignOffState,
    StepStatus,
    VoidSignature,
)
from console.domain.working import Working


def created(work: Working, event: Event) -> None:
    """The run exists."""
    work.run = structs.replace(
        work.run,
        run=event.run,
        created_at=event.at,
        rehearsal=payload.flag(event.data, "rehearsal"),
        pace=payload.number(event.data, "pace", 1.0),
        plan_digest=payload.text(payload.mapping(event.data, "plan"), "digest"),
    )


def started(work: Working, event: Event) -> None:
    """The person let the run begin."""
    work.run = structs.replace(work.run, status=RunStatus.RUNNING, started_at=event.at)


def paused(work: Working, event: Event) -> None:
    """No further step starts by itself."""
    _hold(work, payload.text(event.data, "reason"))


def resumed(work: Working, event: Event) -> None:
    """Steps start by themselves again."""
    if work.run.status is RunStatus.HELD:
        work.run = structs.replace(work.run, status=RunStatus.RUNNING, held_reason="")


def finished(work: Working, event: Event) -> None:
    """The run is closed."""
    work.run = structs.replace(
        work.run,
        status=RunStatus.FINISHED,
        finished_at=event.at,
        held_reason="",
        outcome=payload.text(event.data, "outcome"),
        outcome_reason=payload.text(event.data, "reason"),
        production=payload.text(event.data, "production"),
    )


def joined(work: Working, event: Event) -> None:
    """Somebody drives."""
    actor = payload.text(event.data, "actor", event.actor)
    known = work.run.drivers
    names = dict.fromkeys((actor, payload.text(event.data, "name"), payload.text(event.data, "login")))
    new = tuple(each for each in names if each and each not in known)
    work.run = structs.replace(work.run, driver=actor, driver_since=event.at, drivers=(*known, *new))


def left(work: Working, event: Event) -> None:
    """Nobody drives."""
    work.run = structs.replace(work.run, driver="", driver_since=None)


def deploy_observed(work: Working, event: Event) -> None:
    """A deploy of a service was seen."""
    work.deploys[payload.text(event.data, "service")] = event


def finding_recorded(work: Working, event: Event) -> None:
    """A finding of the preflight or of a step; recorded again it must be overridden again."""
    code = payload.text(event.data, "code")
    work.findings[code] = FindingState(
        code=code,
        severity=payload.text(event.data, "severity"),
        message=payload.text(event.data, "message"),
        evidence=payload.text(event.data, "evidence"),
        remedy=payload.text(event.data, "remedy"),
    )


def finding_cleared(work: Working, event: Event) -> None:
    """What was found is no longer so."""
    work.findings.pop(payload.text(event.data, "code"), None)


def finding_overridden(work: Working, event: Event) -> None:
    """Somebody goes on despite a finding, or names an exception from a criterion."""
    code = payload.text(event.data, "code")
    known = work.findings.get(code) or FindingState(code, severity="warning", message=payload.text(event.data, "about"))
    work.findings[code] = replace(known, overridden=payload.text(event.data, "reason"))


def signoff_given(work: Working, event: Event) -> None:
    """A role signed: its step is done."""
    signature = _sign(work, event, given=True)
    for each, step in work.steps.items():
        if step.step.role == signature.role:
            work.steps[each] = structs.replace(
                step,
                status=StepStatus.SUCCEEDED,
                ended_at=event.at,
                by="hand",
                note=f"signed by {signature.name}",
                failure=None,
                yes=None,
            )


def signoff_refused(work: Working, event: Event) -> None:
    """A role refused: its step has failed until the same role signs."""
    signature = _sign(work, event, given=False)
    failure = Failure(
        message=f"{signature.name} refused to sign as {signature.title}: {signature.note}",
        production="Nothing was changed: a refusal only keeps the run from being completed.",
        remedy=f"Settle the objection, then let {signature.title} sign; or close the run as failed.",
    )
    for each, step in work.steps.items():
        if step.step.role == signature.role:
            work.steps[each] = structs.replace(
                step, status=StepStatus.FAILED, ended_at=event.at, failure=failure, yes=None
            )


def signoff_void(work: Working, event: Event) -> None:
    """What was signed has changed: the signature is asked for again."""
    role = payload.text(event.data, "role")
    signature = work.signoffs.get(role)
    if signature is None:
        return
    void = VoidSignature(signature.name, payload.text(event.data, "reason"), event.at)
    work.signoffs[role] = SignOffState(role, signature.title, signature.required, void=void)
    for each, step in work.steps.items():
        if step.step.role == role and step.status in (StepStatus.SUCCEEDED, StepStatus.FAILED):
            work.steps[each] = structs.replace(
                step, status=StepStatus.WAITING, ended_at=None, ready_at=None, by="", note="", failure=None
            )


def criterion_met(work: Working, event: Event) -> None:
    """A line of the success criteria is proven."""
    _judge(work, event, met=True)


def criterion_failed(work: Working, event: Event) -> None:
    """A line of the success criteria is not met, or there is not enough to say so."""
    unclear = payload.text(event.data, "verdict") == "not enough to say"
    _judge(work, event, met=None if unclear else False)


def alert_raised(work: Working, event: Event) -> None:
    """Something asks for attention."""
    alert = payload.text(event.data, "alert")
    work.raised[alert] = event
    work.cleared.pop(alert, None)


def alert_cleared(work: Working, event: Event) -> None:
    """An alert no longer holds."""
    work.cleared[payload.text(event.data, "alert")] = event


def note_added(work: Working, event: Event) -> None:
    """Words for the record."""
    work.add_note(NoteState(event.at, event.actor, payload.text(event.data, "text"), event.step))
    _receive(work, event, payload.text(event.data, "reason"))


def _hold(work: Working, reason: str) -> None:
    if work.run.status is RunStatus.RUNNING:
        work.run = structs.replace(work.run, status=RunStatus.HELD, held_reason=reason)


def _sign(work: Working, event: Event, *, given: bool) -> SignOffState:
    role = payload.text(event.data, "role")
    known = work.signoffs.get(role) or SignOffState(role, role, required=False)
    signature = replace(
        known,
        given=given,
        name=payload.text(event.data, "name"),
        note=payload.text(event.data, "note" if given else "reason"),
        at=event.at,
        plan=payload.text(event.data, "plan"),
        commit=payload.text(event.data, "commit"),
        by_voice=payload.flag(event.data, "by_voice"),
        login=payload.text(event.data, "login"),
        recorded_by=event.actor,
        void=None,
    )
    work.signoffs[role] = signature
    _receive(work, event, "")
    return signature


def _receive(work: Working, event: Event, reason: str) -> None:
    """What came from the inbox is known by its number, so that it is never taken twice."""
    number = payload.number_or_none(event.data, "inbox")
    if number is not None:
        role, login = payload.text(event.data, "role"), payload.text(event.data, "login")
        received = Received(event.seq, role, login, reason)
        work.run = structs.replace(work.run, received={**work.run.received, int(number): received})


def _judge(work: Working, event: Event, *, met: bool | None) -> None:
    known = work.criteria.get(payload.text(event.data, "criterion"))
    if known is not None:
        work.criteria[known.id] = replace(known, met=met, evidence=payload.text(event.data, "evidence"))
