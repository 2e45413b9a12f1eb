"""The ways out of a step that failed or is uncertain, or whose guard has not succeeded. Never a dead end.

Pure: options with their consequences in words. The domain decides again when the intent arrives.
"""

from console.domain import intents
from console.domain.dependencies import guarded_by
from console.domain.plan import StepKind
from console.domain.state import RunState, StepState, StepStatus
from console.errors import Refused
from screens.leads import Answer, Ask, Choose, Option, Send, Show, SignRole
from screens.moment import Moment
from screens.paint import ink


def ways(moment: Moment) -> tuple[Option, ...]:
    """What can be done about the selected step, most usual first; empty when nothing is wrong with it."""
    return ways_of(moment.state, moment.step) if moment.step is not None else ()


def ways_of(state: RunState, step: StepState) -> tuple[Option, ...]:
    """What can be done about a step; empty when nothing is wrong with it, or it is set aside for a way back."""
    if state.set_aside(step.step.id):
        return ()
    if step.status is StepStatus.FAILED:
        return (*_after_failure(state, step), *_incident(state))
    if step.status is StepStatus.UNCERTAIN:
        return (*_uncertain(step), *_incident(state)) if step.unknown else ()
    if step.status in (StepStatus.WAITING, StepStatus.READY):
        return tuple(_override(step, guard) for guard in unmet_guards(state, step))
    return ()


def unmet_guards(state: RunState, step: StepState) -> tuple[StepState, ...]:
    """The guards of a step that were skipped or failed and that nobody has overridden for it."""
    candidates = (state.steps[g] for g in step.step.guards if g in state.steps)
    lost = (StepStatus.SKIPPED, StepStatus.FAILED)
    return tuple(g for g in candidates if g.status in lost and g.step.id not in step.overridden_guards)


def _after_failure(state: RunState, step: StepState) -> list[Option]:
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
        if earlier_id in state.steps:
            options.append(reopen(state.steps[earlier_id], "this step waits for it again"))
    options.append(by_hand(step))
    relying = guarded_by(state.steps, step.step.id)
    if not relying:
        options.append(leave_out(step))
    options.extend(_override(state.steps[other], step) for other in relying[:2])
    if state.rollback is not None and not state.running:
        options.append(Option("Leave this way back", "what it has done stays; another way can be chosen", drop_way()))
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


def drop_way() -> Ask:
    """Go the chosen way back no further."""
    return Ask(
        "Leave this way back",
        ("What it has done stays as it is. Production is looked at anew, and another way can be chosen.",),
        "Leave it",
        lambda answer: intents.DropWay(answer.text),
        danger=True,
        said="The way is left. Looking where production stands now.",
    )


def _incident(state: RunState) -> tuple[Option, ...]:
    if state.rollback is not None:
        return ()
    if state.incident_at is not None:
        return (Option("Look at the ways back", "each with its price; nothing is begun by it", Show("incident")),)
    consequence = "holds the run, starts the incident's clock, shows the ways back"
    return (Option("Declare an incident", consequence, declare_incident(state), danger=True),)


def declare_incident(state: RunState) -> Ask:
    """Something is wrong in production. What the console knows of it stands there already; no word is needed."""
    return Ask(
        "Declare an incident",
        (
            "The run is held: no step starts by itself; one that runs goes on to its end.",
            "Then it is looked where production stands, and which ways lead back. That changes nothing.",
        ),
        "Declare it",
        lambda answer: intents.DeclareIncident(answer.text),
        label="What is wrong (may be empty)",
        required=False,
        proposed=what_is_wrong(state),
    )


def what_is_wrong(state: RunState) -> str:
    """What the console would call the incident: the alert that offers one, else the step that failed."""
    offers = [alert.message for alert in state.alerts.values() if alert.offer == "incident" and not alert.cleared]
    failed = [s for s in state.active if s.status is StepStatus.FAILED and s.failure is not None]
    said = offers or [f"{s.step.title}: {s.failure.message}" for s in failed if s.failure is not None]
    return said[-1].split("\n", 1)[0] if said else ""
