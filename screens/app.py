"""The application: listens to the feed, hands views to the screens, and steers where there is a helm.

Updates are gathered and shown at most FRAMES times a second; without any, only the clock moves, once a second.
Nothing heavy is imported before the first frame: further screens load when they are opened, and where the run
itself takes a while to open, an opening frame stands until it is taken up.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Resize

from console.domain.state import RunStatus, StepStatus
from console.ports import Feed, Helm, JournalFailed, LogLines, StateChanged, StepNews, TailStatus, Update
from screens.base import ConsoleScreen
from screens.classify import mark_of
from screens.commands import READING, STEERING
from screens.desk import Desk
from screens.dialogs.base import SETTLE, Dialog
from screens.heard import Heard, hear
from screens.leads import Act, Lead, Show
from screens.opening import Glimpse, OpeningScreen
from screens.palette import TablePalette
from screens.reads import Reads
from screens.ring import Ring
from screens.run import RunScreen
from screens.themes import DARK, FALLBACK_INK, LIGHT, THEMES
from screens.too_small import TooSmall, is_too_small
from screens.view import View

FRAMES = 15
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
        self._now = now
        self._settle = settle
        self._news: dict[str, Heard] = {}
        self._record_failed = ""
        self._lines: list[LogLines] = []
        self._pending = False
        self._here = copy_context()
        self._beat_at = time.monotonic()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._opening = None if feed is not None else OpeningScreen(glimpse or Glimpse())
        if feed is not None:
            self._sit_down(feed, helm, reads or Reads())

    def _sit_down(self, feed: Feed, helm: Helm | None, reads: Reads) -> None:
        """Have a run before us."""
        self._feed = feed
        self._reads = reads
        self._tail = TailStatus(connected=bool(feed.tail), reason="" if feed.tail else "nothing arrived yet")
        self.view = View(feed.state, self._now(), tail=self._tail, driving=helm is not None)
        self._pursue: Callable[[Lead], None] = self._open
        names = {service.id: service.key for service in feed.state.plan.services}
        self._ring = Ring(mark_of, names=names)
        self._ring.extend(feed.tail)
        self._desk = Desk(READING, self._follow, self._doors(), self._ring)
        if helm is not None:
            self._take_helm(helm)

    def say(self, text: str) -> None:
        """Tell what is being done on the way to the run: in the opening frame, later where the log will be."""
        if self._opening is not None:
            self._opening.say(text)
        else:
            self._heard(TailStatus(connected=False, reason=text))

    def take_up(self, feed: Feed, helm: Helm | None = None, reads: Reads | None = None) -> None:
        """Show a run in place of the opening frame, and steer it where there is a helm."""
        self._sit_down(feed, helm, reads or Reads())
        self._opening = None
        self._here.run(self.call_later, self._change_over)

    def _take_helm(self, helm: Helm) -> None:
        from screens.steering import Steering

        steering = Steering(helm, self, self._fresh_view, settle=self._settle)

        def pursue(lead: Lead) -> None:
            if isinstance(lead, Show | Act):
                self._open(lead)
            else:
                steering.pursue(lead)

        self._pursue = pursue
        self._desk = replace(self._desk, commands=(*STEERING, *READING), steers=True)

    def _doors(self) -> frozenset[str]:
        doors = {"logs", "alerts", "help"}
        if self._feed.state.plan.signoffs:
            doors.add("signoff")
        if self._reads.preflight is not None:
            doors.add("preflight")
        if self._reads.report is not None:
            doors.add("report")
        return frozenset(doors)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The console's own colours exist under every theme."""
        return dict(FALLBACK_INK)

    def on_mount(self) -> None:
        """Show the run, and begin to listen."""
        self._here = copy_context()
        if self._opening is not None:
            self.push_screen(self._opening)
        else:
            self._show_run()
        self._check_size(self.size.width, self.size.height)
        self.call_after_refresh(self.shown.set)

    def _show_run(self) -> None:
        self._unsubscribe = self._feed.subscribe(self._heard)
        self.set_interval(1.0, self._tick)
        self.push_screen(RunScreen(self._desk, self._fresh_view()))

    def _change_over(self) -> None:
        """The run in place of the opening frame, and of whatever was opened over it."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self._show_run()
        self._check_size(self.size.width, self.size.height)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unsubscribe()

    def on_resize(self, event: Resize) -> None:
        """A terminal that is too small says so instead of showing half a picture."""
        self._check_size(event.size.width, event.size.height)

    def _check_size(self, width: int, height: int) -> None:
        small = is_too_small(width, height)
        showing = isinstance(self.screen, TooSmall)
        if small and not showing:
            self.push_screen(TooSmall())
        elif showing and not small:
            self.pop_screen()

    def _follow(self, lead: Lead) -> None:
        self._pursue(lead)

    def _open(self, lead: Lead) -> None:
        """Open a screen in place of another; the run screen stays below."""
        if not isinstance(lead, Show):
            raise TypeError(f"{type(lead).__name__} needs a helm")
        from screens.doors import build

        if isinstance(self.screen, ConsoleScreen) and not isinstance(self.screen, RunScreen):
            self.pop_screen()
        self.push_screen(build(lead.screen, self._desk, self._fresh_view(), self._reads))

    def action_leave(self) -> None:
        """Leave; whoever drives an open run is asked first."""
        if self._opening is not None:
            self.exit()
            return
        open_ = self.view.state.status in (RunStatus.RUNNING, RunStatus.HELD)
        if not (self._desk.steers and open_):
            self.exit()
            return
        from screens.dialogs.leave import LeaveDialog

        self.push_screen(LeaveDialog(self.view, settle=self._settle), lambda leave: self.exit() if leave else None)

    def action_leave_now(self) -> None:
        """Leave without asking, where there is no room to ask; a run that is open stays open."""
        self.exit()

    def action_switch_theme(self) -> None:
        """Light or dark."""
        self.theme = DARK if self.theme == LIGHT else LIGHT

    def _heard(self, update: Update) -> None:
        """Take an update in; it is shown with the next frame."""
        match update:
            case StateChanged(state):
                running = {i for i, step in state.steps.items() if step.status is StepStatus.RUNNING}
                self._news = {step: news for step, news in self._news.items() if step in running}
            case StepNews(step, progress):
                self._news[step] = hear(self._news.get(step), progress, self._now())
            case LogLines():
                self._lines.append(update)
            case TailStatus():
                self._tail = update
            case JournalFailed(message, remedy):
                self._record_failed = f"{message} {remedy}".strip()
        if not self._pending:
            self._pending = True
            # The run's tasks publish from a context of their own, in which Textual does not know its application.
            self._here.run(self.set_timer, 1 / FRAMES, self._frame)

    def _frame(self) -> None:
        """Show what has been heard since the last frame."""
        self._pending = False
        lines, self._lines = self._lines, []
        for batch in lines:
            self._ring.extend(batch.entries)
        if lines and not self._tail.connected and not self._tail.reason.startswith("lost"):
            self._tail = TailStatus(connected=True)
        self._show(self._fresh_view())
        if lines:
            for screen in self._audience():
                if isinstance(screen, ConsoleScreen):
                    screen.catch_up()

    def _tick(self) -> None:
        """The clock moves."""
        now = time.monotonic()
        seconds, self._beat_at = now - self._beat_at, now
        for screen in self._audience():
            if isinstance(screen, ConsoleScreen):
                screen.beat(seconds)
        if self.view.state.status is not RunStatus.FINISHED:
            self._show(self._fresh_view())

    def _fresh_view(self) -> View:
        driving = self._desk.steers
        self.view = View(self._feed.state, self._now(), dict(self._news), self._tail, driving, self._record_failed)
        return self.view

    def _show(self, view: View) -> None:
        for screen in self._audience():
            screen.view = view

    def _audience(self) -> list[ConsoleScreen | Dialog[Any]]:
        """The screens that can be shown something: built, and not being taken down."""
        if not self.is_running or self.return_code is not None:
            return []
        return [s for s in self.screen_stack if isinstance(s, ConsoleScreen | Dialog) and s.is_mounted]
