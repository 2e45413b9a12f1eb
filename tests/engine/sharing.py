"""Driving and following a run in the shared record, for tests: a driver who appends, and a follower that is told."""

from dataclasses import replace
from datetime import timedelta

from console.domain.events import Draft, Event, Kind
from console.domain.shared import Lease
from console.domain.wire import GENESIS, encode_event, encode_plan, line_digest
from console.engine.follow_store import StoreFollower
from tests.engine.following import AT, CREATED, PLAN, RUN, Told
from tests.engine.shared_store import MemoryDriver, MemoryObserver, Record
from tests.engine.world import FakeClock

OPS = Lease(0, "ops@laptop", "laptop", 4711, AT)
EVE = Lease(0, "eve@desk", "desk", 4712, AT + timedelta(minutes=5))
PLAN_JSON = encode_plan(PLAN)


class Drive:
    """A time at the helm of RUN in a record: `begin` claims it, `does` appends events."""

    def __init__(self, record: Record, who: Lease = OPS) -> None:
        self.record, self.who, self.epoch = record, who, 0
        self.store = MemoryDriver(record, name=who.actor)

    async def begin(self) -> "Drive":
        await self.store.create(RUN, PLAN_JSON)
        now = self.record.lease(RUN)
        self.epoch = await self.store.claim(RUN, self.who, expected=now.epoch if now else 0)
        return self

    async def does(self, *drafts: Draft) -> list[Event]:
        """Append these events behind whatever is there, one after the other."""
        events = []
        for draft in drafts:
            lines = self.record.of(RUN).lines
            tip = line_digest(lines[-1]) if lines else GENESIS
            event = Event(len(lines) + 1, AT, RUN, self.who.actor, draft.kind, draft.step, draft.data)
            await self.store.append(RUN, self.epoch, event.seq, [encode_event(event, tip)])
            events.append(event)
        return events

    async def joins(self) -> list[Event]:
        data = {"actor": self.who.actor, "host": self.who.host, "pid": self.who.pid}
        return await self.does(Draft(Kind.DRIVER_JOINED, data=data))

    async def notes(self, *texts: str) -> list[Event]:
        return await self.does(*(Draft(Kind.NOTE_ADDED, data={"text": text}) for text in texts))

    async def leaves(self) -> None:
        await self.does(Draft(Kind.DRIVER_LEFT, data={"reason": "the console was closed"}))
        await self.store.close()

    async def finishes(self, outcome: str = "completed") -> None:
        await self.does(Draft(Kind.RUN_FINISHED, data={"outcome": outcome, "reason": "r", "production": "It runs."}))


async def driven(record: Record, *texts: str, who: Lease = OPS) -> Drive:
    """A run that is created and driven, with some notes."""
    drive = await Drive(record, who).begin()
    if not record.of(RUN).lines:
        await drive.does(CREATED)
    await drive.joins()
    await drive.notes(*texts)
    return drive


async def observed(record: Record) -> tuple[StoreFollower, Told, MemoryObserver]:
    """A follower of the run, which has read nothing yet, what it will tell, and its store."""
    store = MemoryObserver(record)
    follower, told = await StoreFollower.open(store, RUN, FakeClock()), Told()
    follower.feed.subscribe(told.updates.append)
    return follower, told, store


def again(who: Lease, pid: int) -> Lease:
    """The same person with another process."""
    return replace(who, pid=pid)
