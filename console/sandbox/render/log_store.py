"""The log: every entry in order, kept in memory within bounds and appended to a file for the next start.

Timestamps are strictly increasing, at least a microsecond apart, also across restarts. That spacing is
what lets a page end exactly between two entries, even for a client whose clock type stops at microseconds.
"""

import asyncio
import bisect
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path

from console.sandbox.render.identity import random_text
from console.sandbox.render.log_query import LogQuery
from console.sandbox.render.state import JsonObject
from console.sandbox.render.times import rfc3339_ns

_SPACING_NS = 1_000
_MOST_IN_MEMORY = 50_000
_MOST_IN_FILE = 64 * 2**20
_MOST_WAITING = 20_000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One log line; `latency_ms` is set for requests only and is not part of what the API shows."""

    id: str
    at_ns: int
    message: str
    labels: Mapping[str, str]
    latency_ms: float | None = None

    def shown(self) -> JsonObject:
        """The entry as the API shows it."""
        labels = [{"name": name, "value": value} for name, value in self.labels.items()]
        return {
            "id": self.id,
            "message": self.message,
            "timestamp": rfc3339_ns(self.at_ns),
            "labels": labels,
        }


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of a query and the time range that holds the rest of it."""

    entries: list[LogEntry]
    has_more: bool
    next_start_ns: int
    next_end_ns: int


class Subscription:
    """The entries that match one subscriber's query, from now on."""

    def __init__(self, query: LogQuery) -> None:
        self.query = query
        self.overflowed = False
        self._waiting: deque[LogEntry] = deque()
        self._arrived = asyncio.Event()

    def offer(self, entry: LogEntry) -> None:
        """Queue an entry; a reader that is too slow is cut off rather than left with a silent gap."""
        if len(self._waiting) >= _MOST_WAITING:
            self.overflowed = True
        else:
            self._waiting.append(entry)
        self._arrived.set()

    async def entries(self) -> AsyncIterator[LogEntry]:
        """Entries as they arrive; ends only when the reader fell too far behind."""
        while not self.overflowed:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                yield self._waiting.popleft()


class LogStore:
    """All log entries of the workspace. Append and read it in the event loop only."""

    def __init__(self, folder: Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = folder / "logs.jsonl"
        self._older = folder / "logs.1.jsonl"
        self._clock_ns = clock_ns
        self._entries: list[LogEntry] = []
        self._times: list[int] = []
        self._last_ns = 0
        self._subscriptions: set[Subscription] = set()
        self._file: BufferedWriter | None = None

    def open(self) -> None:
        """Read back what an earlier process wrote, and begin to append."""
        for path in (self._older, self._path):
            if path.exists():
                self._read(path)
        self._file = self._path.open("ab")

    def close(self) -> None:
        """Stop appending."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def append(self, message: str, labels: Mapping[str, str], latency_ms: float | None = None) -> LogEntry:
        """Add an entry now, and hand it to whoever subscribed to its like."""
        self._last_ns = max(self._clock_ns(), self._last_ns + _SPACING_NS)
        identity = f"{self._last_ns:x}-{random_text(6)}"
        entry = LogEntry(identity, self._last_ns, message, labels, latency_ms)
        self._keep(entry)
        self._write(entry)
        for subscription in self._subscriptions:
            if subscription.query.accepts(message, labels):
                subscription.offer(entry)
        return entry

    @contextmanager
    def subscribe(self, query: LogQuery) -> Iterator[Subscription]:
        """Receive what matches `query` from now until the block is left."""
        subscription = Subscription(query)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def page(self, query: LogQuery, *, forward: bool, limit: int) -> LogPage:
        """The first (or, backward, the last) `limit` entries of a query, in the order of reading."""
        found: list[LogEntry] = []
        for entry in self.matching(query, forward=forward):
            if len(found) == limit:
                # Rounded to microseconds towards the returned side: exact, as entries are that far apart.
                if forward:
                    return LogPage(found, True, entry.at_ns // 1000 * 1000, query.end_ns)
                return LogPage(found, True, query.start_ns, -(-entry.at_ns // 1000) * 1000)
            found.append(entry)
        return LogPage(found, False, query.start_ns, query.end_ns)

    def matching(self, query: LogQuery, *, forward: bool = True) -> Iterator[LogEntry]:
        """Every entry of a query, oldest first or newest first."""
        first = bisect.bisect_left(self._times, query.start_ns)
        last = bisect.bisect_right(self._times, query.end_ns)
        places = range(first, last) if forward else range(last - 1, first - 1, -1)
        entries = (self._entries[place] for place in places)
        return (entry for entry in entries if query.accepts(entry.message, entry.labels))

    def requests(self) -> Iterator[LogEntry]:
        """The request entries that are still in memory, oldest first."""
        return (entry for entry in self._entries if entry.latency_ms is not None)

    def _keep(self, entry: LogEntry) -> None:
        self._entries.append(entry)
        self._times.append(entry.at_ns)
        if len(self._entries) > 2 * _MOST_IN_MEMORY:
            del self._entries[:-_MOST_IN_MEMORY]
            del self._times[:-_MOST_IN_MEMORY]

    def _read(self, path: Path) -> None:
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                # The process died while it wrote this line: nobody has been shown it as durable.
                path.write_bytes(path.read_bytes()[: -len(line)])
                break
            entry = LogEntry(**json.loads(line))
            self._keep(entry)
            self._last_ns = max(self._last_ns, entry.at_ns)

    def _write(self, entry: LogEntry) -> None:
        if self._file is None:
            return
        record = {
            "id": entry.id,
            "at_ns": entry.at_ns,
            "message": entry.message,
            "labels": dict(entry.labels),
            "latency_ms": entry.latency_ms,
        }
        self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        if self._file.tell() > _MOST_IN_FILE:
            self._file.close()
            self._path.replace(self._older)
            self._file = self._path.open("ab")
