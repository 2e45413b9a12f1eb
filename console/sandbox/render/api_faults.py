"""What goes wrong with the API itself: refusals, errors before and after the work, requests that hang.

No path is hit twice in a row, whatever the method, so that a client which looks before it repeats gets through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from console.sandbox.contracts import Faults


@dataclass(frozen=True, slots=True)
class ApiFault:
    """One thing that happens to one request; `after_work`: what was asked for is done all the same."""

    kind: Literal["refuse", "error", "hang"]
    status: int
    after_work: bool = False


class _Every:
    """True once in so many calls, by turns; a turn that cannot be used is kept for the next call."""

    def __init__(self, *intervals: int) -> None:
        self._intervals = cycle(intervals)
        self._left = next(self._intervals)

    def due(self, usable: bool) -> bool:
        self._left -= 1
        if self._left > 0 or not usable:
            return False
        self._left = next(self._intervals)
        return True


class ApiFaults:
    """Decides for each request whether a fault hits it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._hit: set[str] = set()
        self._refusals = _Every(7, 6, 8)
        self._read_errors = _Every(5, 4, 6)
        self._write_errors = _Every(3, 5, 4)
        self._hangs = _Every(9, 8, 10)
        self._done_first: Iterator[bool] = cycle((True, False))
        self._write_statuses: Iterator[int] = cycle((500, 502))

    def next(self, method: str, path: str) -> ApiFault | None:
        """The fault that hits this request, if any."""
        usable = path not in self._hit
        self._hit.discard(path)
        fault = self._draw(method in ("GET", "HEAD"), usable)
        if fault is not None:
            self._hit.add(path)
        return fault

    def _draw(self, read: bool, usable: bool) -> ApiFault | None:
        if self._faults.active("api-429") and self._refusals.due(usable):
            return ApiFault("refuse", 429)
        if self._faults.active("api-500"):
            if read and self._read_errors.due(usable):
                return ApiFault("error", 500)
            if not read and self._write_errors.due(usable):
                return ApiFault("error", next(self._write_statuses), next(self._done_first))
        if self._faults.active("api-timeout") and self._hangs.due(usable):
            return ApiFault("hang", 503, after_work=not read and next(self._done_first))
        return None
