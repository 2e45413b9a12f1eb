"""Which run is meant by whoever wants to watch, and where it is watched: here, or in the shared record.

A run that both have is watched in the shared record, where it may have gone on elsewhere; unless it is driven here, and
nobody asked for the shared record by name.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from console.cli.folders import KINDS
from console.cli.shared import SharedPlace, observer_store
from console.cli.watched import KeptRun, StoredRun, Watched
from console.domain.events import Kind
from console.domain.shared import SharedRun
from console.domain.wire import WireError, decode_event
from console.engine.driver import driver_of
from console.engine.glance import can_be_watched_live
from console.engine.runs import run_folders
from console.errors import ConsoleError, JournalError
from console.ports import ObserverStore

LAST = "last"
"""The name of the newest run that is open, else of the newest."""


def run_to_watch(state: Path, name: str) -> Path:
    """The folder of a run by its id, an unambiguous beginning of one, or `last`. Raises JournalError."""
    kept = kept_folders(state)
    return kept[_chosen(name, kept, lambda run: can_be_watched_live(kept[run]), str(state))]


def kept_folders(state: Path) -> dict[str, Path]:
    """The folders of the runs of this machine by their ids, newest first."""
    found = [folder for kind in KINDS for folder in run_folders(state / kind)]
    return {folder.name: folder for folder in sorted(found, key=lambda folder: folder.name, reverse=True)}


@asynccontextmanager
async def found(name: str, state: Path, place: SharedPlace, say: Callable[[str], None]) -> AsyncIterator[Watched]:
    """The run that is meant, while it is watched. `say` is told what is being done.

    Where the shared record cannot be read it is looked for on this machine. Raises ConsoleError: of the shared record
    when no run of this machine is meant either.
    """
    say("Asking the shared record which runs there are")
    store: ObserverStore | None = None
    try:
        try:
            store = await observer_store(place)
            shared = await store.runs()
        except ConsoleError as error:
            watched = _without(error, name, state)
        else:
            watched = _meant(name, state, store, shared, elsewhere=place.named)
        yield watched
    finally:
        if store is not None:
            await store.close()


def is_open(run: SharedRun) -> bool:
    """Whether a run of the shared record goes on or can be gone on with."""
    return ending(run) is None and bool(run.events or (run.lease and run.lease.held))


def ending(run: SharedRun) -> str | None:
    """What a run of the shared record was closed as; None while it is open."""
    for line in reversed(run.last):
        try:
            event, _ = decode_event(line)
        except WireError:
            return None  # Reading it will say what is wrong with it.
        if event.kind is Kind.RUN_FINISHED:
            return str(event.data.get("outcome", ""))
    return None


def _meant(name: str, state: Path, store: ObserverStore, runs: Iterable[SharedRun], *, elsewhere: bool) -> Watched:
    """The run in the store or here; `elsewhere`: what the store has is watched there also when it is driven here."""
    shared, kept = {run.run: run for run in runs}, kept_folders(state)
    here = {run: folder for run, folder in kept.items() if run not in shared or (not elsewhere and driver_of(folder))}

    def live(run: str) -> bool:
        return can_be_watched_live(here[run]) if run in here else is_open(shared[run])

    run = _chosen(name, {*here, *shared}, live, f"the shared record and in {state}")
    return KeptRun(here[run]) if run in here else StoredRun(store, run)


def _without(error: ConsoleError, name: str, state: Path) -> Watched:
    try:
        folder = run_to_watch(state, name)
    except JournalError:
        raise error from None
    return KeptRun(folder, doubt="" if driver_of(folder) else error.message)


def _chosen(name: str, runs: Iterable[str], live: Callable[[str], bool], where: str) -> str:
    """The run that is meant among these; `live` says of one whether it is open."""
    newest_first = sorted(runs, reverse=True)
    if name == LAST:
        fitting = [next(filter(live, newest_first), newest_first[0])] if newest_first else []
    else:
        fitting = [run for run in newest_first if run.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    what = "There are no runs" if not newest_first else f"{len(fitting) or 'No'} runs are called {name}"
    raise JournalError(
        f"{what} in {where}.",
        remedy="`release-console runs` lists them; --directory DIR names another place where runs are kept.",
    )
