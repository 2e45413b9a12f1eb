"""Reading the log by pages: what `GET /logs` holds of a window, completely and oldest line first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.adapters.render.client import PAGE, RenderClient
from console.adapters.render.failures import Params
from console.adapters.render.models import LOG_PAGE
from console.adapters.render.times import rfc3339
from console.domain.hosting import LogEntry, LogPage

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LogReader:
    """Reads the log of some services."""

    client: RenderClient
    service_ids: tuple[str, ...]

    async def page(
        self,
        start: datetime,
        end: datetime | None,
        *,
        kinds: Sequence[str] = (),
        limit: int = PAGE,
        direction: str = "forward",
    ) -> LogPage:
        """One page; without `end` up to the provider's present. Raises HostingError."""
        params: Params = {
            "ownerId": self.client.owner_id,
            "resource": list(self.service_ids),
            "startTime": rfc3339(start),
            "direction": direction,
            "limit": min(limit, PAGE),
        }
        if end is not None:
            params["endTime"] = rfc3339(end)
        if kinds:
            params["type"] = list(kinds)
        what = "the log of " + ", ".join(self.service_ids)
        answer = await self.client.get(LOG_PAGE, "/logs", what, params)
        return answer.domain(newest_first=direction == "backward")


class History:
    """The log from a moment to now, page by page."""

    def __init__(self, reader: LogReader, start: datetime) -> None:
        self._reader = reader
        self._start: datetime | None = start
        self._end: datetime | None = None

    async def next(self) -> tuple[LogEntry, ...] | None:
        """The next lines, oldest first; None after the last page. Raises HostingError; then it may be asked again."""
        if self._start is None:
            return None
        page = await self._reader.page(self._start, self._end)
        if page.more and page.next_start is not None:
            # A page that ends where it began holds nothing but lines of one moment: step over it.
            stuck = page.next_start <= self._start and page.next_end == self._end
            self._start = self._start + _MICROSECOND if stuck else page.next_start
            self._end = page.next_end
        else:
            self._start = None
        return page.entries
