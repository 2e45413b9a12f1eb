"""Decisions about single steps: yes and no, tick, skip, retry, by hand, reopen, reconcile, abort."""

from console.domain import intents as i
from console.domain.decide_incident import asks_more_than_a_tick
from console.domain.dependencies import ENDED, all_dependents, guarded_by, open_guards, open_predecessors, undone_with
from console.domain.events import Draft, Kind
from console.domain.plan import Json, StepKind, Strength
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from console.errors import Refused

_PENDING = frozenset({StepStatus.WAITING, StepStatus.READY, StepStatus.ARMED})


def look(state: RunState, intent: i.Look, actor: str) -> tuple[Draft, ...]:
    """A preview may be taken of whatever has an action and has not begun; the conductor takes it."""
    step = _step(state, intent.step)
    if step.step.action is None:
        raise Refused(f"{step.step.title} is done by a person: there is nothing to preview.")
    if step.status not in _PENDING and step.status is not StepStatus.FAILED:
        raise Refused(f"{step.step.title} is {step.status}: a preview says what will be done.")
    return ()


def confirm(state: RunState, intent: i.Confirm, actor: str) -> tuple[Draft, ...]:
    """A yes, bound to what was shown: now, or ahead while the steps before are still to come."""
    step = _step(state, intent.step)
    asked = step.step.confirmation
    _begun(state)
    if asked is None:
        raise Refused(f"{step.step.title} needs no confirmation: it starts by itself.")
    if step.status not in _PENDING:
        raise Refused(f"{step.step.title} is {step.status}.", remedy=_way_out(step))
    if step.yes is not None and step.yes.digest == intent.digest:
        raise Refused(f"{step.step.title} is already confirmed.", remedy="Disarm it to take the yes back.")
    if step.preview is None or step.preview_digest is None:
        raise Refused(f"Nobody has looked yet at what {step.step.title} will do.", remedy="Look at it first.")
    if step.preview_digest != intent.digest:
        raise Refused(
            f"What {step.step.title} will do has changed since it was shown.", remedy="Look at it again, then decide."
        )
    if asked.strength is Strength.TYPE and intent.typed != asked.phrase:
        raise Refused(f"“{intent.typed}” is not what must be typed here.", remedy=f"Type {asked.phrase} to confirm.")
    data: dict[str, Json] = {"digest": intent.digest, "strength": asked.strength.value, "limits": _limits(step, intent)}
    kind = Kind.STEP_CONFIRMED if step.status is StepStatus.READY else Kind.STEP_ARMED
    return (Draft(kind, intent.step, data),)


def disarm(state: RunState, intent: i.Disarm, actor: str) -> tuple[Draft, ...]:
    """Take a yes back before it is used."""
    step = _step(state, intent.step)
    if step.yes is None:
        raise Refused(f"{step.step.title} is not confirmed: there is nothing to take back.")
    reason = intent.reason or f"taken back by {actor}"
    return (Draft(Kind.STEP_DISARMED, intent.step, {"reason": reason, "difference": []}),)


def tick(state: RunState, intent: i.Tick, actor: str) -> tuple[Draft, ...]:
    """A manual step is done."""
    step = _step(state, intent.step)
    if asks_more_than_a_tick(state, intent.step):
        raise Refused(f"{step.step.title} is done when its owner and its day are named.", remedy="Name both.")
    _begun(state)
    if step.step.kind is not StepKind.MANUAL:
        raise Refused(f"{step.step.title} is not ticked: a machine can know whether it is done.", remedy=_way_out(step))
    if step.status is not StepStatus.READY:
        raise Refused(f"{step.step.title} is {step.status}.", remedy=_waits_for(state, step))
    return (Draft(Kind.STEP_TICKED, intent.step, {"note": intent.note}),)


def skip(state: RunState, intent: i.Skip, actor: str) -> tuple[Draft, ...]:
    """Leave a step out, unless others rely on it or the plan requires it."""
    step = _step(state, intent.step)
    _not_going_on(step)
    if step.over:
        raise Refused(f"{step.step.title} is already {step.status}.")
    if not intent.reason.strip():
        raise Refused("Leaving a step out needs a reason.", remedy="Say why it may be left out.")
    relying = guarded_by(state.steps, intent.step)
    if relying:
        titles = ", ".join(state.steps[each].step.title for each in relying)
        raise Refused(
            f"{step.step.title} is a guard: {titles} must not run without it.",
            remedy="Get it done, or override it by typing, on the step that depends on it.",
        )
    signoff = state.signoffs.get(step.step.role or "")
    if signoff is not None and signoff.required:
        raise Refused(
            f"The plan requires the signature of {signoff.title}.",
            remedy="Let them sign or refuse, or close the run as failed.",
        )
    return (Draft(Kind.STEP_SKIPPED, intent.step, {"reason": intent.reason, "guard_overridden_by": None}),)


