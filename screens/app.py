"""The application: it stands at once with an opening frame, and takes up the run when there is one to show.

Updates are shown at most FRAMES times a second; without any, only the clock moves, once a second. Nothing that
the opening frame does not need is imported before it: not the screens of a run, not the domain.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Resize
from textual.screen import Screen

from screens.opening import Glimpse, OpeningScreen
from screens.themes import DARK, FALLBACK_INK, LIGHT, THEMES
from screens.too_small import fit

if TYPE_CHECKING:
    from console.ports import Feed, Helm
    from screens.dialogs.take_over import Reply, Rival
    from screens.listening import Listening
    from screens.reads import Reads
    from screens.showing import Showing

FRAMES = 20
"""Pictures a second at most."""

HEAD_START = 0.05
"""Seconds that the first frame has on its way to the terminal before anything else wants the processor."""


def utc_now() -> datetime:
    """The wall time, UTC."""
    return datetime.now(UTC)


def _palette() -> type[Provider]:
    from screens.palette import TablePalette

    return TablePalette


class ConsoleApp(App[None]):
    """Release Console in a terminal. Without a helm it watches: nothing in it could send an intent.

    Without a feed it begins with the opening frame of `glimpse`, until `take_up` gives it a run. `shown` is set once
    the first frame stands.
    """

    CSS_PATH: ClassVar[Path | str] = "app.tcss"
    TITLE = "Release Console"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette}
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f12"

    def __init__(
        self,
        feed: "Feed | None" = None,
        helm: "Helm | None" = None,
        *,
        glimpse: Glimpse | None = None,
        reads: "Reads | None" = None,
        now: Callable[[], datetime] = utc_now,
        light: bool = False,
        settle: float | None = None,
    ) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        if light:
            self.theme = LIGHT
        else:
            self._begin_dark()
        self.shown = asyncio.Event()
        self._now = now
        self._settle = settle
        self._waking = False
        self._here = copy_context()
        self._beat_at = time.monotonic()
        self._opening = OpeningScreen(glimpse or Glimpse())
        self._showing = None if feed is None else self._of(feed, helm, reads)

    def _begin_dark(self) -> None:
        """Have the dark theme from the first rule on: set like any other, all rules would be read twice for a frame."""
        self.set_reactive(ConsoleApp.theme, DARK)
        self.add_class(f"-theme-{DARK}", "-dark-mode")
        self.stylesheet.set_variables(self.get_css_variables())

    @property
    def listening(self) -> "Listening | None":
        """What is heard of the run; None before there is one."""
        return None if self._showing is None else self._showing.listening

    def say(self, text: str) -> None:
        """Tell what is being done on the way to the run: in the opening frame, later where the log will be."""
        if self._showing is None:
            self._opening.say(text)
        else:
            self._showing.listening.is_told(text)

    def tell(self, text: str) -> None:
        """Tell the person something that they must not miss, over whatever is shown."""
        self._here.run(self.call_later, lambda: self.notify(text, severity="warning", timeout=60, markup=False))

    async def asks_to_take_over(self, rival: "Rival") -> "Reply | None":
        """Whether the person takes a run over from another driver, or watches it; None when they leave it alone."""
        from screens.dialogs.base import SETTLE
        from screens.dialogs.take_over import Reply, TakeOverDialog

        answer: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        dialog = TakeOverDialog(rival, settle=SETTLE if self._settle is None else self._settle)

        def answered(reply: Reply | None) -> None:
            if not answer.done():
                answer.set_result(reply)

        self._here.run(self.call_later, self.push_screen, dialog, answered)
        return await answer

    def take_up(self, feed: "Feed", helm: "Helm | None" = None, reads: "Reads | None" = None) -> None:
        """Show a run in place of the opening frame, and steer it where there is a helm."""
        self._showing = self._of(feed, helm, reads)
        self._here.run(self.call_later, self._showing.begin)

    def _of(self, feed: "Feed", helm: "Helm | None", reads: "Reads | None") -> "Showing":
        from screens.showing import Showing

        return Showing(self, feed, helm, reads, now=self._now, wake=self._wake, settle=self._settle)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The console's own colours exist under every theme."""
        return dict(FALLBACK_INK)

    def get_default_screen(self) -> Screen[Any]:
        """The opening frame stands below everything else: one screen less to be made before it is seen."""
        return self._opening if self._showing is None else super().get_default_screen()

    def on_mount(self) -> None:
        """Show the run, or that it is being opened."""
        self._here = copy_context()
        self.set_interval(1.0, self._tick)
        if self._showing is None:
            fit(self, self.size)
        else:
            self._showing.begin()
        self.call_after_refresh(self.set_timer, HEAD_START, self.shown.set)

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._showing is not None:
            self._showing.listening.stop()

    def on_resize(self, event: Resize) -> None:
        """A terminal that is too small says so instead of showing half a picture."""
        fit(self, event.size)

    def _fatal_error(self) -> None:
        """End after a defect, saying where it is, and not what the variables held: a secret may be among them."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        where = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(where, self.console.options)))
        self._close_messages_no_wait()

    def action_leave(self) -> None:
        """Leave; whoever drives an open run is asked first."""
        question = None if self._showing is None else self._showing.before_leaving()
        if question is None:
            self.exit()
        else:
            self.push_screen(question, lambda leave: self.exit() if leave else None)

    def action_leave_now(self) -> None:
        """Leave without asking, where there is no room to ask; a run that is open stays open."""
        self.exit()

    def action_command_palette(self) -> None:
        """Show the palette, unless it stands already."""
        from screens.palette import TablePaletteScreen

        if not isinstance(self.screen, TablePaletteScreen):
            self.push_screen(TablePaletteScreen(id="--command-palette"))

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
        if self._showing is not None:
            self._showing.frame()

    def _tick(self) -> None:
        """The clock moves."""
        now = time.monotonic()
        seconds, self._beat_at = now - self._beat_at, now
        if self._showing is not None:
            self._showing.tick(seconds)
