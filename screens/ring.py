"""The last log lines in memory: a ring of fixed capacity, counted and marked on the way in.

Lines are numbered from 0 in the order of their arrival and keep their number while they are held. Nothing is
lost within the capacity; what falls out is the oldest. For whoever goes back in time the ring ends at an earlier
moment; what arrives meanwhile is taken in behind that end.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from console.domain.hosting import LogEntry

CAPACITY = 200_000


class Mark(IntEnum):
    """How grave a line is; greater is graver."""

    QUIET = 0
    PLAIN = 1
    ERROR = 2
    SCHEMA = 3


class LogLine(NamedTuple):
    """A line as it is kept: where it came from, how grave it is, its untrusted text."""

    at: datetime
    service: str
    text: str
    mark: Mark


class Ring:
    """Log lines by number, from `first` up to and without `end`. `until` is the moment at which it ends; None: now."""

    def __init__(
        self,
        classify: Callable[[LogEntry], Mark],
        *,
        names: Mapping[str, str] | None = None,
        capacity: int = CAPACITY,
    ) -> None:
        self._classify = classify
        self._names = dict(names or {})
        self._slots: list[LogLine] = []
        self.capacity = capacity
        self.until: datetime | None = None
        self.services: Counter[str] = Counter()
        self._come = 0
        self._end_then = 0
        self._marks: Counter[Mark] = Counter()
        self._marks_then: Counter[Mark] | None = None
        self._first_error: int | None = None

    @property
    def first(self) -> int:
        """The number of the oldest line that is held."""
        return max(self._come - self.capacity, 0)

    @property
    def end(self) -> int:
        """The number of the first line that is still to come."""
        return self._come if self.until is None else max(self._end_then, self.first)

    @property
    def marks(self) -> Counter[Mark]:
        """How many lines of each mark have come in, also those that have fallen out since."""
        if self.until is None:
            return self._marks
        if self._marks_then is None:
            later = (self._slots[number % self.capacity].mark for number in range(self.end, self._come))
            self._marks_then = self._marks - Counter(later)
        return self._marks_then

    @property
    def first_error(self) -> int | None:
        """The number of the first line that was an error; it may have fallen out. None: there was none."""
        return self._first_error if self._first_error is not None and self._first_error < self.end else None

    def stand_at(self, moment: datetime | None) -> None:
        """End at an earlier moment, or with the last line that came (None)."""
        self.until, self._marks_then = moment, None
        if moment is not None:
            held = range(self.first, self._come)
            slots, capacity = self._slots, self.capacity
            self._end_then = self.first + bisect_right(held, moment, key=lambda number: slots[number % capacity].at)

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, number: int) -> LogLine:
        if not self.first <= number < self.end:
            raise IndexError(number)
        return self._slots[number % self.capacity]

    def extend(self, entries: Iterable[LogEntry]) -> None:
        """Take in lines, oldest first."""
        slots, names, classify, capacity = self._slots, self._names, self._classify, self.capacity
        for entry in entries:
            mark = classify(entry)
            service = names.get(entry.service, entry.service)
            line = LogLine(entry.at, service, entry.text, mark)
            if len(slots) < capacity:
                slots.append(line)
            else:
                slots[self._come % capacity] = line
            if mark >= Mark.ERROR and self._first_error is None:
                self._first_error = self._come
            self._marks[mark] += 1
            self.services[service] += 1
            self._come += 1


class Sieve:
    """The lines of a ring that pass a test, found as they come in; numbered like the ring's."""

    def __init__(self, ring: Ring, passes: Callable[[LogLine], bool] | None = None) -> None:
        self.ring = ring
        self._passes = passes
        self._numbers: list[int] = []
        self._gone = 0
        self._seen = ring.first

    @property
    def filters(self) -> bool:
        """Whether it keeps anything back."""
        return self._passes is not None

    def catch_up(self) -> int:
        """Look at what came in since the last call; how many lines have fallen out at the front meanwhile."""
        if self._passes is None:
            gone = self.ring.first - self._seen
            self._seen = self.ring.first
            return gone
        while self._numbers and self._numbers[-1] >= self.ring.end:
            self._numbers.pop()
        for number in range(max(self._seen, self.ring.first), self.ring.end):
            if self._passes(self.ring[number]):
                self._numbers.append(number)
        self._seen = self.ring.end
        return self._drop()

    def _drop(self) -> int:
        before = self._gone
        while self._gone < len(self._numbers) and self._numbers[self._gone] < self.ring.first:
            self._gone += 1
        dropped = self._gone - before
        if self._gone > 10_000 and self._gone * 2 > len(self._numbers):
            del self._numbers[: self._gone]
            self._gone = 0
        return dropped

    def __len__(self) -> int:
        return len(self.ring) if self._passes is None else len(self._numbers) - self._gone

    def number(self, row: int) -> int:
        """The ring's number of the line in this row, counted from 0."""
        return self.ring.first + row if self._passes is None else self._numbers[self._gone + row]

    def row_at(self, number: int) -> int:
        """The row of the first line whose number is not below `number`."""
        if self._passes is None:
            return min(max(number - self.ring.first, 0), len(self))
        low, high = self._gone, len(self._numbers)
        while low < high:
            middle = (low + high) // 2
            if self._numbers[middle] < number:
                low = middle + 1
            else:
                high = middle
        return low - self._gone
