"""Opening a run whose record is shared: whether it may be driven from here, and its journal brought in line before.

What always holds: nothing of what was recorded here is lost; what the shared record does not have, because somebody
else drove meanwhile, is kept as a branch, here and in the store. Nobody takes a run over without naming who drove it.
"""

import asyncio
from pathlib import Path

from console.domain.events import Kind
from console.domain.shared import Lease, SharedRun
from console.domain.wire import WireError, decode_event, parse_time
from console.engine.branching import branch_of, lines_of, set_right
from console.engine.driver import Driver
from console.engine.epochs import read_held, write_held
from console.engine.journal import JOURNAL_FILE, FileJournal
from console.engine.shared_journal import SharedJournal
from console.errors import DrivenElsewhere, JournalError, StoreLost
from console.ports import DriverStore


async def open_shared(
    folder: Path, store: DriverStore, driver: Driver, *, taking_over: int | None = None, group: bool = False
) -> SharedJournal:
    """Go on with a run that is here, in the store, or both.

    Raises DrivenElsewhere when somebody else has driven it and did not leave it, unless `taking_over` is their epoch:
    then a person has confirmed that. A store that cannot be reached is no error: the journal is then `apart`. Raises
    JournalLocked, JournalBroken, JournalError as `FileJournal.open`.
    """
    here = (folder / JOURNAL_FILE).is_file()
    try:
        found = await store.find(folder.name)
        if found is not None:
            await _bring_in_line(folder, found, store, driver, taking_over, group=group, here=here)
    except StoreLost:
        if not here:
            raise
    local = await asyncio.to_thread(FileJournal.open, folder, driver)
    return await _reached(local, store, driver)


async def create_shared(
    folder: Path, plan_json: str, store: DriverStore, driver: Driver, *, group: bool = False
) -> SharedJournal:
    """Begin a run, here and in the store; `apart` when the store cannot be reached. Raises JournalError."""
    local = await asyncio.to_thread(lambda: FileJournal.create(folder, folder.name, plan_json, driver, group=group))
    return await _reached(local, store, driver)


async def _reached(local: FileJournal, store: DriverStore, driver: Driver) -> SharedJournal:
    lease = Lease(0, driver.actor, driver.host, driver.pid, parse_time(driver.since))
    journal = SharedJournal(local, store, lease)
    await journal.reach(opening=True)
    if journal.taken_over is not None:
        error = journal.taken_over
        await journal.close()
        raise error
    return journal


async def _bring_in_line(
    folder: Path,
    found: SharedRun,
    store: DriverStore,
    driver: Driver,
    taking_over: int | None,
    *,
    group: bool,
    here: bool,
) -> None:
    """Let the folder hold what the store holds, where others drove meanwhile. Raises DrivenElsewhere."""
    held = await asyncio.to_thread(read_held, folder)
    ours = here and held.covers(found.lease)
    if ours and found.events <= len(await asyncio.to_thread(lines_of, folder)):
        return
    lease = found.lease
    if not ours and lease is not None and taking_over != lease.epoch and not left(found):
        raise driven_elsewhere(found, lease)
    theirs = await store.lines(folder.name, 0)
    if not here:
        plan = await store.plan(folder.name)
        journal = await asyncio.to_thread(lambda: FileJournal.create(folder, folder.name, plan, driver, group=group))
        await journal.close()
    branch = await asyncio.to_thread(branch_of, folder, theirs, held.epoch, driver.actor)
    if branch is not None:
        await store.attach(folder.name, branch)
    await asyncio.to_thread(set_right, folder, theirs, driver, branch)
    if lease is not None:
        await asyncio.to_thread(write_held, folder, lease.epoch)


def left(run: SharedRun) -> bool:
    """Whether the last thing that the record says is that its driver left, or nothing is recorded yet and nobody is
    there to do so."""
    if not run.last:
        return run.lease is None or not run.lease.held
    try:
        return decode_event(run.last[-1])[0].kind is Kind.DRIVER_LEFT
    except WireError as error:
        raise JournalError(f"The last line of {run.run} in the shared record is broken: {error}.") from error


def driven_elsewhere(run: SharedRun, lease: Lease) -> DrivenElsewhere:
    """Who drives, or drove without leaving, in words for the one who would take over."""
    since = f"since {lease.since:%Y-%m-%d %H:%M:%S} UTC"
    last = f"; the last word was at {run.last_at:%H:%M:%S} UTC" if run.last_at is not None else ""
    if lease.held:
        message = f"{lease.actor} drives run {run.run} from {lease.host} (process {lease.pid}) {since}{last}."
    else:
        message = (
            f"{lease.actor} drove run {run.run} from {lease.host} (process {lease.pid}) {since} and has not left it"
            f"{last}. Their console died, or lost the shared record and goes on by itself."
        )
    return DrivenElsewhere(
        message,
        run=run.run,
        epoch=lease.epoch,
        driver=lease.actor,
        held=lease.held,
        production="This console has changed nothing.",
        remedy=f"Watch it (`release-console watch {run.run}`), or take it over when you know that they drive no more.",
    )
