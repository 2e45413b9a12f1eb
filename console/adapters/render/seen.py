"""Which log lines were already passed on: so that none is passed on twice."""

from collections.abc import Iterable
from datetime import datetime

from console.domain.hosting import LogEntry


class Seen:
    """Remembers the ids of the last `capacity` lines, the newest moment, and the newest moment it has forgotten."""

    def __init__(self, capacity: int = 65_536) -> None:
        self._capacity = capacity
        self._at: dict[str, datetime] = {}
        self.newest: datetime | None = None
        self.forgotten: datetime | None = None

    def fresh(self, entries: Iterable[LogEntry], *, history: bool = False) -> list[LogEntry]:
        """The entries that were not seen before; from now on they are.

        In a reading of `history`, lines up to the newest forgotten one count as seen: they were, or their
        moment was passed over.
        """
        known, found = self._at, []
        floor = self.forgotten if history else None
        for entry in entries:
            if entry.id in known or (floor is not None and entry.at <= floor):
                continue
            known[entry.id] = entry.at
            found.append(entry)
        if found:
            latest = max(entry.at for entry in found)
            if self.newest is None or latest > self.newest:
                self.newest = latest
            self._forget()
        return found

    def _forget(self) -> None:
        excess = len(self._at) - self._capacity
        if excess <= 0:
            return
        for identity in [identity for identity, _ in zip(self._at, range(excess), strict=False)]:
            at = self._at.pop(identity)
            if self.forgotten is None or at > self.forgotten:
                self.forgotten = at
