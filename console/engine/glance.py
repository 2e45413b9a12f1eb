"""A glance at the end of a journal: whether its run is closed, without reading the whole of it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from console.domain.events import Kind
from console.engine.driver import driver_of
from console.engine.journal import JOURNAL_FILE

_LAST = 3
"""Lines at the end among which a run's end stands: nothing is ever recorded behind it but who left."""

_BLOCK = 64 * 1024


def can_be_watched_live(folder: Path) -> bool:
    """Whether a run goes on or can be gone on with: it is not closed, and something is recorded or somebody drives.

    False for one that cannot be read.
    """
    try:
        lines = _last_lines(folder / JOURNAL_FILE)
        return not closed(lines) and bool(lines or driver_of(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def is_closed(folder: Path) -> bool:
    """Whether a run's end is recorded. False for one that cannot be read."""
    try:
        return closed(_last_lines(folder / JOURNAL_FILE))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def closed(last: Sequence[bytes]) -> bool:
    """Whether a run is closed, by the last lines of its journal, three at least. Raises ValueError, KeyError, TypeError
    for what is no line of a journal."""
    return Kind.RUN_FINISHED.value in [json.loads(line)["kind"] for line in last]


def _last_lines(path: Path) -> list[bytes]:
    """The last whole lines of a file."""
    with path.open("rb") as file:
        size, wanted = file.seek(0, os.SEEK_END), _BLOCK
        while True:
            begin = max(size - wanted, 0)
            file.seek(begin)
            lines = file.read(size - begin).split(b"\n")[:-1]
            if begin == 0 or len(lines) > _LAST:
                return lines[-_LAST:]
            wanted *= 2
