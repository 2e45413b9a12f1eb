"""The ways out of a step that failed or is uncertain, or whose guard has not succeeded. Never a dead end.

Pure: options with their consequences in words. The domain decides again when the intent arrives.
"""

from console.domain import intents
from console.domain.dependencies import guarded_by
from console.domain.plan import StepKind
from console.domain.state import StepState, StepStatus
from console.errors import Refused
from screens.leads import Answer, Ask, Choose, Option, Send, SignRole
from screens.moment import Moment
from screens.paint import ink


def ways(moment: Moment) -> tuple[Option, ...]:
    """What can be done about the selected step, most usual first; empty when nothing is wrong with it."""
    step = moment.step
    if step is None:
        return ()
    if step.status is StepStatus.FAILED:
        return (*_after_failure(moment, step), *_incident(moment))
    if step.status is StepStatus.UNCERTAIN:
        return (*_uncertain(step), *_incident(moment)) if step.unknown else ()
    if step.status in (StepStatus.WAITING, StepStatus.READY):
        return tuple(_override(step, guard) for guard in unmet_guards(moment, step))
    return ()


def unmet_guards(moment: Moment, step: StepState) -> tuple[StepState, ...]:
    """The guards of a step that were skipped or failed and that nobody has overridden for it."""
    candidates = (moment.state.steps[g] for g in step.step.guards if g in moment.state.steps)
    lost = (StepStatus.SKIPPED, StepStatus.FAILED)
    return tuple(g for g in candidates if g.status in lost and g.step.id not in step.overridden_guards)


def _after_failure(moment: Moment, step: StepState) -> list[Option]:
    again = "asks for your yes anew" if step.step.confirmation is not None else "then does it once more"
    if step.step.kind is StepKind.SIGNOFF:
        return [
            Option(
                "Sign after all", "the same role signs when the objection is settled", SignRole(step.step.role or "")
            )
        ]
    options = [Option("Try again", f"looks at the world first, {again}", Send(intents.Retry(step.step.id)))]
    reopens = step.failure.reopens if step.failure is not None and step.failure.reopens else step.step.reopens
    for earlier_id in reopens:
        if earlier_id in moment.state.steps:
            options.append(reopen(moment.state.steps[earlier_id], "this step waits for it again"))
    options.append(by_hand(step))
    relying = guarded_by(moment.state.steps, step.step.id)
    if not relying:
        options.append(leave_out(step))
    options.extend(_override(moment.state.steps[other], step) for other in relying[:2])
    return options


def reopen(step: StepState, consequence: str) -> Option:
    """Do an earlier step again."""
    return Option(
        f"Go back to “{step.step.title}”",
        f"it is done again; {consequence}",
        Ask(
            f"Go back to “{step.step.title}”",
            ("It is done again, and with it everything that was built on it.",),
            "Reopen it",
            lambda answer: intents.Reopen(step.step.id, answer.text),
        ),
    )


def by_hand(step: StepState) -> Option:
    """The person did it elsewhere."""
    return Option(
        "Done by hand",
        "you did it elsewhere; the result is still verified",
        Ask(
            f"“{step.step.title}” was done by hand",
            ("Say what you did and where. The result is still verified from outside.",),
            "Verify and record it",
            lambda answer: intents.DoneByHand(step.step.id, answer.text),
            label="What you did",
        ),
    )


def not_verified(intent: intents.DoneByHand, title: str, refusal: Refused) -> Choose:
    """What was done by hand does not pass its verification: accept that on the record, or put it right."""
    accept = Ask(
        f"Accept “{title}” as it is",
        ("Its verification failed. Say why the run may go on all the same; it stands in the record.",),
        "Accept it",
        lambda answer: intents.DoneByHand(intent.step, intent.note, accept=answer.text),
        danger=True,
    )
    label, consequence = "Accept it although verification fails", "your name and reason stand in the record"
    body = [ink.line((refusal.message, ink.DANGER))]
    if refusal.remedy:
        body.append(ink.line(refusal.remedy))
    return Choose(f"“{title}” was not recorded", tuple(body), (Option(label, consequence, accept, danger=True),))


def leave_out(step: StepState) -> Option:
    """Skip a step that nothing else relies on."""
    return Option(
        "Leave it out",
        "the run goes on without it; the reason stands in the record",
        Ask(
            f"Leave out “{step.step.title}”",
            ("The run goes on without it. A success criterion that it proves stays unproven.",),
            "Leave it out",
            lambda answer: intents.Skip(step.step.id, answer.text),
            danger=True,
        ),
    )


def _override(step: StepState, guard: StepState) -> Option:
    def build(answer: Answer) -> intents.Intent:
        return intents.OverrideGuard(step.step.id, guard.step.id, answer.text, answer.typed)

    return Option(
        f"Go on to “{step.step.title}” without “{guard.step.title}”",
        "the guard has not succeeded; it protects what follows",
        Ask(
            f"Without “{guard.step.title}”",
            (
                f"“{step.step.title}” relies on “{guard.step.title}”, which has not succeeded.",
                "Going on without it gives up what it protects.",
            ),
            "Go on without it",
            build,
            danger=True,
            phrase=guard.step.id,
        ),
        danger=True,
    )


def _uncertain(step: StepState) -> list[Option]:
    def reconcile(answer_: str) -> "Ask":
        done = answer_ == "done"
        return Ask(
            f"“{step.step.title}” {'was carried out' if done else 'was not carried out'}",
            (
                ("The run goes on as if it had succeeded." if done else "It may then be carried out again.")
                + " Say how you know.",
            ),
            "It was done" if done else "It was not done",
            lambda answer: intents.Reconcile(step.step.id, answer_, answer.text),
            label="How you know",
            danger=True,
        )

    return [
        Option("Look once more", "reads the world only", Send(intents.Reconcile(step.step.id, "probe"))),
        Option("It was carried out", "the run goes on from after it", reconcile("done")),
        Option("It was not carried out", "it is ready again and may be repeated", reconcile("not_done"), danger=True),
    ]


def _incident(moment: Moment) -> tuple[Option, ...]:
    if moment.state.incident_at is not None:
        return ()
    return (
        Option("Declare an incident", "holds the run and starts the incident's clock", declare_incident(), danger=True),
    )


def declare_incident() -> Ask:
    """Something is wrong in production."""
    return Ask(
        "Declare an incident",
        ("The run is held: no step starts by itself. A step that runs goes on to its end.",),
        "Declare it",
        lambda answer: intents.DeclareIncident(answer.text),
        label="What is wrong",
        danger=True,
    )
