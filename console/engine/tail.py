"""The tail of a run on disk: the last log lines that were shown, in `tail.jsonl`, bounded in size.

Telemetry, not record: writing it never blocks the event loop, nothing waits for it, and when the disk is
slow or full lines are left out of the file and counted, while screens still show them.
"""

import asyncio
import os
from collections import deque
from pathlib import Path

from console.domain.hosting import LogEntry
from console.domain.log_lines import encode_log_line
from console.engine.sharing import open_in

TAIL_FILE = "tail.jsonl"
MAX_BYTES = 16 * 1024 * 1024
PENDING_LINES = 50_000


class TailWriter:
    """Writes log lines behind the run's back. `add` never blocks; `run` does the writing in a thread."""

    def __init__(self, directory: Path, *, max_bytes: int = MAX_BYTES, pending: int = PENDING_LINES) -> None:
        self._folder = directory
        self._path = directory / TAIL_FILE
        self._max_bytes = max_bytes
        self._pending: deque[LogEntry] = deque(maxlen=pending)
        self._news = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self.left_out = 0
        self.reason = ""

    def add(self, entries: tuple[LogEntry, ...]) -> None:
        """Take lines to be written; the oldest that wait give way when there are too many."""
        limit = self._pending.maxlen or 0
        self.left_out += max(0, len(self._pending) + len(entries) - limit)
        self._pending.extend(entries)
        self._news.set()

    async def run(self) -> None:
        """Write what comes until cancelled; what waits then is still written."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self.flush()
        finally:
            if self._writing is not None:
                await self._writing
            await self.flush()

    async def flush(self) -> None:
        """Write what waits now."""
        entries = tuple(self._pending)
        self._pending.clear()
        if entries:
            self._writing = asyncio.create_task(self._write_out(entries))
            await asyncio.shield(self._writing)

    async def _write_out(self, entries: tuple[LogEntry, ...]) -> None:
        try:
            await asyncio.to_thread(self._write, entries)
        except OSError as error:
            self.left_out += len(entries)
            self.reason = error.strerror or str(error)

    def _write(self, entries: tuple[LogEntry, ...]) -> None:
        content = b"".join(_line(each) for each in entries)
        fd = open_in(self._folder, TAIL_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with os.fdopen(fd, "ab") as file:
            file.write(content)
            size = file.tell()
        if size > self._max_bytes:
            self._shorten()

    def _shorten(self) -> None:
        """Keep the last half of what is allowed, from the beginning of a line."""
        with self._path.open("rb") as file:
            file.seek(-self._max_bytes // 2, os.SEEK_END)
            file.readline()
            kept = file.read()
        new = self._path.with_suffix(".new")
        fd = open_in(self._folder, new.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(fd, "wb") as file:
            file.write(kept)
        new.replace(self._path)


def _line(entry: LogEntry) -> bytes:
    return encode_log_line(entry, ascii_only=False).encode("utf-8", "backslashreplace") + b"\n"
