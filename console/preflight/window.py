"""Window: for how long code and schema do not fit each other, and what is broken meanwhile."""

from collections.abc import AsyncIterator, Mapping, Sequence
from statistics import median

from console.domain.findings import Finding, Severity
from console.domain.hosting import Deploy
from console.domain.plan import DurationRange, Plan, Step
from console.migration.code_references import CodeReference, Place, code_references
from console.preflight.ground import Ground, listed

_AHEAD = "Confirm the migration while the services build: it is armed then, and nobody's thinking time is added."
_SPLIT = "Without any window: expand, backfill and contract in migration files of their own."


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """Code before schema, or the other way round: what the plan's order of steps means for users."""
    plan = ground.plan
    migrate = _step_of(plan, "migrate.run")
    push = _step_of(plan, "source.push")
    if migrate is None or push is None:
        return
    if push.id in _ancestors(plan, migrate.id):
        async for finding in _code_first(ground, migrate):
            yield finding
    else:
        async for finding in _schema_first(ground):
            yield finding


async def _code_first(ground: Ground, migrate: Step) -> AsyncIterator[Finding]:
    """New code asks for a column that does not exist yet."""
    plan = ground.plan
    early = _living(await ground.code(ground.tips.source, plan.migration.code_paths), plan.migration.added)
    if not early:
        message = "New code is live before the migration, and none of it names the new columns."
        yield Finding("window.code_first", Severity.NOTE, message)
        return
    length = _expected(plan, migrate)
    builds = await _builds(ground)
    files = sorted({reference.path for reference in early})
    yield Finding(
        "window.code_first",
        Severity.WARNING,
        f"New code is live before {listed(plan.migration.added)} exists: what reads it fails for {_words(length)}.",
        f"{listed(files)} name it" + (f"; builds took {builds} lately" if builds else ""),
        f"{_AHEAD} {_SPLIT}",
    )
    if length is not None and length.high > plan.thresholds.schema_gap:
        yield Finding(
            "window.too_long",
            Severity.WARNING,
            "The window is expected to last longer than the plan lets errors of this kind go on without an alarm.",
            f"up to {_words(DurationRange(length.high, length.high))}, alarm after {plan.thresholds.schema_gap:.0f} s",
            "Raise thresholds.schema_gap, or shorten the window.",
        )


async def _schema_first(ground: Ground) -> AsyncIterator[Finding]:
    """Old code names columns that are gone already."""
    plan = ground.plan
    late = _living(await ground.code(ground.tips.target, plan.migration.code_paths), plan.migration.removed)
    if late:
        files = sorted({reference.path for reference in late})
        yield Finding(
            "window.schema_first",
            Severity.WARNING,
            f"The schema changes before new code is live: old code names {listed(plan.migration.removed)} until then.",
            f"{listed(files)} name them, in {len(late)} places",
            _SPLIT,
        )


def _expected(plan: Plan, migrate: Step) -> DurationRange | None:
    """From the first service that is live on new code to the migration's COMMIT, when it was confirmed ahead."""
    builds = [step.planned for step in plan.steps if step.action == "build.follow" and step.planned is not None]
    if migrate.planned is None:
        return None
    apart = max((each.high for each in builds), default=0.0) - min((each.low for each in builds), default=0.0)
    return DurationRange(migrate.planned.low, migrate.planned.high + apart)


async def _builds(ground: Ground) -> str:
    """How long the last builds of production's services took, in the median; empty when it is not known."""
    taken: list[str] = []
    for service in ground.plan.services_in("production"):
        deploys = await ground.ports.hosting.deploys(service.id, limit=10)
        seconds = [length for deploy in deploys if (length := _length(deploy)) is not None]
        if seconds:
            taken.append(f"{service.key} {_words(DurationRange(median(seconds), median(seconds)))}")
    return ", ".join(taken)


def _length(deploy: Deploy) -> float | None:
    if deploy.started_at is None or deploy.finished_at is None or deploy.status.failed:
        return None
    return (deploy.finished_at - deploy.started_at).total_seconds()


def _living(files: Mapping[str, bytes], columns: Sequence[str]) -> list[CodeReference]:
    """Mentions of the columns that are more than comments."""
    return [found for found in code_references(files, columns) if found.place is not Place.COMMENT]


def _step_of(plan: Plan, action: str) -> Step | None:
    return next((step for step in plan.steps if step.action == action), None)


def _ancestors(plan: Plan, step_id: str) -> set[str]:
    found: set[str] = set()
    waiting = [step_id]
    while waiting:
        new = [name for name in plan.step(waiting.pop()).after if name not in found]
        found.update(new)
        waiting.extend(new)
    return found


def _words(length: DurationRange | None) -> str:
    if length is None:
        return "a time that the plan does not state"
    if length.high < 120:
        low, high, unit = round(length.low), round(length.high), "s"
    else:
        low, high, unit = round(length.low / 60), round(length.high / 60), "min"
    return f"{high} {unit}" if low == high else f"{low}-{high} {unit}"
