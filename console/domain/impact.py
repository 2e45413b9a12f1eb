"""What an incident meant to users, read from the run: since when, until when, what was lost, what they notice.

Pure. What always holds: service counts as restored only when everything that the way back needs for it has succeeded,
and a way that may leave production broken only once production was proven to be as it was before.
"""

from datetime import UTC, datetime

from console.domain import payload
from console.domain.incident import IncidentState, RollbackState
from console.domain.loss import Loss
from console.domain.plan import Json
from console.domain.released import MIGRATE, PUSH, by_action, live_builds, migrated, pushed
from console.domain.rollback import COSTS_ROWS
from console.domain.standing import Way, WayBack
from console.domain.state import RunState, StepState, StepStatus
from console.domain.wire import WireError, decode

FENCE = "rollback.fence"
SCHEMA = "rollback.schema"
PROVE = "rollback.prove"
SWITCH = "rollback.switch"
_BRINGS_BACK = frozenset({"rollback.deploy", "rollback.open"})

_CHANGES = (*_BRINGS_BACK, SCHEMA, FENCE, SWITCH, "rollback.push", "rollback.previous_build")


def steps_of(state: RunState, rollback: RollbackState, *actions: str) -> tuple[StepState, ...]:
    """The steps of a way back with one of these actions, in its order; all of them without any."""
    steps = (state.steps[each] for each in rollback.steps if each in state.steps)
    return tuple(step for step in steps if not actions or step.step.action in actions)


def restored_at(state: RunState) -> datetime | None:
    """When the way back that is gone brought service back; None while it has not, and without one."""
    rollback = state.rollback
    if rollback is None:
        return None
    proof = steps_of(state, rollback, PROVE)
    back = steps_of(state, rollback, *_BRINGS_BACK) or steps_of(state, rollback, SCHEMA) or proof
    if not back or any(step.status is not StepStatus.SUCCEEDED for step in back):
        return None
    if _must_be_proven(state, rollback) and not any(_proves(state, rollback, step) for step in proof):
        return None
    return max((step.ended_at for step in back if step.ended_at is not None), default=None)


def harmed_at(state: RunState) -> datetime | None:
    """When users can first have noticed: the release's push or migration began to take effect.

    Where neither did, the first alert that called for an incident, or the first declaration; None without any.
    """
    reached = [s.started_at for s in (*by_action(state, PUSH), *by_action(state, MIGRATE)) if _may_have_acted(s)]
    return min((at for at in reached if at is not None), default=None) or first_sign(state)


def first_sign(state: RunState) -> datetime | None:
    """When the console or a person first said that something is wrong; None when nobody has."""
    said = [each.at for each in state.alerts.values() if each.offer == "incident"]
    return min((*said, *(each.at for each in state.incidents)), default=None)


def incident_of(state: RunState, rollback: RollbackState) -> IncidentState | None:
    """The incident in which a way was chosen; None when there was none."""
    earlier = [each for each in state.incidents if each.at <= rollback.at]
    return earlier[-1] if earlier else None


def offered(state: RunState, rollback: RollbackState) -> WayBack | None:
    """The way as it was offered when it was chosen; None when production was assessed anew since."""
    seen = state.assessment
    if seen is None or rollback is not state.rollbacks[-1]:
        return None
    at = _moment(seen.at)
    return seen.offer(rollback.way) if at is not None and at <= rollback.at else None


def counted_loss(state: RunState, rollback: RollbackState) -> Loss | None:
    """The loss as it was counted behind the fence; None when nothing was fenced off or counted."""
    for step in steps_of(state, rollback, FENCE):
        value = state.evidence(step.step.id).get("loss")
        if isinstance(value, dict):
            return _loss(value)
    return None


def undecided_rows(state: RunState, rollback: RollbackState) -> tuple[str, ...]:
    """What a way back left to a person to decide, a line a row."""
    found: list[str] = []
    for step in steps_of(state, rollback, SCHEMA):
        value = state.evidence(step.step.id).get("undecided")
        found += [_row(state.plan.migration.table, each) for each in value] if isinstance(value, list) else []
    return tuple(found)


def rows_mapped(state: RunState, rollback: RollbackState) -> int:
    """How many rows written since the migration were carried over to the old schema."""
    data = [state.evidence(step.step.id) for step in steps_of(state, rollback, SCHEMA)]
    return int(sum(payload.number(each, "rows_mapped") for each in data))


def noticed(state: RunState) -> str:
    """What users notice of the incident, in a sentence, as far as the run knows."""
    if any(s.status is StepStatus.UNCERTAIN for s in (*by_action(state, PUSH), *by_action(state, MIGRATE))):
        return "It is not yet known whether users are affected."
    if not pushed(state) and not migrated(state):
        return "Nothing: the release has not reached production."
    if not live_builds(state) and not migrated(state):
        return "Probably nothing so far: the version from before still serves."
    return "Parts of the application may fail or show errors."


