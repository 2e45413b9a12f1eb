"""The API's rate limits: fixed windows of a minute, counted by kind of request.

GET 400 a minute; deploys, PATCH, suspend and resume together 10 a minute for each service; any other
write 30 a minute. The pace does not divide them: they are the provider's, not the rehearsal's.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

_WINDOW = 60.0
_READS = 400
_WRITES = 30
_SERVICE_WRITES = 10
_SERVICE_WRITE = re.compile(
    r"PATCH /v1/services/([^/]+)$|POST /v1/services/([^/]+)/(?:deploys|rollback|suspend|resume)$"
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request may pass, and what the client is told about the window that it fell into."""

    limit: int
    remaining: int
    seconds_left: float
    passed: bool

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The `RateLimit-*` headers, and `Retry-After` where the request was refused."""
        seconds = math.ceil(self.seconds_left)
        reset = math.ceil(time.time()) + seconds
        headers = [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % reset),
        ]
        if not self.passed:
            headers.append((b"retry-after", b"%d" % max(1, seconds)))
        return headers


class RateLimits:
    """Counts requests; `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, method: str, path: str) -> Allowance:
        """Count one request and say whether it passes."""
        kind, limit = _kind(method, path)
        now = self._clock()
        began, count = self._windows.get(kind, (now, 0))
        if now - began >= _WINDOW:
            began, count = now, 0
        passed = count < limit
        count += passed
        self._windows[kind] = (began, count)
        return Allowance(limit, limit - count, began + _WINDOW - now, passed)


def _kind(method: str, path: str) -> tuple[str, int]:
    if method in ("GET", "HEAD"):
        return "read", _READS
    if found := _SERVICE_WRITE.match(f"{method} {path}"):
        return f"service {found[1] or found[2]}", _SERVICE_WRITES
    return "write", _WRITES
