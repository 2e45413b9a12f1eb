"""Data folders of worlds that nobody can resume any more, because their own folder was deleted.

Only root's worlds have a data folder elsewhere (see `postgres_tools`); each holds the path of the world it
belongs to. What always holds: a folder whose world is still there, or that names none, is left alone.
"""

import os
import shutil
import signal
from pathlib import Path

from console.sandbox.postmaster import Postmaster

PREFIX = "release-console-"
_ORIGIN = "world"


def mark(folder: Path, state_dir: Path) -> None:
    """Write into a new data folder which world it belongs to."""
    (folder / _ORIGIN).write_text(str(state_dir.resolve()))


def sweep(place: Path, owners: set[int]) -> None:
    """Delete the abandoned data folders in `place` that belong to one of `owners` (user ids).

    A server that still runs there is told to end; its folder goes with a later sweep.
    """
    for folder in place.glob(f"{PREFIX}*"):
        if not _is_abandoned(folder, owners):
            continue
        running = [pid for data in folder.glob("*/data") if (pid := Postmaster(data).pid()) is not None]
        for pid in running:
            os.kill(pid, signal.SIGINT)
        if not running:
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, owners: set[int]) -> bool:
    try:
        if folder.lstat().st_uid not in owners or folder.is_symlink():
            return False
        return not Path((folder / _ORIGIN).read_text()).exists()
    except (FileNotFoundError, NotADirectoryError):
        return False  # it names no world, or another process sweeps it just now
