"""One run, opened in two strokes: first its record, which needs nothing but files; then what drives it.

What always holds: the journal's lock is held from opening to closing, and leaving (also by an error or an
interrupt) lets the conductor go of the run first, so that what ran is found again by the next start.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console import __version__
from console.cli.account import actor, full_name
from console.cli.kept_copies import discard_expired
from console.cli.logfile import LogFile, logging_to
from console.cli.shared_run import Ask, Shared, nobody_to_ask, open_with
from console.cli.wiring import Wired, wired
from console.domain.fold import initial
from console.domain.plan import Plan
from console.domain.state import RunState
from console.domain.watch import alert, clear
from console.domain.wire import encode_plan
from console.engine.clock import WallClock
from console.engine.conductor import About, Conductor
from console.engine.driver import Driver
from console.engine.feed import RunFeed
from console.engine.inbox import Inbox
from console.engine.incident import IncidentDesk
from console.engine.journal import FileJournal
from console.engine.keeper import Keeper
from console.engine.logwatch import LogWatcher
from console.engine.monitor import Monitor
from console.engine.runs import replay
from console.engine.shared_journal import SharedJournal
from console.engine.sharing import GROUP
from console.engine.store_tail import StoreTail
from console.engine.tail import TailWriter
from console.errors import JournalError, Refused
from console.ports import TailStatus

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run whose record is open here, so that nobody else drives it. `remarks` are for its record."""

    plan: Plan
    journal: FileJournal | SharedJournal
    feed: RunFeed
    log: LogFile
    remarks: tuple[str, ...] = ()
    shared: Shared | None = None


def _to_nobody(run: Recorded) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, slots=True)
class Front:
    """What stands in front of the person while a run is opened: it is told what is being done, shown the record as soon
    as that is open, asks whether a run is taken over, and tells what must not be overlooked once the run is shown."""

    say: Callable[[str], None]
    show: Callable[[Recorded], None] = _to_nobody
    tell: Callable[[str], None] = lambda text: None
    ask: Ask = nobody_to_ask


@dataclass(frozen=True, slots=True)
class Session:
    """A run that is open in this process. `driving` ends when the run is finished or let go of."""

    plan: Plan
    journal: FileJournal | SharedJournal
    feed: RunFeed
    conductor: Conductor
    wired: Wired
    driving: asyncio.Task[object]


@asynccontextmanager
async def recorded(
    folder: Path, plan: Plan | None, remarks: tuple[str, ...] = (), shared: Shared | None = None
) -> AsyncIterator[Recorded]:
    """Open the record of the run in `folder`: of a new one of `plan`, or the one that is there with its frozen plan.

    With `shared` the record is that of its store as well, and may be there alone. Raises JournalError, JournalLocked,
    DrivenElsewhere, JournalBroken.
    """
    journal, told = await _open(folder, plan, shared)
    remarks = (*remarks, *told)
    try:
        if journal.torn:
            remarks = (*remarks, f"a torn last line of {journal.torn} bytes was cut off")
        known, state = (plan, initial(plan)) if plan is not None else await asyncio.to_thread(_replay, journal)
        with logging_to(folder) as log:
            await asyncio.to_thread(discard_expired, folder.parent, datetime.now(UTC))
            yield Recorded(known, journal, RunFeed(state), log, remarks, shared)
    finally:
        await journal.close()


