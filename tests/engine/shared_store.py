"""A shared record in memory, for the engine's tests: one `Record`, and as many drivers and observers as are opened.

It keeps the contract of `console.ports.shared`: epochs fence, a line is taken once, a session that ends lets go of
its lease. Every client has a `Wire` of its own that can be cut, for a while or at a single call, before it is carried
out or when only the answer is lost. Lines are those of the journal without their newline.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from console.domain.hosting import LogEntry
from console.domain.shared import Answer, Branch, Lease, Observer, SharedRun, Signature
from console.domain.wire import GENESIS, line_digest
from console.errors import JournalError, StoreLost, TakenOver
from console.ports import News

T = TypeVar("T")

AT = datetime(2026, 2, 4, 20, 14, 3, 118000, UTC)


def lost(why: str = "the line was cut") -> StoreLost:
    """What a client is told whose line to the store is gone."""
    return StoreLost(f"The shared record cannot be reached: {why}.", production="Unchanged.", remedy="It is tried on.")


@dataclass
class Wire:
    """A client's way to the store. `calls` are the names of all that it tried, in order.

    `cut` until `mend`: every call is lost before it is carried out. `cut_at(n)`: the n-th call from now (1 is the next)
    is the first that is lost; with `answered=False` it is carried out, and its answer is lost. It stays cut then,
    unless `once`.
    """

    name: str = "somebody"
    down: bool = False
    calls: list[str] = field(default_factory=list)
    cuts: int = 0
    on_cut: Callable[[], None] = lambda: None
    _countdown: int = 0
    _carried_out: bool = False
    _once: bool = False

    def cut(self) -> None:
        """Cut the line; the store sees the session end."""
        self.down = True
        self.cuts += 1
        self.on_cut()

    def mend(self) -> None:
        """The next call connects anew."""
        self.down = False
        self._countdown = 0

    def cut_at(self, call: int, *, answered: bool = True, once: bool = False) -> None:
        """Cut at a later call. See the class."""
        self._countdown, self._carried_out, self._once = call, not answered, once

    async def call(self, name: str, work: Callable[[], T]) -> T:
        """Carry a call out, if the line allows."""
        await asyncio.sleep(0)
        self.calls.append(name)
        if self.down:
            raise lost()
        if self._countdown:
            self._countdown -= 1
            if not self._countdown:
                if self._carried_out:
                    work()
                self.cut()
                self.down = not self._once
                raise lost("the answer was lost" if self._carried_out else "the line was cut")
        return work()


@dataclass
class Kept:
    """What the store keeps of one run."""

    plan: str
    created_at: datetime
    lines: list[bytes] = field(default_factory=list)
    last_at: datetime | None = None
    lease: Lease | None = None
    holder: object = None
    branches: dict[int, Branch] = field(default_factory=dict)
    tail: list[LogEntry] = field(default_factory=list)
    inbox: dict[int, Signature] = field(default_factory=dict)
    answers: dict[int, Answer] = field(default_factory=dict)


class Record:
    """The memory behind all clients: what a PostgreSQL server is to the real ones."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: AT, pushes: bool = True) -> None:
        self.now = now
        self.pushes = pushes
        """Whether appended lines are pushed whole; otherwise only that there is more."""
        self.deaf = False
        """Whether nothing at all is told, as when a notification is lost."""
        self.kept: dict[str, Kept] = {}
        self.watching: list[MemoryObserver] = []
        self.drivers: list[MemoryDriver] = []

    def of(self, run: str) -> Kept:
        """What is kept of a run. Raises JournalError."""
        if run not in self.kept:
            raise JournalError(f"The run {run} is not in the shared record.", remedy="`release-console runs` lists.")
        return self.kept[run]

    def shared(self, run: str) -> SharedRun:
        """The run as `find` and `runs` tell it."""
        kept = self.of(run)
        tip = line_digest(kept.lines[-1]) if kept.lines else GENESIS
        last = tuple(kept.lines[-3:])
        return SharedRun(run, kept.created_at, len(kept.lines), tip, last, self.lease(run), kept.last_at)

    def all(self) -> tuple[SharedRun, ...]:
        """Every run, newest first."""
        return tuple(self.shared(run) for run in sorted(self.kept, reverse=True))

    def lease(self, run: str) -> Lease | None:
        """The lease, with whether its session is alive."""
        kept = self.of(run)
        return replace(kept.lease, held=kept.holder is not None) if kept.lease else None

    def ends(self, holder: object) -> None:
        """A session ended: its leases are held no more. Observers are not told of that, as PostgreSQL tells nobody."""
        for kept in self.kept.values():
            if kept.holder is holder:
                kept.holder = None

    def sign(self, run: str, role: str, name: str, *, login: str = "qa", plan: str = "", commit: str = "") -> int:
        """Put a signature into the inbox, as a signer's client does."""
        kept, number = self.of(run), sum(len(each.inbox) for each in self.kept.values()) + 1
        kept.inbox[number] = Signature(number, run, login, role, name, True, "", plan, commit, self.now())
        self.tell_driver(run)
        return number

    def tell(self, run: str, news: News) -> None:
        """Tell every observer who listens to the run."""
        for each in () if self.deaf else self.watching:
            each.told(run, news)

    def tell_driver(self, run: str) -> None:
        """Tell the drivers that something is news to them."""
        for each in self.drivers:
            each.told(run)


