"""Reading the tail of a run while its driver writes it: each line once, also when the file is shortened meanwhile.

Telemetry, not record: a line that cannot be read is counted and left out.
"""

import os
from collections import deque
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from console.domain.hosting import LogEntry
from console.domain.log_lines import decode_log_line
from console.engine.feed import TAIL_LINES


class TailReader:
    """A place in a tail. `keep`: how many lines are taken at most at a time, the last ones."""

    def __init__(self, path: Path, *, keep: int = TAIL_LINES) -> None:
        self._path = path
        self._keep = keep
        self._seen: tuple[int, int, int] | None = None
        self._begin = 0
        self._last = b""
        self.unreadable = 0
        """Lines that were left out because they are none."""
        self.trouble = ""
        """Why the tail cannot be read at all; empty while it can, or while there is none."""

    def read(self) -> tuple[LogEntry, ...]:
        """The lines that were written since the last time, oldest first."""
        try:
            content = self._news()
            self.trouble = ""
        except FileNotFoundError:
            return ()
        except OSError as error:
            self.trouble = error.strerror or str(error)
            return ()
        found: deque[LogEntry] = deque(maxlen=self._keep)
        for line in self._last_of(content):
            entry = decode_log_line(line)
            if entry is None:
                self.unreadable += 1
            else:
                found.append(entry)
        return tuple(found)

    def _news(self) -> bytes:
        """The whole lines that are new."""
        info = os.stat(self._path)
        seen = (info.st_ino, info.st_size, info.st_mtime_ns)
        if seen == self._seen:
            return b""
        with self._path.open("rb") as file:
            file.seek(self._begin)
            if file.read(len(self._last)) == self._last:
                begin, content = self._begin + len(self._last), file.read()
            else:
                begin, content = self._after_last(file)
        end = content.rfind(b"\n") + 1
        self._seen = seen
        if end:
            last = content.rfind(b"\n", 0, end - 1) + 1
            self._begin, self._last = begin + last, content[last:end]
        else:
            self._begin = max(begin - len(self._last), 0)
        return content[:end]

    def _after_last(self, file: BinaryIO) -> tuple[int, bytes]:
        """What follows the last line in a tail that was shortened: it stands elsewhere there, or is long gone."""
        file.seek(0)
        content = file.read()
        found = content.rfind(self._last)
        begin = 0 if found < 0 else found + len(self._last)
        return begin, content[begin:]

    def _last_of(self, content: bytes) -> list[bytes]:
        """The last lines of what was read, as many as are kept."""
        lines = content.split(b"\n")[:-1]
        return list(islice(lines, max(len(lines) - self._keep, 0), None))
