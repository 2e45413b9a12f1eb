"""Scrubbing: follows the leads through a run's time: reads its history, moves in it, plays it, and goes back to live.

Only a reader's desk has it. The history is read in a thread when somebody looks back, and let go of when they return.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from textual.app import App
from textual.timer import Timer

from console.domain.events import Event
from console.domain.history import History, as_planned
from console.errors import ConsoleError
from console.ports import StateChanged
from screens.base import ConsoleScreen
from screens.leads import Jump, Travel
from screens.listening import Listening
from screens.scrubber import Says, Scrubber

BEAT = 0.1
"""Seconds between two pictures while the past is played."""

PATIENCE = 0.3
"""Seconds for which nothing is said of the history being read."""


class Scrubbing:
    """`history` reads every event until now and raises ConsoleError; `show` brings the screens up to date at once.

    `to_incident` opens the incident's screen.
    """

    def __init__(
        self,
        app: App[Any],
        listening: Listening,
        history: Callable[[], Awaitable[Sequence[Event]]],
        says: Says | None,
        show: Callable[[], None],
        to_incident: Callable[[], None],
    ) -> None:
        self._app = app
        self._listening = listening
        self._history = history
        self._says = says
        self._show = show
        self._to_incident = to_incident
        self._made_way = False
        self._entering: asyncio.Task[None] | None = None
        self._ahead: list[Jump | datetime] = []
        """Moves that were asked for before there was a history to move in."""
        self._timer: Timer | None = None
        self._beat_at = 0.0

    def pursue(self, lead: Travel) -> None:
        """Go where a lead leads; into the past first, where one is not there."""
        if lead.to is Jump.LIVE:
            self._return()
        elif self._listening.past is not None:
            self._go(self._listening.past, lead.to)
        else:
            self._ahead.append(lead.to)
            if self._entering is None:
                self._entering = asyncio.create_task(self._enter(), name="look back")

    def _return(self) -> None:
        self._keep_playing(False)
        self._stand(None)

    def _go(self, scrubber: Scrubber, to: Jump | datetime) -> None:
        if isinstance(to, datetime):
            scrubber.playing = False
            scrubber.seek(to)
        else:
            scrubber.move(to)
        self._keep_playing(scrubber.playing)
        self._stand(scrubber)

    def _stand(self, scrubber: Scrubber | None) -> None:
        """Show the moment at once, on a screen that has something to show of it.

        The incident's screen makes way for the run's where no incident had been declared, and comes back where it was.
        """
        self._listening.stand(scrubber)
        screen = self._app.screen
        declared = bool(self._listening.view().state.incidents)
        if isinstance(screen, ConsoleScreen) and screen.SCREEN == "incident" and not declared:
            self._made_way = True
            self._app.pop_screen()
        elif isinstance(screen, ConsoleScreen) and screen.SCREEN == "run" and declared and self._made_way:
            self._made_way = False
            self._to_incident()
        self._show()

    async def _enter(self) -> None:
        try:
            reading = asyncio.create_task(self._read(), name="read a run's history")
            if not (await asyncio.wait({reading}, timeout=PATIENCE))[0]:
                self._app.notify("Reading the run's history…", timeout=2)
            history = await reading
        except ConsoleError as error:
            self._cannot(f"{error.message}\n{error.remedy}".strip())
        except ValueError as error:
            self._cannot(f"Plan and journal do not fit together: {error}.")
        else:
            if len(history) and self._app.is_running:
                scrubber = Scrubber(history, self._listening.now, self._says)
                for to in self._ahead:
                    self._go(scrubber, to)
        finally:
            self._entering = None
            self._ahead.clear()

    def _cannot(self, why: str) -> None:
        self._app.notify(why, title="The history cannot be read", severity="warning", timeout=8, markup=False)

    async def _read(self) -> History:
        """The history until now, with what came while it was read."""
        feed, came = self._listening.feed, list[StateChanged]()
        stop = feed.subscribe(lambda update: came.append(update) if isinstance(update, StateChanged) else None)
        try:
            state = feed.state
            events = await self._history()
            history = await asyncio.to_thread(lambda: History(as_planned(state, events), events))
        finally:
            stop()
        for change in came:
            history.follow(change.state.seq, change.events)
        return history

    def _keep_playing(self, playing: bool) -> None:
        if playing and self._timer is None:
            self._beat_at = time.monotonic()
            self._timer = self._app.set_interval(BEAT, self._beat)
        elif not playing and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _beat(self) -> None:
        """Time went by while it plays."""
        now, scrubber = time.monotonic(), self._listening.past
        seconds, self._beat_at = now - self._beat_at, now
        if scrubber is None:
            self._keep_playing(False)
            return
        scrubber.play_on(seconds)
        self._keep_playing(scrubber.playing)
        self._stand(scrubber)
