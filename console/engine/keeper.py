"""Keeping a shared record beside the conductor: loss and return on record, the epoch watched, what others left.

What always holds: the loss of the store is recorded before anything that changes production may start, its return only
once everything that waited is there; and an epoch of another driver makes the conductor give way at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from console.domain.events import Draft, Kind
from console.domain.plan import Json
from console.domain.shared import Branch, Observer
from console.domain.state import RunState
from console.domain.wire import WireError, decode_event
from console.engine.feed import RunFeed
from console.engine.shared_journal import SharedJournal
from console.engine.writer import Decision
from console.errors import JournalError, TakenOver
from console.ports import Clock, DriverStore, Watched

BEAT = 5.0
"""Seconds between two looks at the store while it says nothing by itself."""

REST = 0.1
"""Seconds between two rounds at least: whoever can call out on the store's channels keeps nobody busy with that."""

PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to reach it again; the last for as long as it takes."""

Chore = Callable[[], Awaitable[None]]
"""Something to be looked after in the store whenever it has news. Raises JournalError."""


class Steered(Protocol):
    """What the keeper needs of the conductor."""

    async def record(self, decision: Decision, actor: str | None = None) -> object:
        """Have the one writer decide and append."""

    def give_way(self, error: TakenOver) -> None:
        """Another driver took the run over."""


class Keeper:
    """Keeps one run's shared record until it is cancelled, or another driver has taken the run over."""

    def __init__(
        self,
        journal: SharedJournal,
        store: DriverStore,
        conductor: Steered,
        feed: RunFeed,
        clock: Clock,
        chores: tuple[Chore, ...] = (),
    ) -> None:
        self._journal = journal
        self._store = store
        self._conductor = conductor
        self._feed = feed
        self._clock = clock
        self._chores = (self._watched, self._branches, *chores)
        journal.gives_way = conductor.give_way
        self._attempt = 0
        self._fresh = True
        self._observers: tuple[Observer, ...] = ()

    async def run(self) -> None:
        """Keep it."""
        while True:
            self._journal.changed.clear()
            self._feed.publish(self._journal.status)
            if self._journal.taken_over is not None:
                return
            if self._journal.apart:
                await self._until_reached()
            else:
                await self._reached()

    async def _until_reached(self) -> None:
        """Try at once, for a connection that was merely ended; then, on record as lost, again and again."""
        if self._attempt == 0 and await self._tried():
            return
        if self._journal.taken_over is not None:
            return
        reason, epoch = self._journal.apart, self._journal.epoch
        lost = Draft(Kind.STORE_LOST, data={"reason": reason, "epoch": epoch})
        await self._record(lost, when=lambda state: state.apart is None)
        await self._clock.sleep(PAUSES[min(self._attempt, len(PAUSES) - 1)])
        self._attempt += 1
        await self._tried()

    async def _tried(self) -> bool:
        """Whether the store is reached again; then that is on record."""
        waited = self._journal.status.unsent
        if not await self._journal.reach():
            return False
        self._attempt = 0
        await self._regained(waited)
        return True

    async def _regained(self, missed: int) -> None:
        regained = Draft(Kind.STORE_REGAINED, data={"epoch": self._journal.epoch, "missed": missed})
        await self._record(regained, when=lambda state: state.apart is not None)

    async def _reached(self) -> None:
        """Do what is to be done, then wait for news, or for the journal to be apart."""
        await self._regained(0)
        try:
            if await self._journal.still_ours():
                for chore in self._chores:
                    await chore()
                await self._clock.sleep(REST)
                self._fresh = await self._news()
        except JournalError as error:
            self._fresh = True
            self._journal.lose(error)  # what it is, a loss or a take-over, is seen when it is reached for again

    async def _news(self) -> bool:
        """Wait until the store has news, the journal's status is another, or a beat is over; whether it is not merely
        that. Raises JournalError."""
        told = asyncio.create_task(self._store.wait(self._journal.run, BEAT))
        changed = asyncio.create_task(self._journal.changed.wait())
        try:
            await asyncio.wait({told, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (told, changed):
                task.cancel()
            outcomes = await asyncio.gather(told, changed, return_exceptions=True)
        if isinstance(outcomes[0], Exception):
            raise outcomes[0]
        return outcomes[0] is not False

    async def _watched(self) -> None:
        observers = await self._store.observers(self._journal.run)
        if observers != self._observers:
            self._observers = observers
            self._feed.publish(Watched(observers))

    async def _branches(self) -> None:
        """Name what others recorded apart in the record itself, each once. Such lines may be many: they are read when
        the store has news alone."""
        if not self._fresh:
            return
        for branch in await self._store.branches(self._journal.run):
            if not self._named(branch):
                await self._record(_attached(branch), _alert(branch))

    def _named(self, branch: Branch) -> bool:
        place = (branch.epoch, branch.first)
        return any(
            each.kind is Kind.BRANCH_ATTACHED and (each.data.get("epoch"), each.data.get("first")) == place
            for each in self._journal.events()
        )

    async def _record(self, *drafts: Draft, when: Callable[[RunState], bool] = lambda _: True) -> None:
        await self._conductor.record(lambda state: drafts if when(state) else ())


def _attached(branch: Branch) -> Draft:
    kinds: dict[str, Json] = {}
    for line in branch.lines:
        kind = _kind(line)
        count = kinds.get(kind, 0)
        kinds[kind] = (count if isinstance(count, int) else 0) + 1
    data: dict[str, Json] = {
        "epoch": branch.epoch,
        "actor": branch.actor,
        "first": branch.first,
        "events": len(branch.lines),
        "kinds": kinds,
    }
    return Draft(Kind.BRANCH_ATTACHED, data=data)


def _alert(branch: Branch) -> Draft:
    """What whoever drives now must not overlook: somebody else went on, and what they did is not in this record."""
    count = "1 event" if len(branch.lines) == 1 else f"{len(branch.lines)} events"
    message = f"{branch.actor} had recorded {count} apart from this record: look at what they did before going on."
    data: dict[str, Json] = {
        "alert": f"branch:{branch.epoch}:{branch.first}",
        "severity": "warning",
        "message": message,
        "offer": None,
    }
    return Draft(Kind.ALERT_RAISED, data=data)


def _kind(line: bytes) -> str:
    """The kind of an event; a line that a newer console wrote may have one that is not known here."""
    try:
        return decode_event(line)[0].kind.value
    except WireError:
        return "unreadable"
