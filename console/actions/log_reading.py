"""Reading the log of a window completely: page by page to its end, again and again as it grows, no line twice.

A provider takes lines in late: each reading reaches back a little behind the one before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from console.domain.hosting import LogEntry
from console.ports import Telemetry

KINDS = ("app", "request")
_OVERLAP = timedelta(seconds=5)
_MICROSECOND = timedelta(microseconds=1)
_PAGE = 100
_MOST_PAGES = 2000


class LogReading:
    """The log of some services since a moment (the provider's time). `complete`: the last reading came to its end."""

    def __init__(self, telemetry: Telemetry, service_ids: Sequence[str], since: datetime) -> None:
        self._telemetry = telemetry
        self._ids = tuple(service_ids)
        self._since = since
        self._upto = since
        self._seen: dict[str, datetime] = {}
        self.complete = False

    async def read(self, upto: datetime) -> list[LogEntry]:
        """The lines that came since the last reading, oldest first. Raises HostingError."""
        start, end = max(self._since, self._upto - _OVERLAP), upto
        fresh: list[LogEntry] = []
        self.complete = False
        for _ in range(_MOST_PAGES):
            page = await self._telemetry.logs(self._ids, start=start, end=end, kinds=KINDS, limit=_PAGE)
            for entry in page.entries:
                if entry.id not in self._seen:
                    self._seen[entry.id] = entry.at
                    fresh.append(entry)
            if not page.more or page.next_start is None or page.next_end is None:
                self.complete = True
                break
            # A page that ends where it began holds lines of one moment only: step over it.
            stuck = (page.next_start, page.next_end) == (start, end)
            start, end = page.next_start + (_MICROSECOND if stuck else timedelta()), page.next_end
        if self.complete:
            self._upto = upto
            self._forget(upto - 2 * _OVERLAP)
        return fresh

    def _forget(self, before: datetime) -> None:
        """Only lines within the overlap can come twice."""
        self._seen = {key: at for key, at in self._seen.items() if at >= before}


async def instances_heard(telemetry: Telemetry, service_id: str, before: datetime) -> frozenset[str]:
    """The instances of a service that wrote the last lines before a moment (within the hour)."""
    page = await telemetry.logs(
        (service_id,), start=before - timedelta(hours=1), end=before, kinds=KINDS, limit=_PAGE, direction="backward"
    )
    return frozenset(entry.instance for entry in page.entries if entry.instance)
