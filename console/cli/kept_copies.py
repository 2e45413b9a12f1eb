"""Downloaded backups are kept as long after close-out as their plan says (`keep_for`), and no longer.

Looked after whenever a run is opened: nothing else of the console runs by itself.
"""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from console.engine.journal import ARTIFACTS, PLAN_FILE
from console.engine.runs import RunSummary, runs

_log = logging.getLogger(__name__)


def discard_expired(kept: Path, now: datetime) -> tuple[Path, ...]:
    """Delete the copies of finished runs under `kept` whose time is over; which were deleted.

    A copy that cannot be deleted, and a plan that cannot be read, are logged and left.
    """
    gone: list[Path] = []
    for run in runs(kept):
        if run.outcome and run.last_at is not None and now - run.last_at > _kept_for(run):
            gone += _delete(run.directory / ARTIFACTS)
    return tuple(gone)


def _kept_for(run: RunSummary) -> timedelta:
    """How long this run's plan keeps its copy; for ever when the plan does not say."""
    try:
        plan = json.loads((run.directory / PLAN_FILE).read_text(encoding="utf-8"))
        return timedelta(seconds=float(plan["database"]["keep_backup_for"]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        _log.warning("the plan of run %s does not say how long its backup is kept: %r", run.run, error)
        return timedelta.max


def _delete(folder: Path) -> Iterator[Path]:
    for copy in sorted(folder.glob("*")) if folder.is_dir() else ():
        try:
            copy.unlink()
        except OSError as error:
            _log.warning("the backup %s could not be deleted: %s", copy, error.strerror)
        else:
            yield copy
