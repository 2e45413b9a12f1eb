"""The last line of an unattended rehearsal: what came of it, for machines."""

from collections.abc import Mapping
from datetime import datetime

from console.domain.plan import Json
from console.domain.state import RunState, StepStatus

_COUNTED = {
    "succeeded": StepStatus.SUCCEEDED,
    "skipped": StepStatus.SKIPPED,
    "failed": StepStatus.FAILED,
    "uncertain": StepStatus.UNCERTAIN,
}


def summary(
    state: RunState, *, outcome: str, production: str, journal: str, world: Mapping[str, Json], now: datetime
) -> dict[str, Json]:
    """The summary as plain JSON.

    `world` is what the sandbox read from its own servers; `production` is one sentence; `elapsed_s` are wall
    seconds from the start of the run to its end, or to `now` while it is open.
    """
    statuses = [step.status for step in state.steps.values()]
    steps: dict[str, Json] = {"total": len(statuses)}
    steps.update({word: statuses.count(status) for word, status in _COUNTED.items()})
    start = state.started_at or state.created_at or now
    return {
        "run": state.run,
        "outcome": outcome,
        "steps": steps,
        "elapsed_s": round(((state.finished_at or now) - start).total_seconds(), 3),
        "pace": state.pace,
        "journal": journal,
        "world": dict(world),
        "criteria": {criterion.id: _verdict(criterion.met) for criterion in state.criteria.values()},
        "production": production,
    }


def _verdict(met: bool | None) -> str:
    return {True: "met", False: "failed", None: "open"}[met]
