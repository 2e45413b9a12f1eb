"""The half of the table that ends at the helm. It is offered only where there is one.

Availability is a pure function of the moment; the domain decides again when the intent arrives.
"""

from collections.abc import Callable

from console.domain import intents
from console.domain.dependencies import guarded_by
from console.domain.plan import StepKind
from console.domain.state import RunStatus, StepStatus
from screens.command import Command, Weight
from screens.leads import Ask, Lead, Send, SignRole
from screens.moment import Moment
from screens.next_thing import close_run, next_label, next_lead
from screens.ways import by_hand, declare_incident, leave_out, reopen, ways


def _open(moment: Moment) -> bool:
    return moment.state.status in (RunStatus.RUNNING, RunStatus.HELD)


def _unfinished(moment: Moment) -> bool:
    return moment.state.status is not RunStatus.FINISHED


def _is(*statuses: StepStatus) -> Callable[[Moment], bool]:
    return lambda m: _open(m) and m.step is not None and m.step.status in statuses


def _about_step(build: Callable[[str], Lead]) -> Callable[[Moment], Lead | None]:
    return lambda m: build(m.step.step.id) if m.step is not None else None


def _can_stop(moment: Moment) -> bool:
    return _open(moment) and any(not s.stopping for s in moment.state.running)


def _stop(moment: Moment) -> Lead:
    titles = ", ".join(s.step.title for s in moment.state.running)
    return Ask(
        "Stop what is running",
        (f"{titles}: stops at its next safe point, not before. Then the run is held.",),
        "Stop it",
        lambda answer: intents.Abort(None, answer.text),
        required=False,
        danger=True,
        said="It stops at its next safe point.",
    )


def _can_leave_out(moment: Moment) -> bool:
    step = moment.step
    if step is None or not _is(StepStatus.READY)(moment) or step.step.kind is StepKind.SIGNOFF:
        return False
    return not guarded_by(moment.state.steps, step.step.id)


def _can_do_by_hand(moment: Moment) -> bool:
    return _is(StepStatus.READY)(moment) and moment.step is not None and moment.step.step.action is not None


def _note(moment: Moment) -> Lead:
    step = moment.step.step if moment.step is not None else None
    about = f"It stands in the record, with “{step.title}”." if step is not None else "It stands in the record."
    return Ask(
        "Note",
        (about,),
        "Write it down",
        lambda answer: intents.Note(answer.text, step.id if step is not None else None),
        label="Words for the record",
        said="Noted.",
    )


def _close_incident(moment: Moment) -> Lead:
    return Ask(
        "Close the incident",
        (f"Declared because: {moment.state.incident_reason}", "The run stays held until you resume it."),
        "Close it",
        lambda answer: intents.CloseIncident(answer.text),
        label="How it ended",
    )


def _hold_or_resume(moment: Moment) -> Lead:
    if moment.state.status is RunStatus.HELD:
        return Send(intents.Resume(), "Steps start by themselves again.")
    return Send(intents.Hold(), "Held: no further step starts by itself.")


def _override_finding(moment: Moment) -> Lead | None:
    finding = moment.finding
    if finding is None:
        return None
    return Ask(
        "Go on despite a finding",
        (finding.message, "Your name and your reason stand in the record."),
        "Go on despite it",
        lambda answer: intents.OverrideFinding(finding.code, answer.text),
        danger=True,
    )


def _way(number: int) -> Command:
    def lead(moment: Moment) -> Lead | None:
        options = ways(moment)
        return options[number - 1].lead if number <= len(options) else None

    return Command(
        f"way-{number}",
        (str(number),),
        str(number),
        lambda m: ways(m)[number - 1].label,
        "The ways out of a failed or uncertain step, as its detail numbers them.",
        "Step",
        lambda m: _open(m) and number <= len(ways(m)),
        lead,
        footer=False,
    )


