"""Holding a history together that was taken in at once: every line against the one before, a block at a time.

What always holds: nothing is written, and what was skimmed counts as read only when this is done. It is what reading
the lines one behind the other would have found, no more and no less.
"""

from pathlib import Path

from console.domain.events import Event
from console.domain.lines import follow_on
from console.domain.wire import GENESIS
from console.engine.chain import link_lines
from console.errors import JournalError

BLOCK = 512 * 1024
"""Bytes that are checked at a time: some milliseconds, so that it can go on between two frames."""


class HistoryCheck:
    """Checks the first `length` bytes of a journal: `lines` lines, the last of them with the digest `tip`."""

    def __init__(self, path: Path, length: int, lines: int, tip: str, *, block: int = BLOCK) -> None:
        self._path = path
        self._length = length
        self._lines = lines
        self._expected = tip
        self._block = block
        self._at = 0
        self._tip = GENESIS
        self._number = 1

    @property
    def lines(self) -> int:
        """How many lines are checked."""
        return self._lines

    def go_on(self) -> bool:
        """Check some more; whether anything is left.

        Raises JournalBroken with the first line that does not follow, JournalError when the lines are not those any
        more that were read, or cannot be read.
        """
        if self._at < self._length:
            self._check(self._next())
        if self._at < self._length:
            return True
        if (self._tip, self._number - 1) != (self._expected, self._lines):
            raise changed(self._path, self._lines)
        return False

    def what_holds(self) -> list[Event]:
        """The events before the first line that does not follow. Raises JournalError when they cannot be read."""
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise unreadable(self._path, error) from error
        return link_lines(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], 1, GENESIS).events

    def _check(self, content: bytes) -> None:
        lines = content.split(b"\n")[:-1]
        tip = follow_on(lines, self._tip)
        if tip is None:
            linked = link_lines(lines, self._number, self._tip)
            if linked.broken is not None:
                raise linked.broken
            tip = linked.tip
        self._tip = tip
        self._at += len(content)
        self._number += len(lines)

    def _next(self) -> bytes:
        """The next whole lines."""
        size = self._block
        try:
            with self._path.open("rb") as file:
                while True:
                    file.seek(self._at)
                    content = file.read(min(size, self._length - self._at))
                    whole = content[: content.rfind(b"\n") + 1]
                    if whole:
                        return whole
                    if len(content) < size:
                        raise changed(self._path, self._lines)
                    size *= 2
        except OSError as error:
            raise unreadable(self._path, error) from error


def changed(path: Path, lines: int) -> JournalError:
    """What is said when lines that were read do not stand there any more."""
    return JournalError(
        f"The journal of {path.parent.name} is no longer the one that was read: its first {lines} lines were changed.",
        production="Nothing was changed from here: this console only reads.",
        remedy="Compare it with a copy; what was shown until now is what it said.",
    )


def unreadable(path: Path, error: OSError) -> JournalError:
    """What is said when a journal cannot be read."""
    remedy = 'Its owner lets a group of this machine read it with `[journal] readable_by = "group"`.'
    return JournalError(
        f"The journal of {path.parent.name} cannot be read: {error.strerror}.",
        production="Nothing was changed from here: this console only reads.",
        remedy=remedy if isinstance(error, PermissionError) else "See that the run's folder is still there.",
    )
