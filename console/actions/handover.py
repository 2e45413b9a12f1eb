"""What steps hand over to each other: typed reading of evidence and of what was recorded before a start.

Steps are found by the name of their action, never by their id: ids belong to the plan. Missing or wrong
data is a StepFailed that names the step to do again, never a KeyError.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.domain.plan import Json, Step
from console.domain.state import Attempt, StepState, StepStatus
from console.errors import StepFailed
from console.ports import Context


@dataclass(frozen=True, slots=True)
class Record:
    """JSON data that somebody left, and who that was (`source`, for the error message)."""

    source: str
    data: Mapping[str, Json]

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str) -> str:
        """A string. Raises StepFailed when there is none."""
        value = self.data.get(key)
        if not isinstance(value, str):
            raise self._missing(key)
        return value

    def number(self, key: str) -> float:
        """A number. Raises StepFailed when there is none."""
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._missing(key)
        return value

    def moment(self, key: str) -> datetime:
        """A time written by `moment_text`. Raises StepFailed when there is none."""
        try:
            return datetime.fromisoformat(self.text(key))
        except ValueError as error:
            raise self._missing(key) from error

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty when there is none."""
        value = self.data.get(key)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

    def record(self, key: str) -> "Record":
        """A nested object; empty when there is none."""
        value = self.data.get(key)
        return Record(self.source, value if isinstance(value, dict) else {})

    def records(self, key: str) -> tuple["Record", ...]:
        """A list of objects; empty when there is none."""
        value = self.data.get(key)
        items = value if isinstance(value, list) else []
        return tuple(Record(self.source, item) for item in items if isinstance(item, dict))

    def _missing(self, key: str) -> StepFailed:
        return StepFailed(
            f"{self.source} left no “{key}” behind.",
            remedy=f"Reopen {self.source} and let the console do it.",
        )


def step_of(ctx: Context, action: str) -> Step | None:
    """The plan's first step with this action, or None; on a way back the first of that way, where it has one."""
    return next((state.step for state in states_of(ctx, action)), None)


def states_of(ctx: Context, action: str) -> tuple[StepState, ...]:
    """The states of all steps with this action, in the plan's order; on a way back those of that way count alone.

    An earlier way, and the release's own steps, count only for actions that the way itself does not have.
    """
    found = tuple(state for state in ctx.state.steps.values() if state.step.action == action)
    way = ctx.state.rollback
    return tuple(state for state in found if way is not None and state.step.id in way.steps) or found


def succeeded(ctx: Context, action: str) -> bool:
    """Whether there is such a step and every one of them succeeded."""
    states = states_of(ctx, action)
    return bool(states) and all(state.status is StepStatus.SUCCEEDED for state in states)


def left_by(ctx: Context, action: str, **params: str) -> Record | None:
    """What the step with this action (and these parameters) left, or None when it left nothing.

    A step that was done by hand succeeds without data: whoever asks must be able to look for himself.
    """
    for state in states_of(ctx, action):
        if any(state.step.params.get(name) != value for name, value in params.items()):
            continue
        if state.status is StepStatus.SUCCEEDED and state.evidence is not None and state.evidence.data:
            return Record(f"“{state.step.title}”", state.evidence.data)
    return None


def must_have_left(ctx: Context, action: str, **params: str) -> Record:
    """What the step with this action left. Raises StepFailed when it left nothing."""
    record = left_by(ctx, action, **params)
    if record is None:
        step = step_of(ctx, action)
        title = f"“{step.title}”" if step is not None else f"a step with the action {action}"
        raise StepFailed(
            f"This step needs what {title} finds out, and it has left nothing.",
            remedy=f"Reopen {title} and let the console do it.",
        )
    return record


def recorded_before(ctx: Context) -> Record:
    """What this step's preview recorded of the world just before the step started."""
    return Record(f"“{ctx.step.title}”", ctx.before)


def unfinished(ctx: Context) -> Attempt:
    """What an earlier attempt at this step left that ended without success; empty when there was none."""
    state = ctx.state.steps.get(ctx.step.id)
    return state.unfinished if state is not None and state.unfinished is not None else Attempt()


def json_texts(items: Iterable[str]) -> list[Json]:
    """Strings as a JSON list."""
    return list(items)


def moment_text(moment: datetime) -> str:
    """A time as evidence and `before` hold it: ISO 8601, UTC."""
    return moment.astimezone(UTC).isoformat()
