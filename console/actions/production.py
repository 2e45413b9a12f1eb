"""What state production is in, as far as the run's record says it: the middle part of every error.

`in_production` completes whatever an adapter or an action raises with that sentence and with a remedy, so
that no error of a step reaches a person without both.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from console.actions.handover import left_by, states_of
from console.domain.released import migrated, pushed, release_commit
from console.domain.state import StepState, StepStatus
from console.errors import ConsoleError, ServiceError
from console.ports import Context

_UNTOUCHED = "Production is untouched: nothing was pushed, the database is as it was."
_TOUCHED = frozenset({StepStatus.RUNNING, StepStatus.FAILED, StepStatus.UNCERTAIN})


def state_of_production(ctx: Context) -> str:
    """One or two sentences: which code production runs, and which schema it has, after the steps so far."""
    code, schema = state_of_code(ctx), _schema(ctx)
    if not code and not schema:
        return _UNTOUCHED
    return f"{code or 'Nothing was pushed.'} {state_of_schema(ctx)}"


def state_without_push(ctx: Context) -> str:
    """The same where it was seen that nothing of the release is on the branch, whatever was attempted."""
    if _schema(ctx) or _left(ctx, "rollback.push", "commit"):
        return f"Nothing of this release was pushed. {state_of_schema(ctx)}"
    return _UNTOUCHED


def state_of_schema(ctx: Context) -> str:
    """One sentence: whether the migration is in the database."""
    return _schema(ctx) or "The database is not migrated."


def state_of_code(ctx: Context) -> str:
    """One sentence: which code production runs; empty before anything was pushed."""
    branch = ctx.plan.release.target
    reverted = _left(ctx, "rollback.push", "commit")
    if reverted:
        return _running(f"{branch} holds the revert {reverted[:7]}", states_of(ctx, "rollback.deploy"))
    if not pushed(ctx.state):
        attempted = any(s.attempt and s.status in _TOUCHED for s in states_of(ctx, "source.push"))
        return f"The push to {branch} was attempted: look at the branch and the services." if attempted else ""
    release = release_commit(ctx.state)[:7] or "the release"
    return _running(f"{branch} holds {release}", states_of(ctx, "build.follow"))


def _running(holds: str, deploys: tuple[StepState, ...]) -> str:
    """What the branch holds, and which services are known to run it."""
    live: list[str] = []
    pending: list[str] = []
    for state in deploys:
        service = str(state.step.params.get("service", state.step.title))
        (live if state.status is StepStatus.SUCCEEDED else pending).append(service)
    parts = [holds]
    if live:
        parts.append(f"{' and '.join(live)} run{'s' if len(live) == 1 else ''} it")
    if pending:
        parts.append(f"{' and '.join(pending)} not (or not yet)")
    return "; ".join(parts) + "."


def _schema(ctx: Context) -> str:
    version = ctx.plan.migration.version
    instance = _left(ctx, "rollback.switch", "postgres_id")
    if instance:
        return f"The services are pointed at {instance}, with the schema from before migration {version}."
    if _left(ctx, "rollback.schema", "committed_at"):
        return f"Migration {version} was taken back: the schema is the one from before."
    if migrated(ctx.state):
        return f"Migration {version} is in the database."
    if any(s.attempt and s.status in _TOUCHED for s in states_of(ctx, "migrate.run")):
        return f"Migration {version} was started; it is one transaction: wholly in, or not at all."
    return ""


def _left(ctx: Context, action: str, key: str) -> str:
    """What a step of the way back that succeeded left under a key; empty when there is nothing."""
    record = left_by(ctx, action)
    return str(record.data.get(key) or "") if record is not None else ""


@contextmanager
def in_production(ctx: Context, remedy: str, *, production: str = "", beside: str = "") -> Iterator[None]:
    """Complete errors from inside with production's state and, where they name none, with `remedy`.

    `beside` is said after the words of an error that speaks of one part of production alone.
    """
    try:
        yield
    except ServiceError as error:
        # An adapter knows what its own request left behind, but not where the release stands.
        error.production = f"{error.production} {production or state_of_production(ctx)}".strip()
        error.remedy = error.remedy or remedy
        raise
    except ConsoleError as error:
        known = f"{error.production} {beside}".strip() if error.production else ""
        error.production = known or production or state_of_production(ctx)
        error.remedy = error.remedy or remedy
        raise