@asynccontextmanager
async def driven(run: Recorded, *, pace: float, rehearsal: bool) -> AsyncIterator[Session]:
    """Connect a run to the world and let its conductor drive it. Raises SecretError."""
    clock = WallClock(pace)
    run.feed.publish(TailStatus(connected=False, reason="connecting to the provider"))
    cache = run.journal.directory.parent.parent / "cache"
    async with wired(run.plan, cache=cache, clock=clock, feed=run.feed) as world:
        run.log.redact = world.redactor.text
        about = About(
            actor(),
            os.uname().nodename,
            os.getpid(),
            __version__,
            rehearsal,
            run.remarks,
            full_name(),
            await _login(run.shared),
        )
        conductor = Conductor(
            run.plan,
            run.journal,
            world.actions,
            clock,
            run.feed,
            about,
            redact=world.redactor.text,
            incident=IncidentDesk(world.assessor, world.notifier),
        )
        async with contextlib.AsyncExitStack() as stack:
            driving = asyncio.create_task(conductor.run(), name="conductor")
            stack.push_async_callback(_let_go, conductor, driving)
            services = [service.id for service in run.plan.services_in("production")]
            tail = TailWriter(run.journal.directory)
            log = LogWatcher(
                world.ports.telemetry, services, run.feed, conductor.record, clock, tail, redact=world.redactor.text
            )
            monitor = Monitor(run.feed, conductor.record, clock, world.ports.hosting)
            watches = [("the services' logs", log.run), ("production", monitor.run), *_sharing(run, conductor, clock)]
            for what, watching in watches:
                stack.push_async_callback(_end, asyncio.create_task(_watch(what, watching, conductor)))
            yield Session(run.plan, run.journal, run.feed, conductor, world, driving)


async def _login(shared: Shared | None) -> str:
    """Whom the shared record takes the driver for; empty while it is not reached."""
    try:
        return await shared.store.login() if shared is not None else ""
    except JournalError:
        return ""  # that the record is not reached is told by its journal


def _sharing(run: Recorded, conductor: Conductor, clock: WallClock) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    """What goes on beside a run whose record is shared: keeping it, and sending the tail."""
    if run.shared is None or not isinstance(run.journal, SharedJournal):
        return []
    journal, store = run.journal, run.shared.store
    inbox = Inbox(store, journal.run, lambda: conductor.state, conductor.record)
    keeper = Keeper(journal, store, conductor, run.feed, clock, (inbox.take,))
    return [("the shared record", keeper.run), ("the shared tail", StoreTail(journal, store, run.feed, clock).run)]


async def _open(
    folder: Path, plan: Plan | None, shared: Shared | None
) -> tuple[FileJournal | SharedJournal, tuple[str, ...]]:
    """The journal, and what is to be said of how it was opened."""
    driver = Driver.here(actor())
    if shared is not None:
        try:
            opened = await open_with(shared, folder, plan, driver)
        except BaseException:
            await shared.store.close()
            raise
        return opened.journal, opened.remarks
    return await asyncio.to_thread(_open_here, folder, plan, driver), ()


def _open_here(folder: Path, plan: Plan | None, driver: Driver) -> FileJournal:
    if plan is None:
        return FileJournal.open(folder, driver)
    return FileJournal.create(folder, folder.name, encode_plan(plan), driver, group=plan.readable_by == GROUP)


def _replay(journal: FileJournal | SharedJournal) -> tuple[Plan, RunState]:
    return replay(journal.plan_json, journal.events())


async def _watch(what: str, watching: Callable[[], Awaitable[None]], conductor: Conductor) -> None:
    """Watch beside the run. A defect in watching ends no run, but nobody may believe that somebody still looks."""
    name = f"watch:{what}"
    with contextlib.suppress(Refused, JournalError):
        await conductor.record(lambda state: clear(state, name, "the console looks again"))
    try:
        await watching()
    except (Refused, JournalError):
        return  # the run is let go of, or cannot be recorded any more: its owner is told by the conductor
    except Exception as error:
        _log.exception("watching %s ended", what)
        causes = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        why = "; ".join(f"{type(each).__name__}: {each}" for each in causes)
        message = f"Nobody watches {what} any more, by a defect of the console ({why}). Start it again."
        with contextlib.suppress(Refused, JournalError):
            await conductor.record(lambda state: alert(state, name, message, severity="warning", offer=None))


async def _end(watching: asyncio.Task[None]) -> None:
    watching.cancel()
    await asyncio.wait([watching])


async def _let_go(conductor: Conductor, driving: asyncio.Task[object]) -> None:
    """Let the conductor go of the run; a journal that failed was told to whoever listens to the feed."""
    if not driving.done():
        await conductor.close()
    with contextlib.suppress(Exception):
        await driving
