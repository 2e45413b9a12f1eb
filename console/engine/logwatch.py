"""Following the services' logs: lines go to the feed and the tail in batches, errors are counted, alerts follow.

Log lines are telemetry and never journaled; an alert that they lead to is an event. What the services print of the
console's secrets goes no further than here. Errors between new code and the new schema are counted apart: the
plan's order makes them expected, up to a limit.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from console.domain.events import Draft
from console.domain.health import LogClass, classify
from console.domain.hosting import LogEntry
from console.domain.state import RunState
from console.domain.watch import errors_count_since, watch_errors
from console.engine.feed import RunFeed
from console.engine.monitor import Record
from console.engine.tail import TailWriter
from console.errors import HostingError, JournalError, Refused
from console.ports import Clock, LogLines, TailStatus, Telemetry

BATCH = 0.05
"""Wall seconds for which lines are gathered before they are shown."""

WINDOW = timedelta(seconds=60)
"""The time over which errors are counted."""

FAIRNESS = 500
"""Lines after which others get their turn: a log that always has another line ready never waits by itself."""

JUDGE = 2.0
"""Wall seconds between two judgements of the errors."""

RETRY = 5.0
"""Wall seconds before a log that was lost is asked for again."""


@dataclass
class ErrorCounts:
    """Errors of the last minute and in all, by service (its id) and class.

    Those of the last minute are kept by the second, so that a flood of errors costs no memory. Lines carry the
    services' time: by how much our clock goes ahead of it is learnt from the line that came with the least delay.
    """

    total: Counter[tuple[str, LogClass]] = field(default_factory=Counter)
    recent: dict[datetime, Counter[tuple[str, LogClass]]] = field(default_factory=dict)
    ahead: timedelta | None = None

    def add(self, entries: Sequence[LogEntry], heard: datetime) -> None:
        """Count lines that were heard at a moment of our clock."""
        for entry in entries:
            delay = heard - entry.at
            self.ahead = delay if self.ahead is None else min(self.ahead, delay)
            kind = classify(entry)
            self.total[entry.service, kind] += 1
            if kind is not LogClass.OK:
                self.recent.setdefault(entry.at.replace(microsecond=0), Counter())[entry.service, kind] += 1

    def within(self, now: datetime, since: datetime | None = None) -> Counter[tuple[str, LogClass]]:
        """Errors of the last minute, those before the second of `since` left out; older ones are forgotten."""
        ahead = self.ahead or timedelta()
        self.recent = {at: errors for at, errors in self.recent.items() if now - ahead - at <= WINDOW}
        counted = (errors for at, errors in self.recent.items() if since is None or at > since - ahead)
        return sum(counted, Counter[tuple[str, LogClass]]())


class LogWatcher:
    """Follows the logs of some services until cancelled. `counts` may be read at any time."""

    def __init__(
        self,
        telemetry: Telemetry,
        service_ids: Sequence[str],
        feed: RunFeed,
        record: Record,
        clock: Clock,
        tail: TailWriter | None = None,
        *,
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._redact = redact
        self._telemetry = telemetry
        self._service_ids = tuple(service_ids)
        self._feed = feed
        self._record = record
        self._clock = clock
        self._tail = tail
        self._gathered: list[LogEntry] = []
        self._news = asyncio.Event()
        self.counts = ErrorCounts()

    async def run(self) -> None:
        """Follow until cancelled, or until nobody drives the run any more."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._gather())
                group.create_task(self._show())
                group.create_task(self._judge())
                if self._tail is not None:
                    group.create_task(self._tail.run())
        except* (Refused, JournalError):
            pass  # the conductor has let go, and has said why

    async def judge(self) -> None:
        """Raise and clear alerts by the errors of the last minute."""
        now = self._clock.now()
        errors = self.counts.within(now, since=errors_count_since(self._feed.state))

        def say(state: RunState) -> tuple[Draft, ...]:
            return watch_errors(state, errors, now)

        if say(self._feed.state):
            await self._record(say)

    async def _gather(self) -> None:
        """Take lines as they come, for ever; a log that is lost is asked for again where it ended.

        Whether it is heard the telemetry tells by itself; only its end is told here.
        """
        since, seen, taken = self._clock.now(), set[str](), 0
        while True:
            try:
                async for entry in self._telemetry.follow(self._service_ids, since=since):
                    if entry.at > since:
                        since, seen = entry.at, set()
                    elif entry.id in seen:
                        continue
                    seen.add(entry.id)
                    self._gathered.append(entry)
                    self._news.set()
                    taken += 1
                    if taken % FAIRNESS == 0:
                        await asyncio.sleep(0)
                reason = "the log ended"
            except HostingError as error:
                reason = error.message
            self._feed.publish(TailStatus(connected=False, reason=reason))
            await self._clock.sleep(RETRY)

    async def _show(self) -> None:
        """Give what was gathered on, in batches, so that a flood costs a screen no more than a trickle."""
        while True:
            await self._news.wait()
            await self._clock.sleep(BATCH)
            self._news.clear()
            entries = tuple(self._without_secrets(each) for each in self._gathered)
            self._gathered = []
            self.counts.add(entries, self._clock.now())
            if self._tail is not None:
                self._tail.add(entries)
            self._feed.publish(LogLines(entries))

    def _without_secrets(self, entry: LogEntry) -> LogEntry:
        """The entry itself where there is nothing to hide, which is nearly always."""
        text, labels = self._redact(entry.text), "\n".join(entry.labels.values())
        if text == entry.text and self._redact(labels) == labels:
            return entry
        return replace(entry, text=text, labels={key: self._redact(value) for key, value in entry.labels.items()})

    async def _judge(self) -> None:
        while True:
            await self._clock.sleep(JUDGE)
            await self.judge()
