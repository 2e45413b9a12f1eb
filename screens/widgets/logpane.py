"""The log pane of the run screen: the pulse above, the tail below."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import var

from screens.paint.pulse import pulse
from screens.ring import Ring, Sieve
from screens.view import View
from screens.widgets.panes import Pane
from screens.widgets.tail import Tail


class Pulse(Pane):
    """One line that says how the log is doing."""

    DEFAULT_CSS = """
    Pulse { height: 1; overflow-y: hidden; scrollbar-gutter: auto; }
    """

    def __init__(self, ring: Ring, title: str = "Log") -> None:
        super().__init__()
        self._ring = ring
        self._sieve = Sieve(ring)
        self._title = title
        self._rate = 0.0
        self._counted = ring.end
        self._paused_at = ring.end
        self._following = True

    def follows(self, following: bool) -> None:
        """The tail began or ceased to follow."""
        if following != self._following:
            self._paused_at = self._ring.end
        self._following = following
        self.repaint()

    def through(self, sieve: Sieve) -> None:
        """The tail shows other lines: only those are counted as new below."""
        self._sieve = sieve
        self.repaint()

    def beat(self, seconds: float) -> None:
        """Another `seconds` have gone by: count."""
        self._rate = max(self._ring.end - self._counted, 0) / max(seconds, 0.001)
        self._counted = self._ring.end
        self.repaint()

    def paint(self, view: View) -> None:
        """The line."""
        held = 0 if self._following else len(self._sieve) - self._sieve.row_at(self._paused_at)
        line = pulse(
            self._ring, view.tail, self._rate, self.room.width, following=self._following, title=self._title, held=held
        )
        self.show([line])


class LogPane(Vertical):
    """Pulse and tail."""

    DEFAULT_CSS = """
    LogPane { height: 1fr; }
    """

    view: var[View | None] = var(None, init=False)

    def __init__(self, ring: Ring, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ring = ring

    def compose(self) -> ComposeResult:
        """Pulse above, tail below."""
        yield Pulse(self._ring).data_bind(LogPane.view)
        yield Tail(Sieve(self._ring))

    def on_tail_followed(self, message: Tail.Followed) -> None:
        """Say so above."""
        message.stop()
        for pulse_ in self.query(Pulse):
            pulse_.follows(message.following)
