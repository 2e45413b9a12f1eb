"""What watching production says: deploys that were seen, and alerts that depend on time. Pure.

Compared with what already stands, so that asking again says nothing twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from console.domain.events import Draft, Kind
from console.domain.health import LogClass
from console.domain.hosting import Deploy, DeployStatus
from console.domain.plan import Json, Service
from console.domain.released import MIGRATE, by_action, live_builds, migrated, pushed, release_commit
from console.domain.state import RunState, RunStatus

SCHEMA_GAP = "schema-gap"
PROVIDER = "provider"

BURST = 20
"""Errors of one service within a minute that raise an alert; fewer than half of it clear that."""

EXPECTED = 100
"""Schema errors of one service within a minute that the plan's order explains, while new code waits for its schema."""

Errors = Mapping[tuple[str, LogClass], int]
"""Errors of the last minute, by service (its id) and class."""


def raised(state: RunState, alert_id: str) -> bool:
    """Whether an alert stands."""
    alert = state.alerts.get(alert_id)
    return alert is not None and not alert.cleared


def alert(
    state: RunState, alert_id: str, message: str, *, severity: str = "danger", offer: str | None = "incident"
) -> tuple[Draft, ...]:
    """Raise an alert, unless it stands or the run is finished."""
    if raised(state, alert_id) or state.status is RunStatus.FINISHED:
        return ()
    data: dict[str, Json] = {"alert": alert_id, "severity": severity, "message": message, "offer": offer}
    return (Draft(Kind.ALERT_RAISED, data=data),)


def clear(state: RunState, alert_id: str, reason: str) -> tuple[Draft, ...]:
    """Clear an alert that stands."""
    if not raised(state, alert_id) or state.status is RunStatus.FINISHED:
        return ()
    return (Draft(Kind.ALERT_CLEARED, data={"alert": alert_id, "reason": reason}),)


def schema_gap(state: RunState, now: datetime) -> float | None:
    """Wall seconds since new code is live on the old schema; None while that is not so."""
    if not by_action(state, MIGRATE) or migrated(state):
        return None
    since = [each.ended_at for each in live_builds(state) if each.ended_at is not None]
    return (now - min(since)).total_seconds() if since else None


def errors_count_since(state: RunState) -> datetime | None:
    """The moment before which errors were of another schema: the end of the migration. None before it."""
    if not migrated(state):
        return None
    ends = [each.ended_at for each in by_action(state, MIGRATE) if each.ended_at is not None]
    return max(ends, default=None)


def watch_schema_gap(state: RunState, now: datetime) -> tuple[Draft, ...]:
    """Speak up when new code waits for its schema longer than the plan accepts."""
    gap, limit = schema_gap(state, now), state.plan.thresholds.schema_gap
    if gap is None:
        return clear(state, SCHEMA_GAP, "the migration has run, or the new code is no longer live")
    if gap <= limit:
        return ()
    message = f"New code has been live on the old schema for {gap / 60:.0f} min; the plan accepts {limit / 60:.0f}."
    return alert(state, SCHEMA_GAP, message)


def watch_deploys(state: RunState, service: str, deploys: Sequence[Deploy]) -> tuple[Draft, ...]:
    """Note the newest deploy of a service (by its key), and speak up when it is not of the release.

    `deploys` are newest first. Before the push any deploy is as it should be.
    """
    if not deploys or state.status is RunStatus.FINISHED:
        return ()
    newest = deploys[0]
    known = state.deploys.get(service)
    drafts: list[Draft] = []
    if known is None or (known.deploy, known.status) != (newest.id, newest.status.value):
        data: dict[str, Json] = {
            "service": service,
            "deploy": newest.id,
            "status": newest.status.value,
            "commit": newest.commit,
            "trigger": newest.trigger,
        }
        drafts.append(Draft(Kind.DEPLOY_OBSERVED, data=data))
    drafts += _foreign(state, service, newest)
    return tuple(drafts)


def _foreign(state: RunState, service: str, newest: Deploy) -> tuple[Draft, ...]:
    alert_id, commit = f"deploy:{service}", release_commit(state)
    if state.rollback is not None:
        # A way back deploys other commits than the release, and looks for foreign deploys in steps of its own.
        return clear(state, alert_id, "a way back is being gone")
    if newest.commit == commit and newest.status is DeployStatus.LIVE:
        return clear(state, alert_id, "the release is live again")
    if not pushed(state) or not commit or not newest.commit or newest.commit == commit or newest.status.failed:
        return ()
    if not any(each.ended_at and newest.created_at > each.ended_at for each in by_action(state, "source.push")):
        return ()
    return alert(
        state,
        alert_id,
        f"{service}: a deploy of {newest.commit[:7]}, which is not the release, was begun ({newest.trigger}).",
    )


def watch_errors(state: RunState, errors: Errors, now: datetime) -> tuple[Draft, ...]:
    """Speak up when the services' logs show more errors than the moment explains."""
    waiting = schema_gap(state, now) is not None
    drafts: list[Draft] = []
    for service in state.plan.services_in("production"):
        schema = errors.get((service.id, LogClass.SCHEMA_ERROR), 0)
        others = errors.get((service.id, LogClass.ERROR), 0)
        drafts += _watch_schema_errors(state, service, schema, waiting=waiting)
        drafts += _watch_other_errors(state, service, others)
    return tuple(drafts)


def _watch_schema_errors(state: RunState, service: Service, count: int, *, waiting: bool) -> tuple[Draft, ...]:
    alert_id = f"schema-errors:{service.key}"
    if count > (EXPECTED if waiting else 0):
        why = "more than code that waits for its schema explains" if waiting else "code and schema do not fit"
        return alert(state, alert_id, f"{service.name}: {count} schema errors within a minute, {why}.")
    return clear(state, alert_id, "no more than explained within the last minute") if count == 0 or waiting else ()


def _watch_other_errors(state: RunState, service: Service, count: int) -> tuple[Draft, ...]:
    alert_id = f"errors:{service.key}"
    if count >= BURST:
        return alert(state, alert_id, f"{service.name}: {count} errors within a minute.")
    return clear(state, alert_id, f"{count} within the last minute") if count < BURST / 2 else ()