def override_guard(state: RunState, intent: i.OverrideGuard, actor: str) -> tuple[Draft, ...]:
    """Go on with a step without its guard: typed, on the step that depends on it."""
    step, guard = _step(state, intent.step), _step(state, intent.guard)
    if intent.guard not in step.step.guards:
        raise Refused(f"{guard.step.title} is no guard of {step.step.title}.")
    if step.status not in _PENDING:
        raise Refused(f"{step.step.title} is {step.status}: there is nothing to override.", remedy=_way_out(step))
    _not_going_on(guard)
    if guard.status is StepStatus.SUCCEEDED:
        raise Refused(f"{guard.step.title} has succeeded: there is nothing to override.")
    if intent.guard in step.overridden_guards and guard.over:
        raise Refused(f"{guard.step.title} is already overridden here.")
    if not intent.reason.strip():
        raise Refused("Going on without a guard needs a reason.", remedy="Say why it may be done without.")
    if intent.typed != intent.guard:
        raise Refused(
            f"“{intent.typed}” is not what must be typed here.", remedy=f"Type {intent.guard} to override it."
        )
    overridden = Draft(Kind.GUARD_OVERRIDDEN, intent.step, {"guard": intent.guard, "reason": intent.reason})
    if guard.over:
        return (overridden,)
    left_out = {"reason": intent.reason, "guard_overridden_by": intent.step}
    return (overridden, Draft(Kind.STEP_SKIPPED, intent.guard, left_out))


def retry(state: RunState, intent: i.Retry, actor: str) -> tuple[Draft, ...]:
    """Try a failed step again; a yes must be given again."""
    step = _step(state, intent.step)
    if step.status is not StepStatus.FAILED:
        raise Refused(f"{step.step.title} is {step.status}; only a failed step is tried again.", remedy=_way_out(step))
    if step.step.kind is StepKind.SIGNOFF:
        raise Refused(f"{step.step.title} was refused.", remedy="The same role signs when the objection is settled.")
    return (Draft(Kind.STEP_REOPENED, intent.step, {"reason": "tried again", "cause": None, "with": []}),)


def done_by_hand(state: RunState, intent: i.DoneByHand, actor: str) -> tuple[Draft, ...]:
    """It was done elsewhere; the conductor looks from outside whether it was."""
    step = _step(state, intent.step)
    _begun(state)
    _not_going_on(step)
    if step.over:
        raise Refused(f"{step.step.title} is already {step.status}.")
    if step.step.kind is not StepKind.ACTION:
        raise Refused(f"{step.step.title} has no action to stand in for.", remedy=_way_out(step))
    if not intent.note.strip():
        raise Refused("Done by hand needs a note.", remedy="Say what was done, where and by whom.")
    if step.status is not StepStatus.FAILED and open_predecessors(state.steps, step.step):
        raise Refused(f"The steps before {step.step.title} are not over.", remedy=_waits_for(state, step))
    if step.status is not StepStatus.FAILED and open_guards(state.steps, step):
        guards = ", ".join(state.steps[each].step.title for each in open_guards(state.steps, step))
        raise Refused(f"{step.step.title} is not done without its guard: {guards}.", remedy="Override the guard first.")
    return ()


def reopen(state: RunState, intent: i.Reopen, actor: str) -> tuple[Draft, ...]:
    """Do an earlier step again, and everything that was built on it; signatures are void."""
    step = _step(state, intent.step)
    _not_going_on(step)
    if step.status not in ENDED:
        raise Refused(f"{step.step.title} is {step.status}: there is nothing to do again.")
    if not intent.reason.strip():
        raise Refused("Doing a step again needs a reason.", remedy="Say why it must be done again.")
    for dependent in all_dependents(state.plan, intent.step):
        _not_going_on(state.steps[dependent])
    affected: list[Json] = [each.step.id for each in undone_with(state.plan, state.steps, intent.step)]
    void = [
        Draft(Kind.SIGNOFF_VOID, data={"role": each.role, "reason": f"{step.step.title} is done again"})
        for each in state.signoffs.values()
        if each.given
    ]
    data: dict[str, Json] = {"reason": intent.reason, "cause": None, "with": affected}
    return (*void, Draft(Kind.STEP_REOPENED, intent.step, data))


