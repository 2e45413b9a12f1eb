"""From an exception to the event that says what failed, what state production is in and what to do next."""

import traceback
from collections.abc import Mapping

from console.domain.events import Draft, Kind
from console.domain.outcome import Evidence
from console.domain.plan import Json, Step
from console.domain.wire import encode_evidence
from console.errors import ConsoleError, StepFailed, Stopped

NOTHING_DONE = "This step has changed nothing: production is as it was before it."
_RETRY = "Remove the cause and try again; or leave it out with a reason, do it by hand, or roll back."


def failed(step: Step, error: Exception, *, begun: bool, not_done: str = "", evidence: Evidence | None = None) -> Draft:
    """`step.failed` for whatever an action raised. `begun`: the step may have acted before it failed.

    `not_done` is how it is known that it had not, where it was looked for since. `evidence` is kept when the work was
    done and only looking at it afterwards failed.
    """
    data: dict[str, Json] = {
        "message": _message(step, error),
        "production": f"It was not done: {not_done}" if not_done else _production(error, begun),
        "remedy": (error.remedy if isinstance(error, ConsoleError) else "") or _RETRY,
        "lines": list(_lines(error)),
        "reopens": list(step.reopens) if _spoils_what_came_before(error) else [],
        "stopped": isinstance(error, Stopped),
    }
    if isinstance(error, StepFailed) and error.data:
        data["data"] = _plain(error.data)
    if evidence is not None:
        data["evidence"] = encode_evidence(evidence)
    return Draft(Kind.STEP_FAILED, step.id, data)


def _spoils_what_came_before(error: Exception) -> bool:
    """Whether earlier steps may have to be done anew: not when something outside merely did not answer."""
    return isinstance(error, StepFailed) and not error.retry


def _message(step: Step, error: Exception) -> str:
    if isinstance(error, ConsoleError):
        return error.message
    if isinstance(error, TimeoutError):
        return f"{step.title}: no answer in time."
    return f"{step.title} ended with a defect of the console: {type(error).__name__}: {error}"


def _production(error: Exception, begun: bool) -> str:
    if isinstance(error, ConsoleError) and error.production:
        return error.production
    if not begun:
        return NOTHING_DONE
    return "The step had begun: how far it came is not known. Look at production before trying again."


def _lines(error: Exception) -> tuple[str, ...]:
    if isinstance(error, StepFailed):
        return error.lines
    if isinstance(error, ConsoleError | TimeoutError):
        return ()
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return tuple(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} in {frame.name}" for frame in frames)


def _plain(data: Mapping[str, object]) -> dict[str, Json]:
    """What an action gives for the record, with whatever is no plain JSON in words."""
    return {key: value if isinstance(value, str | bool | int | float) else str(value) for key, value in data.items()}
