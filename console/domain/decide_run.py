"""Decisions about the run as a whole: its course, incidents, findings, its end."""

from console.domain import intents as i
from console.domain.decide_incident import missing_for_rolled_back, users_are_in
from console.domain.events import Draft, Kind
from console.domain.state import CriterionState, RunState, RunStatus
from console.domain.summary import production_sentence
from console.errors import Refused

OUTCOMES = ("completed", "failed", "abandoned", "rolled_back")


def start(state: RunState, intent: i.Start, actor: str) -> tuple[Draft, ...]:
    """Let the run begin: with no open incident and no blocker that nobody answered for."""
    if state.status is not RunStatus.NOT_STARTED:
        raise Refused("The run has already begun.", remedy="Resume it when it is held.")
    _no_incident(state)
    blockers = [each for each in state.findings.values() if each.severity == "blocker" and not each.overridden]
    if blockers:
        raise Refused(
            "The preflight says no-go: " + "; ".join(f"{each.code}: {each.message}" for each in blockers),
            production="Production is untouched: nothing was started.",
            remedy="Remove the cause and run the preflight again, or override each blocker with a reason.",
        )
    return (Draft(Kind.RUN_STARTED),)


def hold(state: RunState, intent: i.Hold, actor: str) -> tuple[Draft, ...]:
    """Let nothing more start by itself."""
    if state.status is not RunStatus.RUNNING:
        raise Refused(f"There is nothing to hold: the run is {state.status}.")
    return (Draft(Kind.RUN_PAUSED, data={"reason": intent.reason}),)


def resume(state: RunState, intent: i.Resume, actor: str) -> tuple[Draft, ...]:
    """Let steps start by themselves again."""
    if state.status is not RunStatus.HELD:
        raise Refused(f"There is nothing to resume: the run is {state.status}.")
    if state.rollback is None:
        _no_incident(state)
        users_are_in(state)
    return (Draft(Kind.RUN_RESUMED),)


def note(state: RunState, intent: i.Note, actor: str) -> tuple[Draft, ...]:
    """Words for the record."""
    if not intent.text.strip():
        raise Refused("The note is empty.", remedy="Write what should stand in the record.")
    if intent.step is not None and intent.step not in state.steps:
        raise Refused(f"The plan has no step {intent.step}.")
    return (Draft(Kind.NOTE_ADDED, intent.step, {"text": intent.text}),)


def override_finding(state: RunState, intent: i.OverrideFinding, actor: str) -> tuple[Draft, ...]:
    """Go on despite a finding; `criterion:<id>` names an exception from a criterion that is not met."""
    about = _what_is_overridden(state, intent.code)
    if not intent.reason.strip():
        raise Refused("Going on despite a finding needs a reason.", remedy="Say why it may be so.")
    return (Draft(Kind.FINDING_OVERRIDDEN, data={"code": intent.code, "reason": intent.reason, "about": about}),)


def finish(state: RunState, intent: i.Finish, actor: str) -> tuple[Draft, ...]:
    """Close the run: as completed when the plan allows it, otherwise whenever nothing runs."""
    if intent.outcome not in OUTCOMES:
        raise Refused(f"A run ends as one of {', '.join(OUTCOMES)}, not as {intent.outcome}.")
    running = [each.step.title for each in state.running]
    if running:
        raise Refused(f"Still running: {', '.join(running)}.", remedy="Wait for it, or abort it first.")
    _allowed_ending(state, intent)
    data = {"outcome": intent.outcome, "reason": intent.reason, "production": production_sentence(state)}
    return (Draft(Kind.RUN_FINISHED, data=data),)


def _allowed_ending(state: RunState, intent: i.Finish) -> None:
    """Raises Refused with every point that keeps the run from ending so."""
    missing = {"completed": missing_for_completion, "rolled_back": missing_for_rolled_back}.get(intent.outcome)
    open_points = missing(state) if missing is not None else ()
    if open_points:
        raise Refused(
            f"The run cannot be closed as {intent.outcome.replace('_', ' ')}: " + "; ".join(open_points) + ".",
            remedy="Settle these points, or close the run as failed or abandoned.",
        )
    if intent.outcome == "rolled_back" and state.incident_at is not None:
        raise Refused(
            "The run cannot be closed as rolled back: an incident is open.",
            remedy="Close the incident first: its end is told to the stakeholders.",
        )
    if intent.outcome != "completed" and not intent.reason.strip():
        raise Refused(f"Closing a run as {intent.outcome} needs a reason.", remedy="Say why it ends here.")


def missing_for_completion(state: RunState) -> tuple[str, ...]:
    """What keeps the run from being completed, each point in words; empty when nothing does."""
    points = []
    if state.status is RunStatus.NOT_STARTED:
        points.append("it has not begun")
    if state.rollback is not None:
        points.append("it is being rolled back")
    if state.incident_at is not None:
        points.append("an incident is open")
    points += [f"{each.step.title} is {each.status}" for each in state.steps.values() if not each.over]
    points += [
        f"the criterion “{each.title}” is not met and has no exception (override criterion:{each.id} to name one)"
        for each in state.criteria.values()
        if each.required and not each.met and not excepted(state, each)
    ]
    points += [
        f"{each.title} {'refused to sign' if each.given is False else 'has not signed'}"
        for each in state.signoffs.values()
        if each.required and not each.given
    ]
    return tuple(points)


def excepted(state: RunState, criterion: CriterionState) -> bool:
    """Whether somebody named an exception from a criterion."""
    finding = state.findings.get(f"criterion:{criterion.id}")
    return finding is not None and bool(finding.overridden)


def _what_is_overridden(state: RunState, code: str) -> str:
    if code in state.findings:
        return state.findings[code].message
    criterion = state.criteria.get(code.removeprefix("criterion:")) if code.startswith("criterion:") else None
    if criterion is None:
        raise Refused(f"There is no finding {code}.", remedy="Name one that the preflight or a step has recorded.")
    if criterion.met or not criterion.evidence:
        raise Refused(
            f"The criterion “{criterion.title}” needs no exception now.", remedy="An exception follows a verdict."
        )
    return f"{criterion.title}: {criterion.evidence}"


def _no_incident(state: RunState) -> None:
    if state.incident_at is not None:
        raise Refused(f"An incident is open: {state.incident_reason}.", remedy="Close the incident first.")
