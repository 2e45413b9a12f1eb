"""A plan in a screenful of text: what would be done, against what, in which order, and for how long."""

from collections.abc import Iterator
from textwrap import wrap

from console.domain.plan import DurationRange, Plan, Step, StepKind, Strength

_WIDTH = 100
_TITLE_WIDTH = 52


def plan_summary(plan: Plan) -> str:
    """The plan as lines of text: its release, then phases with their steps, then the timeline and what must be met."""
    return "\n".join((*_heading(plan), "", *_checklist(plan), *_timeline(plan), "", *_closing(plan)))


def _heading(plan: Plan) -> Iterator[str]:
    release, migration = plan.release, plan.migration
    dated = f" of {plan.date}" if plan.date else ""
    yield f"{plan.title}: {plan.name}{dated}, against {plan.environment}"
    if plan.risk:
        yield f"  risk       {plan.risk}"
    yield f"  release    {release.source} → {release.target} with {release.fix_commit}, {_count(release.files, 'file')}"
    yield f"  migration  {migration.file}"
    gone, new = ", ".join(migration.removed) or "nothing", ", ".join(migration.added) or "nothing"
    yield f"             {migration.table}: removes {gone}; adds {new}"
    services = ", ".join(service.name for service in plan.services_in("production"))
    yield f"  services   {services}"
    yield f"  database   {plan.database.name} ({plan.database.postgres_id}), TLS {plan.database.tls}"
    yield from wrap(f"  hosts      {', '.join(plan.hosts)}", _WIDTH, subsequent_indent=" " * 13, break_on_hyphens=False)


def _checklist(plan: Plan) -> Iterator[str]:
    for phase in plan.phases:
        yield phase.title
        for step in plan.steps_of(phase.id):
            planned = "" if step.planned is None else words(step.planned)
            yield f"  {step.id:<17}{step.title:<{_TITLE_WIDTH}} {planned:>10}  {_who(step)}".rstrip()
        yield ""


def _who(step: Step) -> str:
    if step.kind is StepKind.SIGNOFF:
        return "signature"
    if step.kind is StepKind.MANUAL:
        return "tick"
    if step.confirmation is None:
        return ""
    return f"type {step.confirmation.phrase}" if step.confirmation.strength is Strength.TYPE else "ask"


def _timeline(plan: Plan) -> Iterator[str]:
    yield "Timeline"
    for row in plan.timeline:
        yield f"  {row.phase:<9}{row.title:<30}{words(row.planned):>12}"
    total = sum((row.planned for row in plan.timeline), DurationRange(0, 0))
    yield f"  declared {words(plan.declared_total)}; one after the other the rows add up to {words(total)}"


def _closing(plan: Plan) -> Iterator[str]:
    required = [
        f"{signoff.title} ({signoff.login})" if signoff.login else signoff.title
        for signoff in plan.signoffs
        if signoff.required
    ]
    yield f"{_count(plan.steps, 'step')}, {_count(plan.checks, 'check')}, {_count(plan.criteria, 'success criterion')}"
    yield f"signed by {', '.join(required) or 'nobody'}{'; by nobody who drives' if plan.four_eyes else ''}"


def words(planned: DurationRange) -> str:
    """A planned range as people say it: `10-20 min`, `15 s`, `1-3 min`."""
    unit, name = (1.0, "s") if planned.high < 60 else (60.0, "min") if planned.high <= 3 * 3600 else (3600.0, "h")
    low, high = f"{planned.low / unit:.3g}", f"{planned.high / unit:.3g}"
    return f"{high} {name}" if low == high else f"{low}-{high} {name}"


def _count(items: tuple[object, ...], word: str) -> str:
    plural = "success criteria" if word == "success criterion" else f"{word}s"
    return f"{len(items)} {word if len(items) == 1 else plural}"