def way_back_sentence(state: RunState) -> str:
    """What state production is in once a way back was chosen, in a sentence; empty where none changed anything."""
    rollback = state.rollback
    if rollback is None:
        return _given_up(state)
    if restored_at(state) is None:
        return _under_way(state, rollback)
    if rollback.way is Way.NOTHING:
        return "Production is as it was before the release: nothing of it had reached it."
    old = rollback.way not in (Way.CODE, Way.FIX_ONLY) or not migrated(state)
    schema = " on the schema from before the migration" if old else ""
    commit, instance = (
        _left(state, rollback, "rollback.deploy", "commit"),
        _left(state, rollback, SWITCH, "postgres_id"),
    )
    code = f"the code from before the release{f' ({commit[:7]})' if commit else ''}"
    return f"Service is restored: production runs {code}{schema}{f', in the instance {instance}' if instance else ''}."


def _given_up(state: RunState) -> str:
    """What a way back had changed before it was given up."""
    if not state.rollbacks:
        return ""
    done = [s for s in steps_of(state, state.rollbacks[-1], *_CHANGES) if s.status is StepStatus.SUCCEEDED]
    if not done:
        return ""
    titles = ", ".join(f"“{step.step.title}”" for step in done)
    return f"A way back was given up after {titles}: where production stands has to be looked at anew."


def _under_way(state: RunState, rollback: RollbackState) -> str:
    steps = steps_of(state, rollback)
    fenced = any(step.status is StepStatus.SUCCEEDED for step in steps_of(state, rollback, FENCE))
    done = sum(1 for step in steps if step.over)
    users = "users are kept out until it is gone to its end" if fenced else "service is not known to be restored"
    return f"Production is on its way back, {done} of {len(steps)} steps are done: {users}."


def _left(state: RunState, rollback: RollbackState, action: str, key: str) -> str:
    found = (payload.text(state.evidence(step.step.id), key) for step in steps_of(state, rollback, action))
    return next((each for each in found if each), "")


def lost(state: RunState, rollback: RollbackState) -> str:
    """What is lost by a way back, in a sentence: as counted, else as it was stated when it was chosen."""
    loss = _loss_so_far(state, rollback)
    rows = loss.rows if loss is not None else rollback.rows
    undecided = len(undecided_rows(state, rollback))
    open_rows = f" {undecided} {'row is' if undecided == 1 else 'rows are'} still to be decided by hand." * bool(
        undecided
    )
    if rows is None and rollback.way in COSTS_ROWS:
        return f"What users entered since the moment that is gone back to is lost; it has not been counted.{open_rows}"
    if not rows:
        return f"Nothing that users entered is lost.{open_rows}"
    count = f"{rows} {'change' if rows == 1 else 'changes'} that users made"
    if loss is not None:
        return f"{count} since {_minute(loss.since)} {'is' if rows == 1 else 'are'} lost.{open_rows}"
    return f"{count} would be lost, as stated when the way was chosen.{open_rows}"


def _loss_so_far(state: RunState, rollback: RollbackState) -> Loss | None:
    """The loss of this way as it was counted, else that of an earlier one that had switched the services already."""
    own = counted_loss(state, rollback)
    if own is not None:
        return own
    for earlier in reversed(state.rollbacks):
        switched = any(step.status is StepStatus.SUCCEEDED for step in steps_of(state, earlier, SWITCH))
        if earlier is not rollback and switched:
            return counted_loss(state, earlier)
    return None


def _must_be_proven(state: RunState, rollback: RollbackState) -> bool:
    """Whether the code alone may not do: a part of it is reverted, or the schema may be the new one."""
    touched = any(step.attempt > 0 for step in by_action(state, MIGRATE))
    return rollback.way is Way.FIX_ONLY or (rollback.way is Way.CODE and touched)


def _proves(state: RunState, rollback: RollbackState, proof: StepState) -> bool:
    """Whether the code from before was found on a schema that it can work on, and not merely on the one promised."""
    found = state.evidence(proof.step.id)
    whole = rollback.way is not Way.FIX_ONLY or not payload.texts(found, "differs")
    return proof.status is StepStatus.SUCCEEDED and payload.text(found, "schema") == "old" and whole


def _may_have_acted(step: StepState) -> bool:
    return step.status in (StepStatus.SUCCEEDED, StepStatus.UNCERTAIN) or step.evidence is not None


def _loss(value: Json) -> Loss | None:
    try:
        return decode(Loss, value)
    except WireError:
        return None  # an older console's; what it stated when the way was chosen stands beside it


def _minute(text: str) -> str:
    """An ISO 8601 moment as people read it; as it is when it is none."""
    at = _moment(text)
    return text if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None  # an older console's, or another's
    return at if at.tzinfo is not None else None


def _row(table: str, value: Json) -> str:
    if not isinstance(value, dict):
        return f"{table}: {value}"
    when = "written" if payload.flag(value, "new") else "changed"
    now, given = payload.text(value, "value", "NULL"), payload.text(value, "given", "NULL")
    return f"{table} {payload.text(value, 'key')}: is {now}, was given {given}; {when} since the migration"