class MemoryDriver:
    """A DriverStore on a Record, with a line of its own."""

    def __init__(self, record: Record, *, name: str = "driver") -> None:
        self._record = record
        self.wire = Wire(name)
        self.wire.on_cut = self._gone
        self._news: dict[str, asyncio.Event] = {}
        record.drivers.append(self)

    async def login(self) -> str:
        return await self.wire.call("login", lambda: self.wire.name)

    async def find(self, run: str) -> SharedRun | None:
        return await self.wire.call("find", lambda: self._record.shared(run) if run in self._record.kept else None)

    async def runs(self) -> tuple[SharedRun, ...]:
        return await self.wire.call("runs", self._record.all)

    async def plan(self, run: str) -> str:
        return await self.wire.call("plan", lambda: self._record.of(run).plan)

    async def lines(self, run: str, after: int) -> list[bytes]:
        return await self.wire.call("lines", lambda: self._record.of(run).lines[after:])

    async def create(self, run: str, plan_json: str) -> None:
        def work() -> None:
            kept = self._record.kept.setdefault(run, Kept(plan_json, self._record.now()))
            if kept.plan != plan_json:
                raise JournalError(f"The shared record has another plan for {run}.")

        await self.wire.call("create", work)

    async def claim(self, run: str, driver: Lease, *, expected: int) -> int:
        def work() -> int:
            kept = self._record.of(run)
            now, mine = kept.lease, replace(driver, epoch=expected + 1, held=False)
            if now != mine:
                if (now.epoch if now else 0) != expected:
                    raise _taken_over(kept)
                kept.lease = mine
                self._record.tell_driver(run)
            kept.holder = self
            self._record.tell(run, News(driver=True))
            return mine.epoch

        return await self.wire.call("claim", work)

    async def hold(self, run: str, epoch: int) -> None:
        def work() -> None:
            self._of_epoch(run, epoch).holder = self
            self._record.tell(run, News(driver=True))

        await self.wire.call("hold", work)

    async def append(self, run: str, epoch: int, first: int, lines: Sequence[bytes]) -> None:
        def work() -> None:
            kept = self._of_epoch(run, epoch)
            if first > len(kept.lines) + 1:
                raise JournalError(f"Line {first} would leave a gap behind line {len(kept.lines)}.")
            there = kept.lines[first - 1 :][: len(lines)]
            if list(lines[: len(there)]) != there:
                raise _taken_over(kept)
            new = list(enumerate(lines, first))[len(there) :]
            kept.lines += [line for _, line in new]
            kept.last_at = self._record.now()
            pushed = self._record.pushes and kept.holder is self
            self._record.tell(run, News(lines=tuple(new)) if pushed else News(more=True))

        await self.wire.call("append", work)

    async def attach(self, run: str, branch: Branch) -> None:
        def work() -> None:
            self._record.of(run).branches[branch.epoch] = branch
            self._record.tell_driver(run)

        await self.wire.call("attach", work)

    async def branches(self, run: str) -> tuple[Branch, ...]:
        return await self.wire.call(
            "branches", lambda: tuple(b for _, b in sorted(self._record.of(run).branches.items()))
        )

    async def add_tail(self, run: str, epoch: int, entries: Sequence[LogEntry]) -> None:
        def work() -> None:
            kept = self._record.of(run)
            if kept.lease and kept.lease.epoch == epoch:
                kept.tail += entries
                self._record.tell(run, News(tail=True))

        await self.wire.call("add_tail", work)

    async def observers(self, run: str) -> tuple[Observer, ...]:
        return await self.wire.call(
            "observers", lambda: tuple(each.who for each in self._record.watching if each.run == run)
        )

    async def inbox(self, run: str) -> tuple[Signature, ...]:
        def work() -> tuple[Signature, ...]:
            kept = self._record.of(run)
            return tuple(each for number, each in sorted(kept.inbox.items()) if number not in kept.answers)

        return await self.wire.call("inbox", work)

    async def answer(self, signature: int, *, accepted: bool, reason: str) -> None:
        def work() -> None:
            for kept in self._record.kept.values():
                if signature in kept.inbox:
                    kept.answers[signature] = Answer(accepted, reason, self._record.now())

        await self.wire.call("answer", work)

    async def wait(self, run: str, seconds: float) -> bool:
        await self.wire.call("wait", lambda: None)
        return await _waited(self.wire, self._bell(run), seconds)

    async def close(self) -> None:
        self._record.ends(self)
        if self in self._record.drivers:
            self._record.drivers.remove(self)

    def told(self, run: str) -> None:
        """Something about the run is news."""
        self._bell(run).set()

    def _bell(self, run: str) -> asyncio.Event:
        return self._news.setdefault(run, asyncio.Event())

    def _gone(self) -> None:
        self._record.ends(self)
        for bell in self._news.values():
            bell.set()

    def _of_epoch(self, run: str, epoch: int) -> Kept:
        kept = self._record.of(run)
        if kept.lease is None or kept.lease.epoch != epoch:
            raise _taken_over(kept)
        return kept


