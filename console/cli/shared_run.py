"""A run whose record is shared, as its driver opens it: the store that the plan names, and who is asked before a run is
taken over."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.shared import SharedPlace, observer_store
from console.cli.watched import StoredRun, Watched
from console.domain.plan import Plan
from console.domain.wire import WireError, decode_plan, encode_plan
from console.engine.driver import Driver
from console.engine.glance import closed
from console.engine.journal import FileJournal
from console.engine.shared_journal import SharedJournal
from console.engine.shared_opening import create_shared, open_shared
from console.engine.sharing import GROUP
from console.errors import ConfigError, ConsoleError, DrivenElsewhere, JournalError
from console.ports import DriverStore

if TYPE_CHECKING:
    from console.secrets import PlanSecrets

ON_SAME_SERVER = (
    "The shared record lies on the server of the database to be migrated: a way back may suspend or replace that "
    "server, and the record with it."
)

Ask = Callable[[DrivenElsewhere, SharedPlace], Awaitable[bool]]
"""Asks a person whether a run is taken over; they type who drives it. It can be watched in the place."""


async def nobody_to_ask(error: DrivenElsewhere, place: SharedPlace) -> bool:
    """Where no person sits, nothing is taken over."""
    return False


@dataclass(frozen=True, slots=True)
class Shared:
    """The store that runs of a plan are shared in, where it is, and who is asked before one is taken over."""

    store: DriverStore
    place: SharedPlace
    ask: Ask = nobody_to_ask


@dataclass(frozen=True, slots=True)
class Opened:
    """A shared run that is open here; `remarks` are for its record."""

    journal: SharedJournal
    remarks: tuple[str, ...] = ()


def shared_by(plan: Plan, ask: Ask) -> Shared | None:
    """The store that the plan names; None when it names none, or one elsewhere in a rehearsal. Raises SecretError."""
    from console.adapters.journal.driver import PostgresDriverStore
    from console.secrets import journal_url

    url = journal_url(plan)
    if url is None:
        return None
    place = SharedPlace(plan.journal_url_source, plan.journal_tls)
    return Shared(PostgresDriverStore(url, tls=place.tls), place, ask)


async def must_be_apart(plan: Plan, secrets: "PlanSecrets") -> tuple[str, ...]:
    """Raises ConfigError when the shared record lies in the database that is to be migrated.

    Remarks for the record: that it lies on the same server, or that this cannot be known because one of the two cannot
    be reached.
    """
    from console.adapters.journal.place import same_place

    if secrets.journal_url is None:
        return ()
    try:
        place = await same_place((secrets.journal_url, plan.journal_tls), (secrets.database_url, plan.database.tls))
    except ConsoleError as error:
        return (f"whether the shared record lies apart from the migrated database could not be seen: {error.message}",)
    if place == "database":
        raise same_database()
    return (ON_SAME_SERVER,) if place == "server" else ()


def same_database() -> ConfigError:
    """That the shared record lies in the database that is to be migrated."""
    return ConfigError(
        ["journal.url leads to the database that is to be migrated: a way back would take the record with it."],
        remedy="Give it a database of its own, best on another server; then run `release-console journal init`.",
    )


async def open_with(shared: Shared, folder: Path, plan: Plan | None, driver: Driver) -> Opened:
    """Begin a run of `plan`, or go on with the one that the folder is named after, here or in the store.

    Raises DrivenElsewhere when somebody else drives it and the person leaves it to them, JournalError.
    """
    if plan is not None:
        group = plan.readable_by == GROUP
        journal = await create_shared(folder, encode_plan(plan), shared.store, driver, group=group)
        return Opened(journal, _unreached(journal))
    try:
        journal = await open_shared(folder, shared.store, driver)
        return Opened(journal, _unreached(journal))
    except DrivenElsewhere as error:
        rival = error
    while await shared.ask(rival, shared.place):
        try:
            journal = await open_shared(folder, shared.store, driver, taking_over=rival.epoch)
        except DrivenElsewhere as error:
            rival = error
        else:
            return Opened(journal, (f"taken over from {rival.driver} (epoch {rival.epoch}): their name was typed",))
    raise rival


def what_waits(journal: FileJournal | SharedJournal) -> str:
    """What a run that was let go of still has here for the shared record, and what sends it; empty when nothing
    waits.
    """
    if not isinstance(journal, SharedJournal) or not journal.status.unsent:
        return ""
    count = "1 event waits" if journal.status.unsent == 1 else f"{journal.status.unsent} events wait"
    return f"{count} here for the shared record; `release-console journal send {journal.run}` sends them."


async def keep_branch(journal: FileJournal | SharedJournal) -> None:
    """After another driver took over: keep what only stands here beside the shared record, if that is reached now.

    It is kept here in any case, and brought there when the run is opened here the next time.
    """
    if isinstance(journal, SharedJournal):
        with contextlib.suppress(JournalError):
            await journal.attach_branch()


@asynccontextmanager
async def the_shared_run(place: SharedPlace, run: str, say: Callable[[str], None]) -> AsyncIterator[Watched]:
    """A run as everybody sees it. Raises SecretError."""
    store = await observer_store(place)
    try:
        yield StoredRun(store, run)
    finally:
        await store.close()


def _unreached(journal: SharedJournal) -> tuple[str, ...]:
    return (f"the shared record was not reached when the run was opened: {journal.apart}",) if journal.apart else ()


async def open_elsewhere(store: DriverStore, plan: Plan) -> str | None:
    """The newest run of this plan that is open in the store; None when there is none, or the store cannot be asked."""
    try:
        for run in await store.runs():
            if not closed(run.last) and _is_of(plan, await store.plan(run.run)):
                return run.run
    except JournalError:
        return None  # it keeps nobody from going on here; that it is lost is told when the run is opened
    return None


def _is_of(plan: Plan, frozen: str) -> bool:
    try:
        known = decode_plan(frozen)
    except WireError:
        return False
    return (known.name, known.environment) == (plan.name, plan.environment)
