"""Every request that users made to a service: the ground of the HTTP metrics."""

import bisect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from console.sandbox.render.log_store import LogEntry

_MOST_REQUESTS = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request; `at` in seconds since the epoch."""

    at: float
    status: int
    host: str
    path: str
    latency_ms: float


class Traffic:
    """The requests of each service, oldest first, the latest hundred thousand of them."""

    def __init__(self) -> None:
        self._requests: defaultdict[str, list[Request]] = defaultdict(list)

    def record(self, entry: LogEntry) -> None:
        """Count a request entry of the log."""
        if entry.latency_ms is None:
            raise ValueError(f"log entry {entry.id} is not of a request")
        labels = entry.labels
        requests = self._requests[labels["resource"]]
        requests.append(
            Request(entry.at_ns / 1e9, int(labels["statusCode"]), labels["host"], labels["path"], entry.latency_ms)
        )
        if len(requests) > 2 * _MOST_REQUESTS:
            del requests[:-_MOST_REQUESTS]

    def between(self, service_id: str, start: float, end: float) -> Iterator[Request]:
        """A service's requests of a time range (seconds since the epoch, the end excluded)."""
        requests = self._requests.get(service_id, [])
        first = bisect.bisect_left(requests, start, key=lambda request: request.at)
        last = bisect.bisect_left(requests, end, key=lambda request: request.at)
        return (requests[place] for place in range(first, last))
