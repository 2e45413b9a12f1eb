"""A run steered by a person: the Textual application first, then, behind its first frame, the run itself.

Light on purpose: whatever a run needs is loaded in a thread once the first frame stands.
"""

import asyncio
import contextlib
import logging
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

from console.cli.exits import ENDINGS, Exit
from console.errors import ConsoleError, DrivenElsewhere, TakenOver

if TYPE_CHECKING:
    from console.cli.go_no_go import GoNoGo
    from console.cli.session import Front, Recorded, Session
    from console.cli.shared import SharedPlace
    from console.cli.watch_screens import Viewing
    from console.domain.intents import Intent
    from console.domain.state import FindingState
    from screens.app import ConsoleApp
    from screens.opening import Glimpse

Opening = Callable[["Front"], AbstractAsyncContextManager["Session"]]
"""Opens a run before whoever stands in front of it."""


class LateHelm:
    """A helm from the first moment on: what is asked before the run can be driven waits until it can."""

    def __init__(self) -> None:
        self._there = asyncio.Event()
        self._helm: GoNoGo | None = None

    def take(self, helm: "GoNoGo") -> None:
        """The run can be driven now."""
        self._helm = helm
        self._there.set()

    async def ready(self) -> "GoNoGo":
        """The helm itself, once it is there."""
        await self._there.wait()
        if self._helm is None:
            raise RuntimeError("a helm is taken before it is there")
        return self._helm

    async def send(self, intent: "Intent") -> None:
        """Pass an intent on. Raises Refused."""
        await (await self.ready()).send(intent)

    async def findings(self) -> "Sequence[FindingState]":
        """What the preflight finds now, as the screens show it."""
        from console.domain.state import FindingState

        return tuple(
            FindingState(each.code, each.severity, each.message, each.evidence, each.remedy)
            for each in await (await self.ready()).look()
        )


