"""The run as a whole, where no single step is the point: before it has begun, and after it has ended."""

from textual.content import Content

from console.domain.plan import Strength
from console.domain.state import RunState, StepStatus
from console.domain.timeline import Timeline, timeline
from screens.paint import ink, words
from screens.paint.gist import criterion_sign
from screens.paint.way_gone import left_to_do
from screens.view import View


def before(view: View, width: int) -> list[Content]:
    """What is going to be deployed, where, and when it will ask."""
    plan = view.state.plan
    lines = [ink.line((plan.title, ink.STRONG))]
    if plan.description:
        lines += ink.wrapped(ink.line((plan.description, ink.QUIET)), width)
    release = plan.release
    services = [f"{service.name} ({service.branch})" for service in plan.services_in("production")]
    rows = [
        (
            "Deploys",
            ink.line(f"{release.source} → {release.target}", (f"  with {words.short(release.fix_commit)}", ink.IDENT)),
        ),
        ("Services", ink.line(", ".join(services) or "none")),
        (
            "Database",
            ink.line(plan.database.name, (f"  {plan.database.postgres_id}, TLS {plan.database.tls}", ink.QUIET)),
        ),
        ("Migration", ink.line(plan.migration.file)),
        ("Hosts", ink.line(words.hosts(plan.hosts) or "none named")),
        ("Length", ink.line(words.planned(plan.declared_total), ("  declared by the plan", ink.QUIET))),
    ]
    lines += [
        ink.BLANK,
        *ink.columns(rows, width),
        ink.BLANK,
        ink.heading("Asks you before" if view.driving else "Asks before"),
    ]
    for step in plan.steps:
        if step.confirmation is not None:
            typed = step.confirmation.strength is Strength.TYPE
            how = f"type “{step.confirmation.phrase}”" if typed else "a question"
            lines.append(
                ink.fit(
                    ink.line((f"{words.YOURS.mark} ", words.YOURS.style), step.title, (f"  {how}", ink.QUIET)), width
                )
            )
    return lines


def after(view: View, width: int) -> list[Content]:
    """How it ended, what production is now, what was proven, who signed."""
    state = view.state
    sign = words.outcome(state.outcome)
    title = ink.line((f"{sign.mark} {state.outcome.replace('_', ' ').capitalize()}", sign.style))
    lines = [ink.sides(title, ink.line((words.at(state.finished_at, seconds=True), ink.QUIET)), width)]
    for text in (state.outcome_reason, state.production):
        if text:
            lines += ink.wrapped(ink.line(text), width)
    lines += [ink.BLANK, *ink.columns(_figures(view), width)]
    if state.rollback is not None:
        lines += [ink.BLANK, *left_to_do(state, width)]
    lines += [ink.BLANK, ink.heading("Success criteria")]
    for criterion in state.criteria.values():
        mark = criterion_sign(criterion)
        proof = ink.line(criterion.title, (f"  {criterion.evidence}" if criterion.evidence else "", ink.QUIET))
        lines.append(ink.fit(Content.assemble(ink.line((f"{mark.mark} ", mark.style)), proof), width))
    return [*lines, *_signatures(state, width)]


def _figures(view: View) -> list[tuple[str, Content]]:
    state = view.state
    steps = list(state.steps.values())
    data = timeline(state, view.now)
    if state.rollback is not None:
        beside = "until the run was closed"
    else:
        beside = _beside_the_plan(data) if data.comparable else words.faster(state.pace)
    skipped = [s.step.title for s in steps if s.status is StepStatus.SKIPPED]
    by_hand = [s.step.title for s in steps if s.by == "hand" and s.step.action is not None]
    return [
        ("Took", ink.line(words.duration(view.since_start), (f"  {beside}", ink.QUIET))),
        ("Waited for people", ink.line(words.duration(data.waited_for_people))),
        ("Steps", ink.line(f"{sum(s.status is StepStatus.SUCCEEDED for s in steps)} of {len(steps)} done")),
        *((("Left out", ink.line(", ".join(skipped))),) if skipped else ()),
        *((("By hand", ink.line(", ".join(by_hand))),) if by_hand else ()),
    ]


def _beside_the_plan(data: Timeline) -> str:
    late = data.behind_minutes
    if late == 0:
        return "as planned"
    return f"{late} min longer than planned" if late > 0 else f"{-late} min less than planned"


def _signatures(state: RunState, width: int) -> list[Content]:
    if not state.signoffs:
        return []
    lines = [ink.BLANK, ink.heading("Signatures")]
    for signoff in state.signoffs.values():
        mark = words.OPEN if signoff.given is None else words.DONE if signoff.given else words.FAILED
        void = "not given" if signoff.void is None else f"{signoff.void.name}: void, {signoff.void.reason}"
        how = f", {signoff.how}" if signoff.how else ""
        who = f"{signoff.name}  {words.at(signoff.at)}{how}" if signoff.given is not None else void
        left = ink.line((f"{mark.mark} ", mark.style), signoff.title, (f"  {who}", ink.QUIET))
        lines.append(ink.fit(left, width))
    return lines