class MemoryObserver:
    """An ObserverStore on a Record, with a line of its own. `nudge` lets a `wait` end as if its time were over."""

    def __init__(self, record: Record, *, login: str = "observer", person: str = "eve@desk") -> None:
        self._record = record
        self.wire = Wire(login)
        self.wire.on_cut = self._gone
        self.who = Observer(login, person, record.now())
        self.run = ""
        self._news: list[News] = []
        self._bell = asyncio.Event()

    async def runs(self) -> tuple[SharedRun, ...]:
        return await self.wire.call("runs", self._record.all)

    async def plan(self, run: str) -> str:
        return await self.wire.call("plan", lambda: self._record.of(run).plan)

    async def lines(self, run: str, after: int, limit: int) -> list[bytes]:
        return await self.wire.call("lines", lambda: self._record.of(run).lines[after : after + limit])

    async def tail(self, run: str, after: int) -> tuple[int, tuple[LogEntry, ...]]:
        def work() -> tuple[int, tuple[LogEntry, ...]]:
            kept = self._record.of(run)
            return len(kept.tail), tuple(kept.tail[after:])

        return await self.wire.call("tail", work)

    async def lease(self, run: str) -> Lease | None:
        return await self.wire.call("lease", lambda: self._record.lease(run))

    async def listen(self, run: str) -> None:
        def work() -> None:
            self.run = run
            if self not in self._record.watching:
                self._record.watching.append(self)

        await self.wire.call("listen", work)

    async def wait(self, seconds: float) -> News:
        await self.wire.call("wait", lambda: None)
        if self not in self._record.watching:
            raise lost("nobody listens")
        await _waited(self.wire, self._bell, seconds)
        news, self._news = self._news, []
        return News(
            tuple(line for each in news for line in each.lines),
            more=any(each.more for each in news),
            tail=any(each.tail for each in news),
            driver=any(each.driver for each in news),
        )

    async def close(self) -> None:
        self._gone()

    def told(self, run: str, news: News) -> None:
        """Something was told of a run."""
        if run == self.run:
            self._news.append(news)
            self._bell.set()

    def nudge(self) -> None:
        """The time of a `wait` is over."""
        self._bell.set()

    def _gone(self) -> None:
        if self in self._record.watching:
            self._record.watching.remove(self)
        self._news.clear()
        self._bell.set()


async def _waited(wire: Wire, bell: asyncio.Event, seconds: float) -> bool:
    """Wait for a bell; whether it rang. A line that is cut rings it too."""
    cuts = wire.cuts
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return False
    bell.clear()
    if wire.cuts != cuts:
        raise lost()
    return True


def _taken_over(kept: Kept) -> TakenOver:
    lease = kept.lease
    return TakenOver(
        f"The run is driven by {lease.actor if lease else 'nobody'} now.",
        epoch=lease.epoch if lease else 0,
        driver=lease.actor if lease else "",
    )
