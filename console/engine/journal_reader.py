"""Reading a journal while somebody writes it: every line once, in order, each held against the one before.

Nothing is ever written. A line counts when its newline is there; until then it is being written, or was torn by a
death and will be cut off by the next driver. The one line that may be taken back is the last: a disk that refused
to sync it. Whatever else is no longer as it was read is an error.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from console.domain.events import Event
from console.domain.wire import GENESIS, line_digest
from console.engine.chain import link, read_chain
from console.errors import JournalBroken, JournalError

BLOCK = 1024 * 1024
"""Bytes that are read at a time: some thousands of events, a few hundredths of a second to read and fold."""


class LastLineGone(Exception):
    """The last line that was read does not stand where it stood."""


class JournalReader:
    """A place in a journal that is being written. `seq` is the number of the last event that was read."""

    def __init__(self, path: Path, *, block: int = BLOCK) -> None:
        self._path = path
        self._block = block
        self._seen: tuple[int, int, int] | None = None
        self._begin = 0
        self._last = b""
        self._before = self._tip = GENESIS
        self.seq = 0

    def read(self) -> Sequence[Event]:
        """The next events, about a block of them at most; none when nothing was written since the last time.

        Raises LastLineGone (then `step_back` is to be called), JournalBroken, JournalError. Lines before one that is
        broken are returned first.
        """
        try:
            found = os.stat(self._path)
            content, ended = self._next() if self._is_news(found) else (b"", True)
        except OSError as error:
            raise _unreadable(self._path, error) from error
        self._seen = None
        events: list[Event] = []
        for line in content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]:
            try:
                events.append(self._take(line))
            except JournalBroken:
                if not events:
                    raise
                return events
        if ended:
            self._seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        return events

    @property
    def behind(self) -> bool:
        """Whether more is there to be read at once."""
        return self._seen is None

    def step_back(self) -> Sequence[Event]:
        """Read everything anew and stand where the record still is what was read: here, or a line earlier.

        The events up to there. Raises JournalBroken when the lines do not hold together, JournalError when they do
        and are not those that were read.
        """
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise _unreadable(self._path, error) from error
        chain = read_chain(content)
        lines = content[: chain.length].split(b"\n")[:-1]
        tips = {self.seq: self._tip, max(self.seq - 1, 0): self._before}
        kept = next((each for each, tip in tips.items() if each <= len(lines) and _tip(lines, each) == tip), None)
        if kept is None:
            raise JournalError(
                f"The journal of {self._path.parent.name} is no longer the one that was read: "
                f"its first {self.seq} lines were changed.",
                production="Nothing was changed from here: this console only reads.",
                remedy="Compare it with a copy; what was shown until now is what it said.",
            )
        self._seen = None
        self._begin = sum(len(each) + 1 for each in lines[: max(kept - 1, 0)])
        self._last = lines[kept - 1] + b"\n" if kept else b""
        self._before, self._tip = _tip(lines, max(kept - 1, 0)), _tip(lines, kept)
        self.seq = kept
        return chain.events[:kept]

    def _is_news(self, found: os.stat_result) -> bool:
        """Whether the file moved since it was read to its end. Raises LastLineGone when it is another file."""
        if self._seen is None:
            return True
        if found.st_ino != self._seen[0]:
            raise LastLineGone
        return (found.st_ino, found.st_size, found.st_mtime_ns) != self._seen

    def _next(self) -> tuple[bytes, bool]:
        """What stands behind the last line, at least one whole line where there is one; whether that is all."""
        size = self._block
        with self._path.open("rb") as file:
            file.seek(self._begin)
            if file.read(len(self._last)) != self._last:
                raise LastLineGone
            content = file.read(size)
            while b"\n" not in content and len(content) == size:
                size *= 2
                content += file.read(size - len(content))
        return content, len(content) < size

    def _take(self, line: bytes) -> Event:
        event = link(line, self.seq + 1, self._tip)
        self._begin += len(self._last)
        self._last = line + b"\n"
        self._before, self._tip = self._tip, line_digest(line)
        self.seq += 1
        return event


def _tip(lines: Sequence[bytes], count: int) -> str:
    """The digest of line `count`, counted from 1."""
    return line_digest(lines[count - 1]) if count else GENESIS


def _unreadable(path: Path, error: OSError) -> JournalError:
    remedy = 'Its owner lets a group of this machine read it with `[journal] readable_by = "group"`.'
    return JournalError(
        f"The journal of {path.parent.name} cannot be read: {error.strerror}.",
        production="Nothing was changed from here: this console only reads.",
        remedy=remedy if isinstance(error, PermissionError) else "See that the run's folder is still there.",
    )
