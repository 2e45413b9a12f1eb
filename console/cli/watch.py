"""Watching a run that somebody else drives on this machine: the screens without a helm, or its events as lines.

What always holds: nothing is written, no lock is held, nothing leaves the process. There is no conductor here, no
action, no adapter, no secret; what is shown is a fold of the journal and its tail, and of nothing else.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.cli.exits import ENDINGS, Exit
from console.cli.folders import KINDS, state_directory
from console.domain.events import Event
from console.domain.state import RunState, RunStatus
from console.domain.untrusted import one_line
from console.engine.clock import WallClock
from console.engine.follow import POLL, JournalFollower
from console.engine.glance import can_be_watched_live
from console.engine.runs import run_folders
from console.errors import JournalError
from console.ports import DriverStatus, StateChanged, Update

if TYPE_CHECKING:
    from screens.app import ConsoleApp


def watch(run: str, config: Path, directory: Path | None, *, as_json: bool, terminal: bool) -> Exit:
    """Watch a run by its id (or an unambiguous beginning of one), or the `last`. Raises JournalError, ConfigError.

    The exit code says how the run ended; OPEN when it was left before that.
    """
    folder = run_to_watch(state_directory(config, directory), run)
    return asyncio.run(_shown(folder) if terminal and not as_json else _streamed(folder, as_json=as_json))


def run_to_watch(state: Path, name: str) -> Path:
    """The folder of a run; `last` is the newest that is open, else the newest. Raises JournalError."""
    kept = [folder for kind in KINDS for folder in run_folders(state / kind)]
    kept.sort(key=lambda folder: folder.name, reverse=True)
    if name == "last":
        fitting = [next(filter(can_be_watched_live, kept), kept[0])] if kept else []
    else:
        fitting = [folder for folder in kept if folder.name.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    what = "There are no runs" if not kept else f"{len(fitting) or 'No'} runs are called {name}"
    raise JournalError(
        f"{what} in {state}.",
        remedy="`release-console runs` lists them; --directory DIR names another place where runs are kept.",
    )


class _Lines:
    """What is to be printed: events to standard output, what becomes of the driver to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._waiting: list[Update] = []

    def hear(self, update: Update) -> None:
        """Take an update; a feed's listener must not fail as a pipe does that nobody reads any more."""
        self._waiting.append(update)

    def print(self) -> None:
        """Print what waits. Raises BrokenPipeError when nobody reads it."""
        from console.cli.event_output import event_texts

        waiting, self._waiting = self._waiting, []
        for update in waiting:
            if isinstance(update, StateChanged) and update.events:
                print("\n".join(event_texts(update, as_json=self._as_json)), flush=True)
            elif isinstance(update, DriverStatus):
                print(one_line(update.text), file=sys.stderr, flush=True)


async def _streamed(folder: Path, *, as_json: bool) -> Exit:
    """Print every event from the first to the last; ends with the run, or when it is interrupted."""
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    follower, lines = JournalFollower.open(folder, WallClock()), _Lines(as_json=as_json)
    follower.feed.subscribe(lines.hear)
    while not follower.over and not interrupted.is_set():
        more = follower.poll()
        lines.print()
        if not more and not follower.over:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(interrupted.wait(), POLL)
    return _exit_of(follower.state)


class _Behind:
    """What goes on behind the screens: the run is read once the first frame stands, then followed to its end."""

    def __init__(self, application: "ConsoleApp", folder: Path) -> None:
        self._application = application
        self._folder = folder
        self._work = asyncio.create_task(self._follow())
        self._work.add_done_callback(self._ended)
        self.follower: JournalFollower | None = None

    async def leave(self) -> None:
        """The screens are left: follow no more. Raises what kept the run from being read."""
        self._work.cancel()
        await asyncio.wait([self._work])
        if not self._work.cancelled():
            self._work.result()

    async def _follow(self) -> None:
        await self._application.shown.wait()
        self._application.say(f"Reading the run {self._folder.name}")
        follower = await asyncio.to_thread(self._read)
        from console.report.event_lines import sign_and_text
        from screens.reads import Reads

        self.follower = follower
        reads = Reads(report=self._report, history=self._history, says=sign_and_text)
        self._application.take_up(follower.feed, None, reads)
        await follower.follow()

    def _read(self) -> JournalFollower:
        """The run with its whole history, and everything imported that the event loop will need for it."""
        import screens.showing  # noqa: F401

        follower = JournalFollower.open(self._folder, WallClock())
        follower.catch_up()
        return follower

    async def _history(self) -> Sequence[Event]:
        """Every event until now, read anew: nobody keeps them in memory who does not go back in time."""
        from console.engine.journal import read

        return (await asyncio.to_thread(read, self._folder)).events

    async def _report(self) -> str:
        """The record as it stands now, read anew: no more than its state is kept in memory."""
        return await asyncio.to_thread(self._record)

    def _record(self) -> str:
        from console.engine.journal import read
        from console.engine.runs import replay
        from console.report.record import record

        kept = read(self._folder)
        return record(replay(kept.plan_json, kept.events)[1], kept.events)

    def _ended(self, work: asyncio.Task[None]) -> None:
        """A run that could not be read leaves nothing to be shown; one that ends, or breaks later, stays in sight."""
        if self.follower is None:
            self._application.exit()


async def _shown(folder: Path) -> Exit:
    """Show the run on the screens, which have no helm, until the person leaves them."""
    from console.cli.by_hand import quiet_terminal
    from screens.app import ConsoleApp
    from screens.opening import Glimpse

    application = ConsoleApp(glimpse=Glimpse(title=f"Watching {folder.name}", source=str(folder)))
    with quiet_terminal():
        behind = _Behind(application, folder)
        try:
            await application.run_async()
        finally:
            await behind.leave()
    if behind.follower is None:
        return Exit.OPEN
    state = behind.follower.state
    if state.status is RunStatus.FINISHED:
        print(one_line(f"Run {folder.name} {state.outcome}. {state.production}"), file=sys.stderr)
    else:
        print(one_line(f"Run {folder.name} is open. {behind.follower.driver.text}"), file=sys.stderr)
    return _exit_of(state)


def _exit_of(state: RunState) -> Exit:
    """The exit code that tells how the run ended; OPEN while it has not."""
    if state.status is not RunStatus.FINISHED:
        return Exit.OPEN
    return ENDINGS.get(state.outcome, Exit.FAILED)
