"""What an assessment says of earlier states: the moment that can be recovered, and the backup that was verified."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.actions.handover import moment_text
from console.actions.waiting import in_time
from console.actions.wording import at
from console.domain.hosting import RecoveryWindow
from console.domain.outcome import Line, Tone
from console.domain.payload import text
from console.domain.released import by_action
from console.domain.state import RunState, StepStatus
from console.errors import HostingError
from console.ports import Backups, Clock

_AVAILABLE = "AVAILABLE"


@dataclass(frozen=True, slots=True)
class RecoveryLook:
    """`reachable_at` (ISO 8601) is empty when the moment can be recovered now."""

    recoverable: bool
    reachable_at: str
    backup: bool
    remarks: tuple[Line, ...]


async def look_at_recovery(backups: Backups, state: RunState, clock: Clock) -> RecoveryLook:
    """Whether the moment before the migration, and the exported backup, can be gone back to."""
    # The meter brings the SQL's parts with it; only an assessment needs them.
    from console.actions.rollback.loss_marks import moment_to_recover, reachable_at

    backup, remarks = await asyncio.to_thread(_backup, state)
    moment = moment_to_recover(state)
    if moment is None:
        return RecoveryLook(False, "", backup, remarks)
    try:
        window = await in_time(backups.recovery(state.plan.database.postgres_id), HostingError)
    except HostingError as error:
        unread = Line("The recovery window could not be read", note=error.message, tone=Tone.WARNING)
        return RecoveryLook(False, "", backup, (*remarks, unread))
    trouble = _trouble(window, moment)
    if trouble:
        return RecoveryLook(False, "", backup, (*remarks, Line(trouble, tone=Tone.WARNING)))
    when = reachable_at(moment, clock)
    return RecoveryLook(True, moment_text(when) if when > clock.now() else "", backup, remarks)


def _trouble(window: RecoveryWindow, moment: datetime) -> str:
    """Why the provider cannot recover the moment; empty when it can."""
    if window.status != _AVAILABLE:
        return f"The provider recovers no moment: {window.status}"
    if window.starts_at is not None and window.starts_at > moment:
        start = f"{window.starts_at:%Y-%m-%d} {at(window.starts_at)}"
        return f"The provider's recovery window begins at {start}, after the migration"
    return ""


def _backup(state: RunState) -> tuple[bool, tuple[Line, ...]]:
    """Whether the copy that this run verified is still where it was put. Blocking."""
    for step in by_action(state, "backup.verify"):
        path = text(state.evidence(step.step.id), "path")
        if step.status is not StepStatus.SUCCEEDED or not path:
            continue
        if Path(path).is_file():
            return True, ()
        return False, (Line("The verified backup is no longer on this machine", note=path, tone=Tone.WARNING),)
    return False, ()
