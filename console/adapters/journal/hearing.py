"""What a connection was told by itself, until somebody asks for it; and waiting for more.

This lies on every event's way to every observer: one timer serves all waits, and nothing is made for each but a future.
Whoever knows a channel's name can call out on it, and as much as they like: only so much is kept.
"""

import asyncio
from typing import NamedTuple

KEPT = 2_000
"""Notifications that are kept until somebody asks for them, some 16 MB at most; for one more all are dropped."""


class Told(NamedTuple):
    """A notification: its channel, what it says, and the process of the session that sent it, for which the server
    vouches. `MORE`: there were others, which are not kept."""

    channel: str
    payload: str
    backend: int


MORE = Told("", "", 0)


class Hearing:
    """Notifications that nobody has asked for yet, in order."""

    def __init__(self) -> None:
        self._told: list[Told] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._alarm: asyncio.TimerHandle | None = None

    def note(self, told: Told) -> None:
        """Keep a notification, and wake whoever waits."""
        if len(self._told) >= KEPT:
            self._told = [MORE]
        self._told.append(told)
        self.ring()

    def put_back(self, told: list[Told]) -> None:
        """Have notifications told again: whoever took them could not use them."""
        self._told[:0] = told
        self.ring()

    def take(self) -> list[Told]:
        """What was told since the last call."""
        told, self._told = self._told, []
        return told

    def ring(self) -> None:
        """Wake whoever waits: there is something to look at."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def rung(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        """Wait until there is something to look at, or until a time of the event loop, or a little before."""
        if self._alarm is None or self._alarm.when() > at:
            self.still()
            self._alarm = loop.call_at(at, self._alarmed)
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    def still(self) -> None:
        """Stop the timer: nobody waits on this connection any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _alarmed(self) -> None:
        self._alarm = None
        self.ring()