class Behind:
    """What goes on behind the screens: the run is opened once the first frame stands, and kept open until they are
    left."""

    def __init__(self, application: "ConsoleApp", load: Callable[[], Opening]) -> None:
        self._application = application
        self._load = load
        self._helm = LateHelm()
        self._open = False
        self._left = asyncio.Event()
        self._work = asyncio.create_task(self._keep_open())
        self._work.add_done_callback(self._ended)
        self.shown: Recorded | None = None
        self.viewing: Viewing | None = None
        """The run as it is watched, by whoever does not drive it; None while nobody else does."""
        self._elsewhere: SharedPlace | None = None

    async def leave(self) -> None:
        """The screens are left: let go of the run, or stop opening it. Raises what kept it from being opened."""
        self._left.set()
        if not self._open:
            self._work.cancel()
        await asyncio.wait([self._work])
        if not self._work.cancelled():
            self._work.result()

    async def _keep_open(self) -> None:
        await self._application.shown.wait()
        opening = await asyncio.to_thread(self._all_loaded)
        from console.cli.session import Front

        taken_over: TakenOver | None = None
        try:
            front = Front(self._application.say, self._show, self._application.tell, self._asked)
            async with opening(front) as session:
                taken_over = await self._steered(session)
        except DrivenElsewhere as error:
            if self._elsewhere is None:
                raise
            await self._watch_instead(self._elsewhere, error.run)
        if taken_over is not None and self.shown is not None and self.shown.shared is not None:
            self._application.tell(f"{taken_over.message} You watch it now.")
            await self._watch_instead(self.shown.shared.place, self.shown.journal.run)

    async def _steered(self, session: "Session") -> TakenOver | None:
        """Let the run be steered until the person leaves, or another driver has it."""
        from console.cli.go_no_go import GoNoGo

        self._open = True
        self._helm.take(GoNoGo(session))
        early = asyncio.create_task(self._look_early(session))
        taken_over = await self._left_or_taken_over(session)
        early.cancel()
        await asyncio.wait([early])
        return taken_over

    async def _left_or_taken_over(self, session: "Session") -> TakenOver | None:
        """Wait until the person leaves, or another driver has the run and nothing goes on here any more."""
        left = asyncio.create_task(self._left.wait())
        await asyncio.wait({left, session.driving}, return_when=asyncio.FIRST_COMPLETED)
        error = session.driving.exception() if session.driving.done() else None
        if isinstance(error, TakenOver):
            left.cancel()
            from console.cli.shared_run import keep_branch

            await keep_branch(session.journal)
            return error
        await left
        return None

    async def _watch_instead(self, place: "SharedPlace", run: str) -> None:
        """Whoever does not drive a shared run sees on, and steers nothing."""
        from console.cli.shared_run import the_shared_run
        from console.cli.watch_screens import Viewing

        self.viewing = Viewing(self._application, partial(the_shared_run, place, run))
        watching = asyncio.create_task(self.viewing.run())
        left = asyncio.create_task(self._left.wait())
        try:
            await asyncio.wait({watching, left}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()  # what broke is raised; a run that is over stays in sight
            await left
        finally:
            watching.cancel()
            left.cancel()
            await asyncio.wait({watching, left})
            await self.viewing.close()

    def _all_loaded(self) -> Opening:
        """The way to open the run, with everything imported that the event loop will need on it."""
        import screens.showing  # noqa: F401

        return self._load()

    async def _asked(self, error: DrivenElsewhere, place: "SharedPlace") -> bool:
        from screens.dialogs.take_over import Reply, Rival

        rival = Rival(error.run, error.driver, error.message, error.held)
        reply = await self._application.asks_to_take_over(rival)
        self._elsewhere = place if reply is Reply.WATCH else None
        return reply is Reply.TAKE_OVER

    def _show(self, run: "Recorded") -> None:
        async def report() -> str:
            from console.report.record import record

            return await asyncio.to_thread(record, run.feed.state, tuple(run.journal.events()))

        from screens.reads import Reads

        self.shown = run
        self._application.take_up(run.feed, self._helm, Reads(preflight=self._helm.findings, report=report))

    async def _look_early(self, session: "Session") -> None:
        """Have the findings on the screen before somebody asks for them. Beginning looks again if this failed."""
        from console.domain.state import RunStatus

        if session.feed.state.status is RunStatus.NOT_STARTED:
            with contextlib.suppress(ConsoleError):
                await self._helm.findings()

    def _ended(self, work: asyncio.Task[None]) -> None:
        """Whatever ended it before the person left: there is nothing to be shown any more."""
        if not self._left.is_set():
            self._application.exit()


async def steer(glimpse: "Glimpse", load: Callable[[], Opening]) -> Exit | None:
    """Show the screens until the person leaves them; then say in two lines where things stand.

    `load` gives the way to open the run; it is called in a thread, once the first frame stands.

    None when the person left before there was a run. Raises what kept the run from being opened.
    """
    from screens.app import ConsoleApp

    application = ConsoleApp(glimpse=glimpse)
    with quiet_terminal():
        behind = Behind(application, load)
        try:
            await application.run_async()
        finally:
            await behind.leave()
    if behind.viewing is not None:
        from console.cli.watch import exit_of

        return exit_of(behind.viewing.ended_at())
    if behind.shown is None:
        return None
    from console.cli.shared_run import what_waits
    from console.domain.state import RunStatus
    from console.domain.summary import production_sentence

    if waits := what_waits(behind.shown.journal):
        print(waits, file=sys.stderr)
    state = behind.shown.feed.state
    if state.status is RunStatus.FINISHED:
        print(f"Run {state.run} {state.outcome}. {state.production}", file=sys.stderr)
        return ENDINGS.get(state.outcome, Exit.FAILED)
    print(f"Run {behind.shown.journal.run} stays open; {how_to_go_on(behind.shown)}.", file=sys.stderr)
    print(production_sentence(state), file=sys.stderr)
    return Exit.OPEN


def how_to_go_on(run: "Recorded") -> str:
    """How a run that was left is taken up again, and what of it goes on meanwhile."""
    from console.cli.folders import resume_command
    from console.cli.sandbox import WORLD
    from console.cli.shared_rehearsal import watch_command

    folder = run.journal.directory
    if not (folder / WORLD).is_dir():
        return "start again to go on with it"
    down = f"release-console sandbox down {shlex.quote(str(folder / WORLD))}"
    world = f"its sandbox runs on for half an hour, `{down}` ends it"
    watch = f"; `{watch_command(folder)}` watches it" if run.shared is not None else ""
    return f"`{resume_command(folder)}` goes on with it; {world}{watch}"


@contextlib.contextmanager
def quiet_terminal() -> Iterator[None]:
    """Let no log record reach the terminal meanwhile, also while there is no run yet whose folder could take it."""
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    try:
        yield
    finally:
        root.removeHandler(silent)
