"""The panes of the run screen: sheets that paint themselves from the view, whenever it or their size changes."""

from dataclasses import dataclass

from textual.message import Message
from textual.reactive import var
from textual.widget import Widget

from screens.paint import checklist, detail, gist, header, ink
from screens.paint.detail import Way
from screens.paint.timeline import forecast
from screens.paint.way_gone import back_at
from screens.view import View
from screens.widgets.sheet import Sheet

LEAST_LINES = 2
"""Lines of a header that has nothing to tell of others."""


class Pane(Sheet):
    """A sheet that is bound to the view."""

    view: var[View | None] = var(None, init=False)

    def watch_view(self) -> None:
        """Something changed."""
        self.repaint()

    def on_resize(self) -> None:
        """Lines are written for a width."""
        self.repaint()

    def repaint(self) -> None:
        """Paint, once there is something to paint and room for it."""
        if self.view is not None and self.is_mounted and self.room.width > 0:
            self.paint(self.view)

    def paint(self, view: View) -> None:
        """Write the lines."""
        raise NotImplementedError


class Header(Pane):
    """Where we are, the clock, the situation."""

    DEFAULT_CSS = """
    Header { dock: top; height: 2; padding: 0 1; background: $bar; overflow-y: hidden; scrollbar-gutter: auto; }
    Header.-notice { height: 3; }
    """

    def paint(self, view: View) -> None:
        """Two lines, or three."""
        lines = header.header(view, self.room.width, back_at(view) or forecast(view))
        self.set_class(len(lines) > LEAST_LINES, "-notice")
        self.show(lines)


class Checklist(Pane):
    """Phases and steps; a click selects."""

    selected: var[str] = var("", init=False)

    @dataclass
    class Picked(Message):
        """A step was clicked."""

        checklist: "Checklist"
        step: str

        @property
        def control(self) -> "Checklist":
            """The checklist."""
            return self.checklist

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[checklist.Row] = []

    def watch_selected(self) -> None:
        """The cursor moved."""
        self.repaint()

    def needed(self, view: View) -> int:
        """How many lines the checklist has as it stands."""
        return len(checklist.rows(view, self.selected, max(self.room.width, 20), 0))

    def paint(self, view: View) -> None:
        """Phases and steps, the selected one marked."""
        self._rows = checklist.rows(view, self.selected, self.room.width, self.room.height)
        places = [y for y, row in enumerate(self._rows) if row.is_step and row.step == self.selected]
        self.show([row.content for row in self._rows], cursor=places[0] if places else None)

    def on_sheet_clicked(self, message: Sheet.Clicked) -> None:
        """A click on a step selects it; on a phase, the step that stands for it."""
        message.stop()
        if message.row < len(self._rows):  # else the lines have become fewer since the click
            self.post_message(self.Picked(self, self._rows[message.row].step))


class Gist(Pane):
    """Alerts, findings and criteria below the checklist."""

    limit: var[int] = var(0, init=False)
    """How many lines it may take."""

    def watch_limit(self) -> None:
        """More or less room."""
        self.repaint()

    def paint(self, view: View) -> None:
        """As much as there is room for; its height follows."""
        lines = gist.gist(view, self.room.width, self.limit)
        if len(lines) != len(self.lines):
            self.styles.height = len(lines)
        self.show(lines)


BESIDE = 2
"""Lines of its column that a step never has: the names of the panes, or the margin and a rule."""


class Detail(Pane):
    """One step in full."""

    selected: var[str] = var("", init=False)
    following: var[bool] = var(True, init=False)
    ways: var[tuple[Way, ...]] = var((), init=False)

    def watch_following(self) -> None:
        """The cursor was moved, or put back."""
        self.repaint()

    def watch_selected(self) -> None:
        """Another step: from its beginning."""
        self.scroll_to(y=0, animate=False)
        self.repaint()

    def watch_ways(self) -> None:
        """Other ways out."""
        self.repaint()

    def paint(self, view: View) -> None:
        """The step's detail; the run as a whole before it has begun and after it has ended."""
        whole = detail.whole_run(view, self.room.width) if self.following else None
        step = view.state.steps.get(self.selected)
        if whole is not None or step is None:
            self.show(whole or [ink.BLANK])
        else:
            self.show(detail.detail(view, step, self.room.width, self.ways, self._most()))

    def _most(self) -> int:
        """The lines that it can have in its column, when it is alone there."""
        column = self.parent
        return column.size.height - BESIDE if isinstance(column, Widget) else 0
