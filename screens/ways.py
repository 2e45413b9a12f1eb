"""The ways out of a step that failed or is uncertain, or whose guard has not succeeded. Never a dead end.

Pure: options with their consequences in words. The domain decides again when the intent arrives.
"""

from dataclasses import replace

from console.domain import intents
from console.domain.dependencies import guarded_by, undone_with
from console.domain.plan import StepKind
from console.domain.state import FindingState, RunState, RunStatus, StepState, StepStatus
from console.errors import Refused
from screens.leads import Answer, Ask, Choose, Option, Send, Show, SignRole
from screens.moment import Moment
from screens.paint import ink, words

MOST_NAMED = 8
"""Steps that a question names one by one; the rest is counted."""

GIVEN_UP = {
    "backup.export": "there is no copy of the data to go back to",
    "backup.verify": "nobody knows whether the copy can be restored",
    "source.deployed": "the release goes out untried",
    "source.content": "other changes than the declared ones may go out",
    "source.merge": "the branch does not hold the release",
    "source.push": "the release is not on the branch: what follows finds nothing to do, or the wrong thing",
    "build.follow": "old code may meet the new schema: users see errors",
    "migrate.connect": "nobody has seen that the database answers as the right one",
    "migrate.run": "new code stays on the old schema: users see errors",
    "rollback.fence": "users go on writing what is then lost",
}
"""What is given up by going on without a guard, by the guard's action."""


def ways(moment: Moment) -> tuple[Option, ...]:
    """What can be done about the selected step, most usual first; empty when nothing is wrong with it."""
    return ways_of(moment.state, moment.step) if moment.step is not None else ()


def ways_of(state: RunState, step: StepState) -> tuple[Option, ...]:
    """What can be done about a step; empty when nothing is wrong with it, or it is set aside for a way back.

    What the failure itself names comes first; going on without a guard comes last.
    """
    if state.set_aside(step.step.id):
        return ()
    if step.status is StepStatus.FAILED:
        return (*_after_failure(state, step), *_incident(state), *_without_it(state, step))
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
    if step.step.kind is StepKind.SIGNOFF:
        signed = "the same role signs when the objection is settled"
        return [
            Option("Sign after all", signed, SignRole(step.step.role or "")),
            ending("failed", "Close the run as failed", "the objection stands; a closed run stays closed", danger=True),
        ]
    named = step.failure.reopens if step.failure is not None else ()
    earlier = [state.steps[each] for each in named or step.step.reopens if each in state.steps]
    back = [reopen(state, each, "this step waits for it again") for each in earlier]
    if named and back:
        back[0] = replace(back[0], recommended=True)
    options = [*back, _again(state, step, named=True)] if named else [_again(state, step, named=False), *back]
    options.append(by_hand(step))
    if not guarded_by(state.steps, step.step.id):
        options.append(leave_out(step))
    if state.rollback is not None and not state.running:
        options.append(Option("Leave this way back", "what it has done stays; another way can be chosen", drop_way()))
    return options


def _again(state: RunState, step: StepState, *, named: bool) -> Option:
    """Try it again. `named`: the failure says what has to be done anew, so that this alone may not help."""
    then = "asks for your yes anew" if step.step.confirmation is not None else "then does it once more"
    if state.status is RunStatus.HELD and step.step.confirmation is None:
        then = "does it once more when the run is resumed (h)"
    first = "fails again unless its cause is gone" if named else "looks at the world first"
    said = "The run is held: h resumes it." if state.status is RunStatus.HELD else ""
    return Option(
        "Try again", f"{first}; {then}" if named else f"{first}, {then}", Send(intents.Retry(step.step.id), said)
    )


def reopen(state: RunState, step: StepState, consequence: str) -> Option:
    """Do an earlier step again. What is done again with it, and whose signature is lost, stands in the question."""
    return Option(
        f"Go back to “{step.step.title}”",
        f"it is done again; {consequence}",
        Ask(
            f"Go back to “{step.step.title}”",
            ("It is done again, and with it everything that was built on it.", *_undone(state, step)),
            "Reopen it",
            lambda answer: intents.Reopen(step.step.id, answer.text),
        ),
    )


