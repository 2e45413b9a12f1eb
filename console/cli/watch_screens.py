"""The screens of whoever watches: the run is found and read once the first frame stands, then followed to its end."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from console.cli.exits import remark
from console.cli.watched import Finding, Follower, Watched
from console.domain.events import Event
from console.domain.state import RunState, RunStatus
from console.ports import SharedStatus

if TYPE_CHECKING:
    from screens.app import ConsoleApp


async def shown(finding: Finding, title: str) -> RunState | None:
    """Show the run on the screens, which have no helm, until the person leaves them; the state that it had by then.

    None when they left before it was read. Raises what kept it from being found, read or followed.
    """
    from console.cli.by_hand import quiet_terminal
    from screens.app import ConsoleApp
    from screens.opening import Glimpse

    application = ConsoleApp(glimpse=Glimpse(title=f"Watching {title}"))
    with quiet_terminal():
        behind = _Behind(application, finding)
        try:
            await application.run_async()
        finally:
            await behind.leave()
    return behind.viewing.ended_at()


class Viewing:
    """A run on the screens of an application, without a helm: found, read, shown, followed."""

    def __init__(self, application: "ConsoleApp", finding: Finding) -> None:
        self._application = application
        self._finding = finding
        self._held = AsyncExitStack()
        self._watched: Watched | None = None
        self.follower: Follower | None = None
        """What follows the run; None before it was read."""

    async def run(self) -> None:
        """Show it, and follow it to its end. Raises what keeps it from being found, read or followed."""
        # It stays open behind a run that is over: its record can still be asked for.
        self._watched = watched = await self._held.enter_async_context(self._finding(self._application.say))
        self._application.say(f"Reading the run {watched.run} from {watched.place}")
        self.follower = follower = await watched.read()
        from console.report.event_lines import sign_and_text
        from screens.reads import Reads

        reads = Reads(report=self._report, history=self._history, says=sign_and_text)
        self._application.take_up(follower.feed, None, reads)
        if watched.doubt:
            follower.feed.publish(SharedStatus(connected=False, reason=watched.doubt))
        painted = asyncio.Event()
        self._application.call_after_refresh(painted.set)
        await painted.wait()
        await follower.follow()

    async def close(self) -> None:
        """Let go of where the run was found."""
        await self._held.aclose()

    def ended_at(self) -> RunState | None:
        """Say where the run was left, and return its state then."""
        if self._watched is None or self.follower is None:
            return None
        state, run = self.follower.state, self._watched.run
        if state.status is RunStatus.FINISHED:
            remark(f"Run {run} {state.outcome}. {state.production}")
        else:
            remark(f"Run {run} is open. {self.follower.driver.text}")
        return state

    async def _history(self) -> Sequence[Event]:
        """Every event until now, read anew: nobody keeps them in memory who does not go back in time."""
        return (await self._read())[1]

    async def _report(self) -> str:
        """The record as it stands now, read anew: no more than its state is kept in memory."""
        return await asyncio.to_thread(_written, *await self._read())

    async def _read(self) -> tuple[str, Sequence[Event]]:
        if self._watched is None:
            raise RuntimeError("nothing can be read of a run that was not found")
        return await self._watched.record()


class _Behind:
    """What goes on behind the screens: the run is shown once the first frame stands."""

    def __init__(self, application: "ConsoleApp", finding: Finding) -> None:
        self._application = application
        self.viewing = Viewing(application, finding)
        self._work = asyncio.create_task(self._view())
        self._work.add_done_callback(self._ended)

    async def leave(self) -> None:
        """The screens are left: follow no more. Raises what kept the run from being found, read or followed."""
        self._work.cancel()
        await asyncio.wait([self._work])
        await self.viewing.close()
        if not self._work.cancelled():
            self._work.result()

    async def _view(self) -> None:
        await self._application.shown.wait()
        await self.viewing.run()

    def _ended(self, work: asyncio.Task[None]) -> None:
        """A run that could not be read leaves nothing to be shown; one that ends, or breaks later, stays in sight."""
        if self.viewing.follower is None:
            self._application.exit()


def _written(plan_json: str, events: Sequence[Event]) -> str:
    from console.engine.runs import replay
    from console.report.record import record

    return record(replay(plan_json, events)[1], events)
