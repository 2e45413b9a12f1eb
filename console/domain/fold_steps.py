"""What the events about steps do to a run's state. One function a kind; `console.domain.fold` calls them."""

from msgspec import structs

from console.domain import payload
from console.domain.events import Event
from console.domain.state import Attempt, CriterionState, Failure, SignOffState, StepState, StepStatus, Yes
from console.domain.wire import decode_evidence, decode_lines
from console.domain.working import Working


def previewed(work: Working, event: Event) -> None:
    """A preview was taken."""
    work.look_at(event)


def confirmed(work: Working, event: Event) -> None:
    """A yes was given, now or ahead: what it is bound to is kept until it is used or void."""
    yes = Yes(
        digest=payload.text(event.data, "digest"),
        actor=event.actor,
        at=event.at,
        limits=payload.numbers(event.data, "limits"),
    )
    work.put(structs.replace(work.step_of(event), yes=yes, void=""))


def disarmed(work: Working, event: Event) -> None:
    """The yes is void; why, and with which difference, stays to be read."""
    void = "\n".join((payload.text(event.data, "reason"), *payload.texts(event.data, "difference")))
    work.put(structs.replace(work.step_of(event), yes=None, void=void))


def started(work: Working, event: Event) -> None:
    """An attempt began; the yes is used up."""
    step = work.step_of(event)
    work.put(
        structs.replace(
            _cleared(work, step),
            status=StepStatus.RUNNING,
            attempt=int(payload.number(event.data, "attempt", step.attempt + 1)),
            started_at=event.at,
            before=dict(payload.mapping(event.data, "before")),
            preview=step.preview,
            preview_digest=step.preview_digest,
        )
    )


def progressed(work: Working, event: Event) -> None:
    """A durable progress."""
    work.add_progress(event)


def succeeded(work: Working, event: Event) -> None:
    """A step is done and was looked at."""
    evidence = event.data.get("evidence")
    work.put(
        structs.replace(
            work.step_of(event),
            status=StepStatus.SUCCEEDED,
            ended_at=event.at,
            evidence=None if evidence is None else decode_evidence(evidence),
            failure=None,
            unknown="",
            unknown_lines=(),
            by=payload.text(event.data, "by", "action"),
            note=payload.text(event.data, "note"),
            accepted=payload.text(event.data, "accepted"),
            stopping=False,
            yes=None,
            void="",
        )
    )


def failed(work: Working, event: Event) -> None:
    """A step did not reach its goal. Evidence of work that failed only its verification is kept."""
    step = work.step_of(event)
    failure = Failure(
        message=payload.text(event.data, "message"),
        production=payload.text(event.data, "production"),
        remedy=payload.text(event.data, "remedy"),
        lines=payload.texts(event.data, "lines"),
        reopens=payload.texts(event.data, "reopens"),
        stopped=payload.flag(event.data, "stopped"),
    )
    evidence = event.data.get("evidence")
    work.put(
        structs.replace(
            step,
            status=StepStatus.FAILED,
            ended_at=event.at,
            failure=failure,
            evidence=step.evidence if evidence is None else decode_evidence(evidence),
            unknown="",
            unknown_lines=(),
            stopping=False,
            yes=None,
        )
    )


def uncertain(work: Working, event: Event) -> None:
    """A step was started and has no end; it is about to be probed."""
    work.put(
        structs.replace(
            work.step_of(event),
            status=StepStatus.UNCERTAIN,
            unknown="",
            unknown_lines=(),
            note=payload.text(event.data, "why"),
            stopping=False,
        )
    )


def reconciled(work: Working, event: Event) -> None:
    """An uncertain step was probed, or decided by a person."""
    answer = payload.text(event.data, "answer")
    if answer == "done":
        by = "probe" if payload.text(event.data, "by", "probe") == "probe" else "hand"
        succeeded(work, structs.replace(event, data={**event.data, "by": by, "note": payload.text(event.data, "why")}))
    elif answer == "not_done":
        step = work.step_of(event)
        work.put(structs.replace(_cleared(work, step), note=payload.text(event.data, "why")))
    else:
        known = payload.text(event.data, "known") or "The probe cannot tell whether it was done."
        lines = decode_lines(event.data.get("lines"))
        work.put(structs.replace(work.step_of(event), unknown=known, unknown_lines=lines))


def reopened(work: Working, event: Event) -> None:
    """A step is to be done again, and with it every step that the event names as built on it."""
    step = work.step_of(event)
    ids = (step.step.id, *payload.texts(event.data, "with"))
    for each in ids:
        work.put(_cleared(work, work.steps[each]))
        signature = work.signoffs.get(work.steps[each].step.role or "")
        if signature is not None and signature.given is not None:
            work.signoffs[signature.role] = SignOffState(signature.role, signature.title, signature.required)
    for each, state in work.steps.items():
        kept = tuple(guard for guard in state.overridden_guards if guard not in ids)
        if kept != state.overridden_guards:
            work.steps[each] = structs.replace(state, overridden_guards=kept)
    for criterion in work.run.plan.criteria:
        if any(each in ids for each in criterion.proven_by):
            work.criteria[criterion.id] = CriterionState(criterion.id, criterion.title, criterion.required)


def ticked(work: Working, event: Event) -> None:
    """A manual step is done."""
    step = _cleared(work, work.step_of(event))
    note = payload.text(event.data, "note")
    work.put(structs.replace(step, status=StepStatus.SUCCEEDED, ended_at=event.at, by="hand", note=note))


def skipped(work: Working, event: Event) -> None:
    """A step is left out."""
    step = work.step_of(event)
    reason = payload.text(event.data, "reason")
    work.put(
        structs.replace(
            step, status=StepStatus.SKIPPED, ended_at=event.at, note=reason, yes=None, void="", stopping=False
        )
    )


def guard_overridden(work: Working, event: Event) -> None:
    """A step goes on although its guard has not succeeded."""
    step = work.step_of(event)
    guard = payload.text(event.data, "guard")
    if guard not in step.overridden_guards:
        work.put(structs.replace(step, overridden_guards=(*step.overridden_guards, guard)))


def aborting(work: Working, event: Event) -> None:
    """A running step was asked to stop at its next safe point."""
    step = work.step_of(event)
    if step.status is StepStatus.RUNNING:
        work.put(structs.replace(step, stopping=True))


def _cleared(work: Working, step: StepState) -> StepState:
    """A step as if it had never begun, but for its attempts, its overridden guards and what it left of earlier ones."""
    progress = work.progress_of(step.step.id)
    work.begin_anew(step.step.id)
    unfinished = Attempt(step.before, progress) if step.before or progress else step.unfinished
    undone = step.undone
    if step.status is StepStatus.SUCCEEDED:
        # What was marked as done by hand has no `before` of its own: that of the attempt before it counts.
        undone = (unfinished.before if unfinished is not None else {}) or undone
        unfinished = None
    return StepState(
        step.step,
        attempt=step.attempt,
        overridden_guards=step.overridden_guards,
        unfinished=unfinished,
        undone=undone,
    )
