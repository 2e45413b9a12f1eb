"""The provider's rate limits: what an answer's headers say about them, and how long to wait because of it.

Requests of one kind share a window. Shortly before it is used up they are spread over what is left of it, so
that a limit is approached slowly instead of hit; a refusal (429) is waited out as the provider asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EPOCH_FROM = 1_000_000_000.0
"""`RateLimit-Reset` is documented as an epoch and exemplified as seconds; no window lasts thirty years."""

_LONGEST_WAIT = 120.0
_LONGEST_SPREAD = 5.0
_SPREAD_BELOW = 0.1


def seconds_until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the window of `RateLimit-Reset` is over; None when the header is absent or unreadable."""
    value = _number(headers.get("ratelimit-reset", ""))
    if value is None:
        return None
    if value >= _EPOCH_FROM:
        value -= _answered_at(headers, now).timestamp()
    return min(max(value, 0.0), _LONGEST_WAIT)


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long a refused request should wait: `Retry-After` (seconds or a date), else the window's reset."""
    asked = headers.get("retry-after", "")
    seconds = _number(asked)
    if seconds is None and (moment := _date(asked)) is not None:
        seconds = (moment - _answered_at(headers, now)).total_seconds()
    if seconds is None:
        return seconds_until_reset(headers, now)
    return min(max(seconds, 0.0), _LONGEST_WAIT)


@dataclass(slots=True)
class Window:
    """What the last answer of one kind said: how many requests are left until when (monotonic seconds)."""

    limit: float
    remaining: float
    ends: float

    def delay(self, monotonic: float) -> float:
        """Seconds that the next request should wait. 0 while there is plenty left or the window is over."""
        left = self.ends - monotonic
        if left <= 0:
            return 0.0
        if self.remaining < 1:
            return left
        if self.remaining > max(1.0, self.limit * _SPREAD_BELOW):
            return 0.0
        return min(left / (self.remaining + 1), _LONGEST_SPREAD)


class RateLimits:
    """The windows of all kinds of requests."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}

    def note(self, kind: str, headers: Mapping[str, str], *, now: datetime, monotonic: float) -> None:
        """Remember what an answer said. `now` is the wall time, `monotonic` the same moment in seconds."""
        limit, remaining = _number(headers.get("ratelimit-limit", "")), _number(headers.get("ratelimit-remaining", ""))
        reset = seconds_until_reset(headers, now)
        if limit is None or remaining is None or reset is None:
            self._windows.pop(kind, None)
        else:
            self._windows[kind] = Window(limit, remaining, monotonic + reset)

    def delay(self, kind: str, monotonic: float) -> float:
        """Seconds that the next request of this kind should wait; it is counted as sent."""
        window = self._windows.get(kind)
        if window is None:
            return 0.0
        delay = window.delay(monotonic)
        window.remaining = max(window.remaining - 1, 0.0)
        return delay


def _answered_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """The provider's clock where it shows it: its epochs are not measured by ours."""
    return _date(headers.get("date", "")) or now


def _number(text: str) -> float | None:
    # The standard's draft lets policies follow after a comma or semicolon.
    try:
        return float(text.replace(";", ",").split(",")[0].strip())
    except ValueError:
        return None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