def _undone(state: RunState, step: StepState) -> tuple[str, ...]:
    undone = [each.step.title for each in undone_with(state.plan, state.steps, step.step.id)]
    lost = [f"{each.title} ({each.name})" for each in state.signoffs.values() if each.given]
    more = f" · and {len(undone) - MOST_NAMED} more" if len(undone) > MOST_NAMED else ""
    named = " · ".join(undone[:MOST_NAMED])
    steps = f"Done again with it ({len(undone)}): {named}{more}" if undone else "Nothing was built on it so far."
    signatures = f"Signatures that are lost ({len(lost)}): {' · '.join(lost)}" if lost else "No signature is lost."
    return steps, signatures


def ending(outcome: str, label: str, consequence: str, *, danger: bool = False) -> Option:
    """One way to end the run."""
    return Option(
        label,
        consequence,
        Ask(
            f"Close the run: {label.lower()}",
            ("A closed run cannot be opened again.",),
            label,
            lambda answer: intents.Finish(outcome, answer.text),
            label="Reason" if danger else "Words for the record (may be empty)",
            required=danger,
            danger=danger,
        ),
        danger=danger,
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


def _without_it(state: RunState, guard: StepState) -> tuple[Option, ...]:
    """Going on without a guard that failed: the first two that rely on it."""
    if guard.step.kind is StepKind.SIGNOFF:
        return ()
    relying = guarded_by(state.steps, guard.step.id)
    return tuple(_override(state.steps[other], guard) for other in relying[:2])


def _override(step: StepState, guard: StepState) -> Option:
    def build(answer: Answer) -> intents.Intent:
        return intents.OverrideGuard(step.step.id, guard.step.id, answer.text, answer.typed)

    given_up = GIVEN_UP.get(guard.step.action or "", "nobody has proven what it is there for")
    return Option(
        f"Go on to “{step.step.title}” without “{guard.step.title}”",
        given_up,
        Ask(
            f"Without “{guard.step.title}”",
            (
                f"“{step.step.title}” relies on “{guard.step.title}”, which has not succeeded.",
                f"Without it, {given_up}.",
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


def no_go(state: RunState) -> Choose | None:
    """Why the run cannot begin, blocker by blocker, and the keys that lead on; None without a blocker."""
    found = blockers(state)
    if not found:
        return None
    body = []
    for each in found:
        body.append(ink.line(("✗ ", ink.DANGER_STRONG), (each.message, ink.DANGER)))
        if each.remedy:
            body.append(ink.line(("  What helps  ", ink.QUIET), each.remedy))
    body.append(ink.line("Production is untouched: nothing was started."))
    return Choose(
        f"No-go: {words.count(len(found), 'blocker')}",
        tuple(body),
        (
            Option("Look at the findings", "⏎ there goes on despite one, with a reason", Show("alerts"), key="w"),
            Option("Look once more", "the preflight again, when the cause is removed", Show("preflight"), key="p"),
        ),
    )


def blockers(state: RunState) -> tuple[FindingState, ...]:
    """The findings that keep a run from beginning."""
    return tuple(each for each in state.findings.values() if each.severity == "blocker" and not each.overridden)


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
    """What the console would call the incident: the step that failed last, else the alert that offers one.

    What a failure leads to (errors, alerts) is not its cause: the step says what went wrong.
    """
    failed = [s for s in state.active if s.status is StepStatus.FAILED and s.failure is not None]
    last = max(failed, key=lambda s: (s.ended_at is not None, s.ended_at), default=None)
    if last is not None and last.failure is not None:
        return f"{last.step.title}: {last.failure.message}".split("\n", 1)[0]
    offers = [alert.message for alert in state.alerts.values() if alert.offer == "incident" and not alert.cleared]
    return offers[-1].split("\n", 1)[0] if offers else ""