STEERING: tuple[Command, ...] = (
    Command(
        "next",
        ("enter", "space"),
        "⏎",
        next_label,
        "The next thing that the selected step needs: begin, confirm, tick, sign, choose a way out.",
        "Step",
        lambda m: next_lead(m) is not None,
        next_lead,
        weight=Weight.NOW,
    ),
    Command(
        "sign",
        ("enter", "space"),
        "⏎",
        lambda m: f"sign as {m.signoff.title}" if m.signoff is not None else "sign",
        "Give or refuse the signature of the selected role.",
        "Sign-off",
        lambda m: _open(m) and m.signoff is not None and not m.signoff.given,
        lambda m: SignRole(m.signoff.role) if m.signoff is not None else None,
        screens=("signoff",),
        weight=Weight.NOW,
    ),
    Command(
        "override-finding",
        ("enter", "space"),
        "⏎",
        "go on despite it",
        "Go on despite the selected finding; the reason is recorded.",
        "Findings",
        lambda m: (
            _unfinished(m) and m.finding is not None and m.finding.severity != "note" and not m.finding.overridden
        ),
        _override_finding,
        screens=("alerts",),
        weight=Weight.DANGER,
    ),
    Command(
        "close",
        ("f",),
        "f",
        "close the run",
        "End the run: completed when the plan allows it, else failed or abandoned, with a reason.",
        "Run",
        lambda m: _open(m) and not m.state.running,
        close_run,
        footer=False,
    ),
    Command(
        "disarm",
        ("d",),
        "d",
        "take the yes back",
        "Take back a confirmation that was given ahead.",
        "Step",
        _is(StepStatus.ARMED),
        _about_step(lambda step: Send(intents.Disarm(step), "The yes is taken back.")),
    ),
    Command(
        "stop",
        ("a",),
        "a",
        "stop at the next safe point",
        "Stop what is running at its next safe point, and hold the run.",
        "Run",
        _can_stop,
        _stop,
    ),
    Command(
        "hold",
        ("h",),
        "h",
        lambda m: "resume" if m.state.status is RunStatus.HELD else "hold",
        "Hold: no further step starts by itself. Pressed again: resume.",
        "Run",
        lambda m: _open(m) and m.state.incident_at is None,
        _hold_or_resume,
    ),
    Command(
        "incident",
        ("i",),
        "i",
        "incident",
        "Declare an incident, from any screen: holds the run and starts the incident's clock.",
        "Run",
        lambda m: _open(m) and m.state.incident_at is None,
        lambda m: declare_incident(),
        screens=(),
        weight=Weight.DANGER,
    ),
    Command(
        "close-incident",
        ("c",),
        "c",
        "close the incident",
        "Close the incident; the run stays held until it is resumed.",
        "Run",
        lambda m: _open(m) and m.state.incident_at is not None,
        _close_incident,
        screens=(),
    ),
    Command(
        "by-hand",
        ("b",),
        "b",
        "done by hand",
        "Record that a step was done elsewhere; its result is still verified.",
        "Step",
        _can_do_by_hand,
        lambda m: by_hand(m.step).lead if m.step is not None else None,
        footer=False,
    ),
    Command(
        "leave-out",
        ("x",),
        "x",
        "leave out",
        "Skip a step with a reason. Steps that protect later ones cannot be left out so.",
        "Step",
        _can_leave_out,
        lambda m: leave_out(m.step).lead if m.step is not None else None,
        footer=False,
    ),
    Command(
        "again",
        ("u",),
        "u",
        "do it again",
        "Reopen a step that is over, and with it everything that was built on it.",
        "Step",
        _is(StepStatus.SUCCEEDED, StepStatus.SKIPPED),
        lambda m: reopen(m.step, "what was built on it is reopened too").lead if m.step is not None else None,
    ),
    Command(
        "look",
        ("v",),
        "v",
        "look again",
        "Take a new preview of the selected step. It changes nothing.",
        "Step",
        lambda m: (
            _is(StepStatus.READY, StepStatus.WAITING, StepStatus.ARMED)(m)
            and m.step is not None
            and m.step.step.action is not None
        ),
        _about_step(lambda step: Send(intents.Look(step))),
        footer=False,
    ),
    *(_way(number) for number in range(1, 10)),
    Command(
        "note",
        ("n",),
        "n",
        "note",
        "Words for the record, from any screen.",
        "Run",
        _unfinished,
        _note,
        screens=(),
    ),
)
