"""Who drives a run: a lock on the run's folder that dies with the process, and a note of who holds it.

The lock is the kernel's (`flock`), so a killed driver never leaves it behind. The note in the same file says
who drives, from where and since when; it is read by those who find the lock taken, and means nothing
otherwise.
"""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.domain.wire import format_time
from console.engine.sharing import open_in
from console.errors import JournalError, JournalLocked

LOCK_FILE = "driver.json"
_PAUSES = (0.01, 0.03, 0.1)
"""Seconds between attempts at the lock."""


@dataclass(frozen=True, slots=True)
class Driver:
    """Who drives: `user@host`, the host, the process, since when (UTC, ISO 8601)."""

    actor: str
    host: str
    pid: int
    since: str

    @classmethod
    def here(cls, actor: str) -> "Driver":
        """This process, from now on."""
        return cls(actor=actor, host=os.uname().nodename, pid=os.getpid(), since=format_time(datetime.now(UTC)))


class DriverLock:
    """The lock of one run, held from construction to `release`. Raises JournalLocked when somebody drives."""

    def __init__(self, directory: Path, driver: Driver) -> None:
        try:
            self._fd = open_in(directory, LOCK_FILE, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise JournalError(
                f"The lock of the run cannot be taken: {error.strerror} ({directory / LOCK_FILE}).",
                production="Nothing was started.",
                remedy="See that the run's folder is yours and can be written.",
            ) from error
        if not self._taken():
            os.close(self._fd)
            raise _locked(directory)
        self._write(driver)

    def _taken(self) -> bool:
        """Take the lock. Whoever only asks who drives (`driver_of`) holds it for a moment, and is waited for."""
        for pause in (*_PAUSES, None):
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if pause is not None:
                    time.sleep(pause)
            else:
                return True
        return False

    def release(self) -> None:
        """Give the lock up; again is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, driver: Driver) -> None:
        """Leave the note. A disk too full for it must not keep a run from being taken up: the lock counts."""
        os.ftruncate(self._fd, 0)
        try:
            os.pwrite(self._fd, json.dumps(asdict(driver)).encode(), 0)
        except OSError:
            os.ftruncate(self._fd, 0)


def driver_of(directory: Path) -> Driver | None:
    """Who drives the run in this folder now; None when nobody does, or nobody knows."""
    try:
        return ask_driver(directory)
    except OSError:
        return None


def ask_driver(directory: Path) -> Driver | None:
    """Who drives the run in this folder now; None when nobody does. Raises OSError when that cannot be seen."""
    try:
        fd = os.open(directory / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _note(directory) or Driver("somebody", "unknown", 0, "")
    else:
        return None
    finally:
        os.close(fd)


def _locked(directory: Path) -> JournalLocked:
    driver = _note(directory)
    who = f"{driver.actor} (process {driver.pid} on {driver.host}) since {driver.since}" if driver else "somebody else"
    return JournalLocked(
        f"This run is already driven: {who}.",
        production="This console has changed nothing.",
        remedy="Watch it (`release-console watch`) and let them drive, or end the other console first.",
    )


def _note(directory: Path) -> Driver | None:
    try:
        raw = json.loads((directory / LOCK_FILE).read_text())
        return Driver(**{key: raw[key] for key in ("actor", "host", "pid", "since")})
    except (OSError, ValueError, KeyError, TypeError):
        return None
