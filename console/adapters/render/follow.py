"""Following the log without a gap: a live subscription, and the history wherever that one was not there.

Connections end at any time and nothing can be resumed, so every connection begins with a reading of the history
from shortly before the last line, and is followed by two more when what was under way has settled. Lines are
told apart by id: none is passed on twice. While no subscription can be opened, the history alone is read, again
and again. A line that the provider shows late comes late; none is left out.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.adapters.render.logs import History, LogReader
from console.adapters.render.seen import Seen
from console.adapters.render.subscription import Subscription, SubscriptionFailed, subscription_url
from console.domain.hosting import LogEntry
from console.errors import HostingError

OnStatus = Callable[[bool, str], None]
"""Told whether the live log is heard, and why not."""

_FINAL = frozenset({400, 401, 403, 404, 410})
"""After these answers to a plain reading, asking again changes nothing."""


_DEAF = 2


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall seconds.

    `overlap`: how far before the last line a reading of the history begins; `lag`: how late the
    history may show a line; `settling`: when a connection's beginning is read again; `quiet`: after how long a
    silence the history is asked whether it is one; `healthy`: after how long a connection was no failure.
    """

    overlap: float = 5.0
    lag: float = 10.0
    settling: tuple[float, ...] = (2.0, 11.0)
    quiet: float = 15.0
    first_pause: float = 0.25
    longest_pause: float = 5.0
    healthy: float = 5.0


class LogFollower:
    """The endless log of some services from `since` on."""

    def __init__(self, reader: LogReader, since: datetime, on_status: OnStatus, timing: Timing) -> None:
        self._reader = reader
        self._since = since
        self._on_status = on_status
        self._timing = timing
        self._seen = Seen()
        self._unsettled: datetime | None = None
        self._pause = timing.first_pause

    async def entries(self) -> AsyncIterator[LogEntry]:
        """Lines as they come. Raises HostingError when the provider will never show them (a wrong key, say)."""
        while True:
            live: _Live | None = None
            subscription, reason = await self._subscribe()
            try:
                history = History(self._reader, self._start())
                while (page := await history.next()) is not None:
                    for entry in self._seen.fresh(page, history=True):
                        yield entry
                self._unsettled = self._before_newest(self._timing.lag)
                if subscription is not None:
                    live = _Live(subscription, self._reader, self._seen, self._unsettled, self._timing)
                    self._on_status(True, "")
                    while (batch := await live.next()) is not None:
                        for entry in batch:
                            yield entry
                    reason = subscription.reason
            except HostingError as error:
                if error.status in _FINAL:
                    raise
                reason = error.message
            finally:
                if live is not None:
                    self._unsettled = None if live.settled else self._unsettled
                    self._pause = self._timing.first_pause if live.healthy else self._pause
                    await live.close()
                if subscription is not None:
                    await subscription.close()
            self._on_status(False, reason)
            await self._rest()

    def _start(self) -> datetime:
        """Where a reading of the history begins: before the last line, and before what has not settled."""
        start = self._before_newest(self._timing.overlap)
        return start if self._unsettled is None else min(start, self._unsettled)

    def _before_newest(self, seconds: float) -> datetime:
        if self._seen.newest is None:
            return self._since
        start = max(self._seen.newest - timedelta(seconds=seconds), self._since)
        return start if self._seen.forgotten is None else max(start, self._seen.forgotten)

    async def _subscribe(self) -> tuple[Subscription | None, str]:
        client = self._reader.client
        url = subscription_url(client.api_url, client.owner_id, self._reader.service_ids)
        try:
            return await Subscription.open(url, client.authorization), ""
        except SubscriptionFailed as failure:
            return None, str(failure)

    async def _rest(self) -> None:
        pause = random.uniform(self._pause / 2, self._pause)  # noqa: S311 - spreads reconnects, no secret
        self._pause = min(self._pause * 2, self._timing.longest_pause)
        await self._reader.client.clock.sleep(pause)


class _Live:
    """One connection's lines, and the readings of the history that prove it to be complete.

    What lies after `resume` may still come late to the history that was read at the beginning.
    """

    def __init__(
        self, subscription: Subscription, reader: LogReader, seen: Seen, resume: datetime, timing: Timing
    ) -> None:
        self._subscription = subscription
        self._reader = reader
        self._seen = seen
        self._timing = timing
        self._clock = reader.client.clock
        self._resume = resume
        self._began = self._heard = self._clock.monotonic()
        self._due = [self._began + seconds for seconds in timing.settling]
        self._first: datetime | None = None
        self._audit: asyncio.Task[list[LogEntry]] | None = None
        self._missed = 0

    @property
    def settled(self) -> bool:
        """The history was read again when everything under way at the beginning had to be in it."""
        return not self._due and self._audit is None

    @property
    def healthy(self) -> bool:
        """It lasted long enough not to count as a failure."""
        return self._clock.monotonic() - self._began >= self._timing.healthy

    async def next(self) -> list[LogEntry] | None:
        """The next new lines, perhaps none; None when the connection is over. Raises HostingError."""
        if self._audit is not None and self._audit.done():
            return self._audited(self._audit)
        if self._audit is None:
            self._begin_audit()
        batch = await self._subscription.next(self._patience())
        if not batch:
            return batch
        self._heard = self._clock.monotonic()
        self._missed = 0
        self._first = self._first or batch[0].at
        return self._seen.fresh(batch)

    async def close(self) -> None:
        """Give up a reading that is under way."""
        if self._audit is not None:
            self._audit.cancel()
            await asyncio.gather(self._audit, return_exceptions=True)

    def _patience(self) -> float:
        if self._audit is not None:
            return self._timing.quiet
        next_reading = min([self._heard + self._timing.quiet, *self._due[:1]])
        return max(next_reading - self._clock.monotonic(), 0.0)

    def _begin_audit(self) -> None:
        now = self._clock.monotonic()
        if self._due and now >= self._due[0]:
            self._due.pop(0)
            start = self._resume
        elif now - self._heard >= self._timing.quiet:
            self._heard = now
            self._missed += 1
            start = self._seen.newest or self._resume
        else:
            return
        self._audit = asyncio.create_task(self._read(start))
        self._audit.add_done_callback(lambda _: self._subscription.wake())

    async def _read(self, start: datetime) -> list[LogEntry]:
        """The history from `start`, up to a second after the first line that this connection brought."""
        history, found = History(self._reader, start), list[LogEntry]()
        while (page := await history.next()) is not None:
            found.extend(page)
            if page and self._first is not None and page[-1].at > self._first + timedelta(seconds=1):
                break
        return found

    def _audited(self, audit: asyncio.Task[list[LogEntry]]) -> list[LogEntry] | None:
        """What a reading found. A connection that twice in a row stays silent about new lines is given up."""
        self._audit = None
        fresh = self._seen.fresh(audit.result(), history=True)
        if self._missed and not fresh:
            self._missed = 0
        if self._missed >= _DEAF:
            self._subscription.give_up("the log connection was silent while lines were written")
        return fresh