def reconcile(state: RunState, intent: i.Reconcile, actor: str) -> tuple[Draft, ...]:
    """Decide an uncertain step. `probe` and `done` need the outside world: the conductor goes on from here."""
    step = _step(state, intent.step)
    if step.status is not StepStatus.UNCERTAIN:
        raise Refused(f"{step.step.title} is {step.status}: there is nothing to decide.", remedy=_way_out(step))
    if intent.answer not in ("probe", "done", "not_done"):
        raise Refused(f"“{intent.answer}” is no answer.", remedy="Answer probe, done or not_done.")
    if intent.answer != "probe" and not intent.note.strip():
        raise Refused("Deciding it needs a note.", remedy="Say how you know.")
    if intent.answer == "not_done":
        return (Draft(Kind.STEP_RECONCILED, intent.step, {"answer": "not_done", "why": intent.note, "by": "person"}),)
    return ()


def abort(state: RunState, intent: i.Abort, actor: str) -> tuple[Draft, ...]:
    """Ask what runs to stop at its next safe point, and hold the run."""
    chosen = state.running if intent.step is None else (_step(state, intent.step),)
    stopping = [each for each in chosen if each.status is StepStatus.RUNNING and not each.stopping]
    if not stopping:
        already = any(each.stopping for each in chosen)
        raise Refused(
            "It is already stopping at its next safe point." if already else "Nothing runs that could be stopped.",
            remedy="Wait for it." if already else "Hold the run to let nothing more start.",
        )
    held = Draft(Kind.RUN_PAUSED, data={"reason": intent.reason or "aborted"})
    asked = [Draft(Kind.RUN_ABORTING, each.step.id, {"reason": intent.reason}) for each in stopping]
    return (held, *asked) if state.status is RunStatus.RUNNING else tuple(asked)


def _step(state: RunState, step_id: str) -> StepState:
    found = state.steps.get(step_id)
    if found is None:
        raise Refused(f"The plan has no step {step_id}.")
    return found


def _begun(state: RunState) -> None:
    if state.status is RunStatus.NOT_STARTED:
        raise Refused("The run has not begun.", remedy="Start it first.")


def _not_going_on(step: StepState) -> None:
    if step.status is StepStatus.RUNNING:
        raise Refused(f"{step.step.title} is running.", remedy="Wait for it, or abort it first.")
    if step.status is StepStatus.UNCERTAIN:
        raise Refused(f"It is not known whether {step.step.title} was done.", remedy=_way_out(step))


def _limits(step: StepState, intent: i.Confirm) -> dict[str, Json]:
    """The limits that the yes accepts: those shown, unless the person named others."""
    readings = step.preview.readings if step.preview is not None else ()
    shown = {each.label: each.limit for each in readings if each.limit is not None}
    strange = [label for label in intent.limits if label not in shown]
    if strange:
        raise Refused(f"The preview shows no limit for {', '.join(strange)}.", remedy="Look at it again.")
    return {**shown, **intent.limits}


def _waits_for(state: RunState, step: StepState) -> str:
    titles = [state.steps[each].step.title for each in open_predecessors(state.steps, step.step)]
    return f"It waits for {', '.join(titles)}." if titles else _way_out(step)


def _way_out(step: StepState) -> str:
    """What one can do with a step as it stands."""
    ways = {
        StepStatus.WAITING: "It waits for the steps before it.",
        StepStatus.READY: "Look at it and confirm it, or leave it out with a reason.",
        StepStatus.ARMED: "It starts by itself; disarm it to take the yes back.",
        StepStatus.RUNNING: "Wait for it, or abort it.",
        StepStatus.SUCCEEDED: "Reopen it to do it again.",
        StepStatus.FAILED: "Try it again, leave it out with a reason, do it by hand, or reopen an earlier step.",
        StepStatus.UNCERTAIN: "Look again, or say whether it was done.",
        StepStatus.SKIPPED: "Reopen it to do it after all.",
    }
    if step.status is StepStatus.READY and step.step.kind is StepKind.SIGNOFF:
        return "Let the role sign it."
    return ways[step.status]
