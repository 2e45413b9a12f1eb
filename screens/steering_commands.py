"""The half of the table that ends at the helm. It is offered only where there is one.

Availability is a pure function of the moment; the domain decides again when the intent arrives.
"""

from collections.abc import Callable

from console.domain import intents
from console.domain.dependencies import guarded_by
from console.domain.plan import StepKind
from console.domain.state import RunStatus, StepStatus
from screens import not_now
from screens.command import Command, Weight
from screens.going_back import numbered_lead
from screens.incident_commands import INCIDENT
from screens.leads import Ask, Lead, Send, SignRole
from screens.moment import Moment
from screens.next_thing import close_run, next_label, next_lead
from screens.ways import by_hand, leave_out, reopen, ways

STEPS = ("run", "incident")
"""The screens on which a step can be selected."""


def _is(*statuses: StepStatus) -> Callable[[Moment], bool]:
    return lambda m: (
        m.open and m.step is not None and m.step.status in statuses and not m.state.set_aside(m.step.step.id)
    )


def _about_step(build: Callable[[str], Lead]) -> Callable[[Moment], Lead | None]:
    return lambda m: build(m.step.step.id) if m.step is not None else None


def _can_stop(moment: Moment) -> bool:
    return moment.open and any(not s.stopping for s in moment.state.running)


def _stop(moment: Moment) -> Lead:
    titles = ", ".join(s.step.title for s in moment.state.running)
    return Ask(
        "Stop what is running",
        (f"{titles}: stops at its next safe point, not before. Then the run is held.",),
        "Stop it",
        lambda answer: intents.Abort(None, answer.text),
        label="Why (may be empty)",
        required=False,
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


def _hold_or_resume(moment: Moment) -> Lead:
    if moment.state.status is RunStatus.HELD:
        return Send(intents.Resume(), "Steps start by themselves again.")
    return Send(intents.Hold(), "Held: no further step starts by itself.")


def _drive_apart(moment: Moment) -> Lead:
    return Ask(
        "Nobody else drives",
        (
            "The shared record cannot be asked. Somebody who saw this console go silent may have taken the run over, "
            "and two who change production at once are what it protects from. Ask whoever could have.",
        ),
        "I alone drive",
        lambda answer: intents.DriveApart(answer.typed, answer.text),
        label="How do you know",
        phrase=moment.state.run,
        danger=True,
        said="On record. Steps that change production may begin.",
    )


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
        return options[number - 1].lead if number <= len(options) else numbered_lead(moment, number)

    def label(moment: Moment) -> str:
        options = ways(moment)
        return options[number - 1].label if number <= len(options) else f"look at way {number}"

    return Command(
        f"way-{number}",
        (str(number),),
        str(number),
        label,
        "The ways out of a failed or uncertain step, as its detail numbers them; in an incident, the ways back.",
        "Step",
        lambda m: m.open and lead(m) is not None,
        lead,
        screens=STEPS,
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
        screens=STEPS,
        weight=Weight.NOW,
    ),
    Command(
        "sign",
        ("enter", "space"),
        "⏎",
        lambda m: f"sign as {m.signoff.title}" if m.signoff is not None else "sign",
        "Give or refuse the signature of the selected role.",
        "Sign-off",
        not_now.can_sign,
        lambda m: SignRole(m.signoff.role) if m.signoff is not None else None,
        screens=("signoff",),
        weight=Weight.NOW,
        why_not=not_now.no_signature,
    ),
    Command(
        "override-finding",
        ("enter", "space"),
        "⏎",
        "go on despite it",
        "Go on despite the selected finding; the reason is recorded.",
        "Findings",
        lambda m: m.unfinished and m.finding is not None and m.finding.severity != "note" and not m.finding.overridden,
        _override_finding,
        screens=("alerts", "preflight"),
        weight=Weight.DANGER,
    ),
    Command(
        "close",
        ("f",),
        "f",
        "close the run",
        "End the run: completed when the plan allows it, else failed or abandoned, with a reason.",
        "Run",
        lambda m: m.open and not m.state.running,
        close_run,
        screens=STEPS,
        footer=False,
        why_not=not_now.no_close,
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
        screens=STEPS,
    ),
    Command(
        "stop",
        ("a",),
        "a",
        "stop safely",
        "Stop what is running at its next safe point, and hold the run.",
        "Run",
        _can_stop,
        _stop,
        screens=STEPS,
        why_not=not_now.no_stop,
    ),
    Command(
        "hold",
        ("h",),
        "h",
        lambda m: "resume" if m.state.status is RunStatus.HELD else "hold",
        "Hold: no further step starts by itself. Pressed again: resume.",
        "Run",
        lambda m: m.open and (m.state.incident_at is None if m.state.rollback is None else not m.state.complete),
        _hold_or_resume,
        screens=STEPS,
        why_not=not_now.no_hold,
    ),
    Command(
        "drive-apart",
        ("z",),
        "z",
        "I alone drive",
        "While the shared record is lost: say that nobody else drives, so that what changes production may begin.",
        "Run",
        lambda m: m.unfinished and m.state.apart is not None and not m.state.apart.waived,
        _drive_apart,
        screens=STEPS,
        weight=Weight.DANGER,
    ),
    *INCIDENT,
    Command(
        "by-hand",
        ("b",),
        "b",
        "done by hand",
        "Record that a step was done elsewhere; its result is still verified.",
        "Step",
        _can_do_by_hand,
        lambda m: by_hand(m.step).lead if m.step is not None else None,
        screens=STEPS,
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
        screens=STEPS,
        footer=False,
        why_not=not_now.no_leaving_out,
    ),
    Command(
        "again",
        ("u",),
        "u",
        "do it again",
        "Reopen a step that is over, and with it everything that was built on it.",
        "Step",
        _is(StepStatus.SUCCEEDED, StepStatus.SKIPPED),
        lambda m: reopen(m.state, m.step, "what was built on it is reopened too").lead if m.step is not None else None,
        screens=STEPS,
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
        screens=STEPS,
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
        lambda m: m.unfinished,
        _note,
        screens=(),
    ),
)
