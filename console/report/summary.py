"""The last line of an unattended rehearsal: what came of it, for machines."""

from collections.abc import Mapping
from datetime import datetime

from console.domain.impact import counted_loss
from console.domain.plan import Json
from console.domain.state import RunState
from console.domain.summary import criteria_verdicts, step_totals


def summary(
    state: RunState, *, outcome: str, production: str, journal: str, world: Mapping[str, Json] | None, now: datetime
) -> dict[str, Json]:
    """The summary as plain JSON.

    `world` is what the sandbox read from its own servers, None when it did not answer; `production` is one
    sentence; `elapsed_s` are wall seconds from the start of the run to its end, or to `now` while it is open.
    """
    start = state.started_at or state.created_at or now
    return {
        "run": state.run,
        "outcome": outcome,
        "steps": {**step_totals(state).as_dict()},
        "elapsed_s": round(((state.finished_at or now) - start).total_seconds(), 3),
        "pace": state.pace,
        "journal": journal,
        "world": None if world is None else _with_stated_loss(state, world),
        "criteria": {**criteria_verdicts(state)},
        "production": production,
    }


def _with_stated_loss(state: RunState, world: Mapping[str, Json]) -> dict[str, Json]:
    """The world's words, and beside the loss that it counted the one that the console had stated behind its fence."""
    told = world.get("loss")
    loss = counted_loss(state, state.rollback) if state.rollback is not None else None
    if loss is None or not isinstance(told, dict):
        return dict(world)
    return {**world, "loss": {**told, "stated": loss.rows}}
