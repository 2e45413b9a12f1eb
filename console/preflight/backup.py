"""Backup: the database can be exported now, and a moment of the past can be recovered."""

from collections.abc import AsyncIterator, Iterator

from console.domain.findings import Finding, Severity
from console.domain.plan import Plan
from console.preflight.ground import Ground, listed


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """What the plan makes hang on the backup; the instance, its exports, its recovery window."""
    for finding in _unguarded(ground.plan):
        yield finding
    postgres_id, backups = ground.plan.database.postgres_id, ground.ports.backups
    instance = await backups.postgres(postgres_id)
    if instance.status != "available":
        yield Finding(
            "backup.instance",
            Severity.BLOCKER,
            f"The database {instance.name} is not available at the provider.",
            f"status: {instance.status}",
            "Wait until it is, or find out from the provider what happens to it.",
        )
    under_way = [export for export in await backups.exports(postgres_id) if export.url is None]
    if under_way:
        yield Finding(
            "backup.export_running",
            Severity.WARNING,
            "An export is under way already, and the provider makes one at a time.",
            f"{under_way[0].id}, since {under_way[0].created_at:%Y-%m-%d %H:%M} UTC",
            "Wait until it has ended before the backup is started.",
        )
    recovery = await backups.recovery(postgres_id)
    if recovery.status == "AVAILABLE":
        since = f" since {recovery.starts_at:%Y-%m-%d %H:%M} UTC" if recovery.starts_at is not None else ""
        yield Finding(
            "backup.recovery",
            Severity.NOTE,
            f"Any moment{since} can be recovered, except the last ten minutes.",
            f"status: {recovery.status}",
        )
    else:
        yield Finding(
            "backup.recovery",
            Severity.WARNING,
            "No moment of the past can be recovered now: the export would be the only way back.",
            f"status: {recovery.status}",
            "Wait until the provider's first backup is ready, or choose a plan with point-in-time recovery.",
        )


def _unguarded(plan: Plan) -> Iterator[Finding]:
    """Steps that change the database although no verified backup may exist."""
    verified = {step.id for step in plan.steps if step.action == "backup.verify"}
    for step in plan.steps:
        if step.action == "migrate.run" and not verified & set(step.guards):
            yield Finding(
                f"backup.no_guard.{step.id}",
                Severity.WARNING,
                f"“{step.title}” does not depend on a verified backup.",
                f"guards: {listed(step.guards) or 'none'}",
                "Name the step that verifies the backup among its guards.",
            )
