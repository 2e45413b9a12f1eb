"""The bar of times at the foot of a screen, while somebody looks back; a click or a drag on it goes to that moment."""

from collections.abc import Callable
from datetime import datetime

from textual.events import MouseDown, MouseMove, MouseUp
from textual.screen import Screen

from screens.paint import scrub
from screens.past import Past
from screens.view import View
from screens.widgets.panes import Pane


class ScrubBar(Pane):
    """Two lines: what had just happened, and where that was in the run's time. `seek` is told where a click points."""

    DEFAULT_CSS = """
    ScrubBar {
        height: 3;
        padding: 0 1;
        border-top: solid $now;
        background: $bar;
        overflow-y: hidden;
        scrollbar-gutter: auto;
    }
    """

    def __init__(self, seek: Callable[[datetime], None]) -> None:
        super().__init__()
        self._seek = seek
        self._line: tuple[object, scrub.Marks] | None = None

    def paint(self, view: View) -> None:
        """Two lines."""
        if view.past is not None:
            self.show(scrub.bar(view.past, self._marks(view.past), self.room.width))

    def on_mouse_down(self, event: MouseDown) -> None:
        """Go there, and along with the mouse."""
        self.capture_mouse()
        self._go(event)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Along with the mouse, while it is held."""
        if self.app.mouse_captured is self:
            self._go(event)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Stay there."""
        self.release_mouse()

    def _go(self, event: MouseDown | MouseMove) -> None:
        past = self.view.past if self.view is not None else None
        if past is not None:
            self._seek(scrub.moment_at(past, self._marks(past), event.x - self.gutter.left))

    def _marks(self, past: Past) -> scrub.Marks:
        """The marks on the line; a long run has thousands of turns, and most moves change none."""
        width = self.room.width
        known = (past.begins, past.until, len(past.turns), width)
        if self._line is None or self._line[0] != known:
            self._line = known, scrub.marks(past, width)
        return self._line[1]


def attend(screen: Screen[None], seek: Callable[[datetime], None], view: View) -> None:
    """Keep a bar of times on a screen while its view is of the past; a screen that never looks back never has one."""
    bars = list(screen.query(ScrubBar))
    if view.past is not None and not bars:
        bars = [ScrubBar(seek)]
        screen.mount(*bars)
    for bar in bars:
        bar.display = view.past is not None
        bar.view = view
