"""Opening a run whose record is shared: whether it may be driven from here, and its journal brought in line before.

What always holds: nothing of what was recorded here is lost; what the shared record does not have, because somebody
else drove meanwhile, is kept as a branch, here and in the store. Nobody takes a run over without naming who drove it.
"""

import asyncio
from pathlib import Path

from console.domain.events import Kind
from console.domain.shared import Lease, SharedRun
from console.domain.wire import WireError, decode_event, decode_plan, parse_time
from console.engine.branching import branch_of, lines_of, set_right
from console.engine.driver import Driver, DriverLock
from console.engine.epochs import EPOCH_FILE, Held, read_held, write_foreign
from console.engine.journal import JOURNAL_FILE, FileJournal
from console.engine.shared_journal import SharedJournal
from console.engine.sharing import GROUP, make_run_folder
from console.errors import DrivenElsewhere, JournalError, StoreLost
from console.ports import DriverStore


async def open_shared(
    folder: Path, store: DriverStore, driver: Driver, *, taking_over: int | None = None
) -> SharedJournal:
    """Go on with a run that is here, in the store, or both.

    Raises DrivenElsewhere when somebody else has driven it and did not leave it, unless `taking_over` is their epoch:
    then a person has confirmed that. A store that cannot be reached, or refuses us, is no error where the run is here:
    the journal is then `apart`. Raises JournalLocked, JournalBroken, JournalError as `FileJournal.open`.
    """
    here, succeeds = (folder / JOURNAL_FILE).is_file(), None
    try:
        found = await _looked_for(folder.name, store)
        if found is not None:
            succeeds = await _bring_in_line(folder, found, store, driver, taking_over, here=here)
    except StoreLost as error:
        if not here:
            raise
        if (await asyncio.to_thread(read_held, folder)).foreign:
            raise _not_ours(folder, error.message) from error
    local = await asyncio.to_thread(FileJournal.open, folder, driver)
    return await _reached(local, store, driver, succeeds)


async def _looked_for(run: str, store: DriverStore) -> SharedRun | None:
    """The run as the store has it. One that refuses us keeps nobody from driving more than one that is not reached."""
    try:
        return await store.find(run)
    except StoreLost:
        raise
    except JournalError as error:
        raise StoreLost(error.message, production=error.production, remedy=error.remedy) from error


async def create_shared(
    folder: Path, plan_json: str, store: DriverStore, driver: Driver, *, group: bool = False
) -> SharedJournal:
    """Begin a run, here and in the store; `apart` when the store cannot be reached. Raises JournalError."""
    local = await asyncio.to_thread(lambda: FileJournal.create(folder, folder.name, plan_json, driver, group=group))
    return await _reached(local, store, driver)


async def _reached(
    local: FileJournal, store: DriverStore, driver: Driver, succeeds: int | None = None
) -> SharedJournal:
    """Connect a journal. One that `succeeds` somebody else's epoch is theirs until its own is claimed."""
    lease = Lease(0, driver.actor, driver.host, driver.pid, parse_time(driver.since))
    journal = SharedJournal(local, store, lease, succeeds=succeeds or 0)
    try:
        await journal.reach(opening=True)
    except BaseException:
        await local.close()
        raise
    error: JournalError | None = journal.taken_over
    if error is None and succeeds is not None and not journal.epoch:
        error = _not_ours(local.directory, journal.apart)
    if error is not None:
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
    here: bool,
) -> int | None:
    """Let the folder hold what the store holds, where others drove meanwhile; their epoch, None when it is ours.

    Raises DrivenElsewhere, JournalLocked.
    """
    lease, held = found.lease, await asyncio.to_thread(read_held, folder)
    ours = here and held.covers(lease, driver.host)
    if ours and await asyncio.to_thread(_follows, folder, found):
        return None
    if not ours and lease is not None and taking_over != lease.epoch and not left(found):
        raise driven_elsewhere(found, lease)
    if not here:
        plan = await store.plan(folder.name)
        await (await asyncio.to_thread(lambda: _made(folder, plan, driver))).close()
    lock = await asyncio.to_thread(DriverLock, folder, driver)
    try:
        if not ours:
            await asyncio.to_thread(_note_foreign, folder, held)
        theirs = await store.lines(folder.name, 0)
        branch = await asyncio.to_thread(branch_of, folder, theirs, held.epoch, driver.actor)
        # What goes on from the shared record's last line is no branch: nobody has recorded anything else since.
        if branch is None or branch.first <= len(theirs):
            if branch is not None:
                await store.attach(folder.name, branch)
            await asyncio.to_thread(set_right, folder, theirs, branch)
    finally:
        lock.release()
    return None if ours else lease.epoch if lease is not None else 0


def _follows(folder: Path, found: SharedRun) -> bool:
    """Whether the journal here goes on from the last line of the shared record."""
    return lines_of(folder)[found.events - 1 : found.events] == list(found.last[-1:]) if found.events else True


def _made(folder: Path, plan: str, driver: Driver) -> FileJournal:
    """Make the folder of a run that is only in the store yet: known as somebody else's from the first moment on, and
    as readable as its plan says."""
    try:
        group = decode_plan(plan).readable_by == GROUP
    except WireError as error:
        raise JournalError(f"The frozen plan of {folder.name} cannot be read: {error}.") from error
    try:
        make_run_folder(folder, group=group)
    except OSError as error:
        raise JournalError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    _note_foreign(folder, Held())
    return FileJournal.create(folder, folder.name, plan, driver, group=group)


def _note_foreign(folder: Path, held: Held) -> None:
    try:
        write_foreign(folder, held)
    except OSError as error:
        raise JournalError(f"The epoch cannot be noted in {folder}: {error.strerror}.") from error


def _not_ours(folder: Path, reason: str) -> StoreLost:
    return StoreLost(
        f"The run {folder.name} is somebody else's until its shared record says otherwise. {reason}",
        production="Nothing was begun from here; they may drive on.",
        remedy="Try again when the shared record is reached. Where it is gone for good and nobody else drives, remove "
        f"{folder / EPOCH_FILE}: the run goes on from what is recorded here.",
    )


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
