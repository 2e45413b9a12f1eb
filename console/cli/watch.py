"""Watching a run that somebody else drives, here or elsewhere: the screens without a helm, or its events as lines.

What always holds: nothing is written, no lock is held; without a shared record nothing leaves the process, and with one
only questions to it. There is no conductor here and no action; what is shown is a fold of the record and its tail, and
of nothing else.
"""

import asyncio
import signal
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from console.cli.exits import ENDINGS, Exit, remark
from console.cli.folders import state_directory
from console.cli.shared import shared_place
from console.cli.watched import Finding, Follower, KeptRun
from console.cli.which_run import found, run_to_watch
from console.domain.state import RunState, RunStatus
from console.ports import DriverStatus, SharedStatus, StateChanged, Update


def watch(
    run: str,
    config: Path,
    directory: Path | None,
    *,
    as_json: bool,
    terminal: bool,
    journal: str | None = None,
    journal_tls: str | None = None,
) -> Exit:
    """Watch a run by its id (or an unambiguous beginning of one), or the `last`.

    It is looked for in the shared record that `journal` or the plan names, else on this machine. The exit code says how
    the run ended; OPEN when it was left before that. Raises JournalError, ConfigError, SecretError.
    """
    state, place = state_directory(config, directory), shared_place(config, journal, journal_tls)
    finding: Finding
    if place is None:
        kept = KeptRun(run_to_watch(state, run))
        title, finding = kept.run, lambda say: nullcontext(kept)
    else:
        title, finding = run, partial(found, run, state, place)
    if as_json or not terminal:
        return asyncio.run(_streamed(finding, as_json=as_json))
    from console.cli.watch_screens import shown

    return exit_of(asyncio.run(shown(finding, title)))


def run_and_arguments(
    run: str, config: Path, directory: Path | None, journal: str | None, journal_tls: str | None
) -> tuple[str, tuple[str, ...]]:
    """The id of the run that is meant, and the arguments with which `watch` finds it again. Raises as `watch`."""
    state, place = state_directory(config, directory), shared_place(config, journal, journal_tls)
    if place is None:
        named = run_to_watch(state, run).name
        return named, (named, "--directory", str(state))
    named = asyncio.run(_name_of(partial(found, run, state, place)))
    return named, (named, "--directory", str(state), *place.arguments())


async def _name_of(finding: Finding) -> str:
    async with finding(lambda text: None) as watched:
        return watched.run


def exit_of(state: RunState | None) -> Exit:
    """The exit code that tells how the run ended; OPEN while it has not, or was not seen."""
    if state is None or state.status is not RunStatus.FINISHED:
        return Exit.OPEN
    return ENDINGS.get(state.outcome, Exit.FAILED)


class _Lines:
    """What is to be printed: events to standard output, what becomes of driver and store to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._waiting: list[Update] = []
        self._reached = True
        self.came = asyncio.Event()

    def hear(self, update: Update) -> None:
        """Take an update; a feed's listener must not fail as a pipe does that nobody reads any more."""
        self._waiting.append(update)
        self.came.set()

    def print(self) -> None:
        """Print what waits. Raises BrokenPipeError when nobody reads it."""
        from console.cli.event_output import event_texts

        self.came.clear()
        waiting, self._waiting = self._waiting, []
        for update in waiting:
            if isinstance(update, StateChanged) and update.events:
                print("\n".join(event_texts(update, as_json=self._as_json)), flush=True)
            elif isinstance(update, DriverStatus):
                remark(update.text)
            elif isinstance(update, SharedStatus) and update.connected != self._reached:
                self._reached = update.connected
                remark("The shared record is reached again." if update.connected else update.reason)


async def _streamed(finding: Finding, *, as_json: bool) -> Exit:
    """Print every event from the first to the last; ends with the run, or when it is interrupted."""
    async with finding(lambda text: None) as watched:
        if watched.doubt:
            remark(f"{watched.doubt} What this machine has of {watched.run} is shown; it may have gone on elsewhere.")
        follower, lines = await watched.follower(), _Lines(as_json=as_json)
        follower.feed.subscribe(lines.hear)
        await _print_until_over(follower, lines)
    return exit_of(follower.state)


async def _print_until_over(follower: Follower, lines: _Lines) -> None:
    interrupted, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)
    following = asyncio.create_task(follower.follow())
    interrupt = asyncio.create_task(interrupted.wait())
    try:
        while not following.done() and not interrupt.done():
            came = asyncio.create_task(lines.came.wait())
            await asyncio.wait((following, interrupt, came), return_when=asyncio.FIRST_COMPLETED)
            came.cancel()
            lines.print()
        if following.done():
            following.result()
    finally:
        following.cancel()
        interrupt.cancel()
        await asyncio.wait((following, interrupt))
        loop.remove_signal_handler(signal.SIGINT)
