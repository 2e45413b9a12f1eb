"""The application: listens to the feed, hands views to the screens, and steers where there is a helm.

Updates are gathered and shown at most FRAMES times a second; without any, only the clock moves, once a second.
Nothing heavy is imported before the first frame: further screens load when they are opened, and where the run
itself takes a while to open, an opening frame stands until it is taken up.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Resize

from console.domain.state import RunStatus
from console.ports import Feed, Helm, TailStatus
from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.dialogs.base import SETTLE, Dialog
from screens.doors import drivers_desk, observers_desk
from screens.listening import Listening
from screens.opening import Glimpse, OpeningScreen
from screens.palette import TablePalette
from screens.reads import Reads
from screens.run import RunScreen
from screens.themes import DARK, FALLBACK_INK, LIGHT, THEMES
from screens.too_small import fit
from screens.view import View

FRAMES = 20
"""Pictures a second at most."""


def utc_now() -> datetime:
    """The wall time, UTC."""
    return datetime.now(UTC)


class ConsoleApp(App[None]):
    """Release Console in a terminal. Without a helm it watches: nothing in it could send an intent.

    Without a feed it begins with the opening frame of `glimpse`, until `take_up` gives it a run. `shown` is set once
    the first frame is painted.
    """

    CSS_PATH: ClassVar[Path | str] = "app.tcss"
    TITLE = "Release Console"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {TablePalette}
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"

    def __init__(
        self,
        feed: Feed | None = None,
        helm: Helm | None = None,
        *,
        glimpse: Glimpse | None = None,
        reads: Reads | None = None,
        now: Callable[[], datetime] = utc_now,
        light: bool = False,
        settle: float = SETTLE,
    ) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = LIGHT if light else DARK
        self.shown = asyncio.Event()
        self.listening: Listening | None = None
        self._now = now
        self._settle = settle
        self._desk: Desk | None = None
        self._waking = False
        self._here = copy_context()
        self._beat_at = time.monotonic()
        self._opening = OpeningScreen(glimpse or Glimpse())
        if feed is not None:
            self._sit_down(feed, helm, reads or Reads())

    def say(self, text: str) -> None:
        """Tell what is being done on the way to the run: in the opening frame, later where the log will be."""
        if self.listening is None:
            self._opening.say(text)
        else:
            self.listening.hear(TailStatus(connected=False, reason=text))

    def take_up(self, feed: Feed, helm: Helm | None = None, reads: Reads | None = None) -> None:
        """Show a run in place of the opening frame, and steer it where there is a helm."""
        self._sit_down(feed, helm, reads or Reads())
        self._here.run(self.call_later, self._show_run)

    def _sit_down(self, feed: Feed, helm: Helm | None, reads: Reads) -> None:
        """Have a run before us."""
        listening = Listening(feed, self._now, self._wake, driving=helm is not None)
        if helm is None:
            self._desk = observers_desk(self, listening, reads)
        else:
            self._desk = drivers_desk(self, listening, reads, helm, settle=self._settle)
        self.listening = listening

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The console's own colours exist under every theme."""
        return dict(FALLBACK_INK)

    def on_mount(self) -> None:
        """Show the run, or that it is being opened."""
        self._here = copy_context()
        self.set_interval(1.0, self._tick)
        if self.listening is None:
            self.push_screen(self._opening)
            fit(self, self.size)
        else:
            self._show_run()
        self.call_after_refresh(self.shown.set)

    def _show_run(self) -> None:
        """The run in place of the opening frame, and of whatever was opened over it."""
        if self.listening is None or self._desk is None:
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(RunScreen(self._desk, self.listening.view()))
        fit(self, self.size)

    def on_unmount(self) -> None:
        """Listen no more."""
        if self.listening is not None:
            self.listening.stop()

    def on_resize(self, event: Resize) -> None:
        """A terminal that is too small says so instead of showing half a picture."""
        fit(self, event.size)

    def action_leave(self) -> None:
        """Leave; whoever drives an open run is asked first."""
        listening, desk = self.listening, self._desk
        if listening is None or desk is None or not desk.steers or listening.state.status not in OPEN:
            self.exit()
            return
        from screens.dialogs.leave import LeaveDialog

        dialog = LeaveDialog(listening.view(), settle=self._settle)
        self.push_screen(dialog, lambda leave: self.exit() if leave else None)

    def action_leave_now(self) -> None:
        """Leave without asking, where there is no room to ask; a run that is open stays open."""
        self.exit()

    def action_switch_theme(self) -> None:
        """Light or dark."""
        self.theme = DARK if self.theme == LIGHT else LIGHT

    def _wake(self) -> None:
        """Something was heard: one frame will show it, with whatever else is heard until then."""
        if not self._waking and self.is_running:
            self._waking = True
            # The run's tasks publish from a context of their own, in which Textual does not know its application.
            self._here.run(self.set_timer, 1 / FRAMES, self.frame)

    def frame(self) -> None:
        """Show what has been heard since the last frame."""
        self._waking = False
        if self.listening is None:
            return
        changed, lines = self.listening.take()
        if changed:
            show(self, self.listening.view())
        for screen in audience(self) if lines else ():
            if isinstance(screen, ConsoleScreen):
                screen.catch_up()

    def _tick(self) -> None:
        """The clock moves."""
        now = time.monotonic()
        seconds, self._beat_at = now - self._beat_at, now
        if self.listening is None:
            return
        for screen in audience(self):
            if isinstance(screen, ConsoleScreen):
                screen.beat(seconds)
        if self.listening.state.status is not RunStatus.FINISHED:
            show(self, self.listening.view())


OPEN = (RunStatus.RUNNING, RunStatus.HELD)


def audience(app: App[Any]) -> list[ConsoleScreen | Dialog[Any]]:
    """The screens that can be shown something: built, and not being taken down."""
    if not app.is_running or app.return_code is not None:
        return []
    return [s for s in app.screen_stack if isinstance(s, ConsoleScreen | Dialog) and s.is_mounted]


def show(app: App[Any], view: View) -> None:
    """Hand a view to every screen."""
    for screen in audience(app):
        screen.view = view
