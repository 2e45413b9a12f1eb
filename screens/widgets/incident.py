"""The panes that only the incident screen has: the band with the next thing, where production stands, the ways."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Digits

from console.domain.standing import Way
from screens.going_back import Prompt
from screens.paint import incident, ink, words
from screens.paint.messages import told
from screens.paint.standing import standing
from screens.paint.way_gone import ending
from screens.paint.ways_back import full, ordered, row
from screens.view import View
from screens.widgets.panes import Detail, Pane
from screens.widgets.sheet import Sheet

NOTHING = Prompt("", "")


class GrowingPane(Pane):
    """A pane that is as high as what it shows."""

    def grow(self, lines: list[Content]) -> None:
        """Show the lines; the height follows."""
        if len(lines) != len(self.lines):
            self.styles.height = len(lines)
        self.show(lines)


class NextThing(Pane):
    """What to press next."""

    prompt: var[Prompt] = var(NOTHING, init=False)

    def watch_prompt(self) -> None:
        """Something else is next."""
        self.repaint()

    def paint(self, view: View) -> None:
        """As many lines as there is room for."""
        self.show(incident.band(self.prompt, self.room.width, max(self.room.height, 1)))


class Band(Horizontal):
    """The incident's clock, large where there is room for it, and the next thing."""

    view: var[View | None] = var(None, init=False)
    prompt: var[Prompt] = var(NOTHING, init=False)

    def compose(self) -> ComposeResult:
        """Clock at the left, below the header's; the next thing beside it."""
        yield Digits(self._time(), id="incident-clock")
        yield NextThing(id="next").data_bind(Band.view, Band.prompt)

    def watch_view(self) -> None:
        """The clock moves; once the incident is closed it stands."""
        self.set_class(self.view is not None and self.view.state.incident_at is None, "-over")
        if self.is_mounted:
            self.query_one(Digits).update(self._time())

    def _time(self) -> str:
        return words.digital(self.view.since_incident if self.view is not None else 0.0)


class StandingPane(GrowingPane):
    """Where production stands, and who was told."""

    brief: var[bool] = var(False, init=False)

    def watch_brief(self) -> None:
        """More or less room."""
        self.repaint()

    def paint(self, view: View) -> None:
        """All of it."""
        lines = standing(view, self.room.width, brief=self.brief)
        self.grow(lines if self.brief else [*lines, *told(view, self.room.width)])


class WaysPane(Pane):
    """The ways back in order; a click selects one."""

    chosen: var[str] = var("", init=False)
    """The value of the selected way."""
    brief: var[bool] = var(False, init=False)

    @dataclass
    class Picked(Message):
        """A way was clicked."""

        pane: "WaysPane"
        way: str

        @property
        def control(self) -> "WaysPane":
            """The ways."""
            return self.pane

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ways: list[Way | None] = []

    def watch_chosen(self) -> None:
        """Another way is selected."""
        self.repaint()

    def watch_brief(self) -> None:
        """More or less room."""
        self.repaint()

    def paint(self, view: View) -> None:
        """Heading and ways; the selected one is kept in sight."""
        offered = ordered(view.assessment)
        lines = [ink.heading("Ways back")] if offered and not self.brief else []
        self._ways = [None] * len(lines)
        cursor = None
        for number, way in enumerate(offered, 1):
            selected = way.way.value == self.chosen
            part = row(view, way, number, self.room.width, selected=selected, brief=self.brief)
            cursor = len(lines) if selected else cursor
            lines += part
            self._ways += [way.way] * len(part)
        self.show(lines, cursor=cursor)

    def on_sheet_clicked(self, message: Sheet.Clicked) -> None:
        """A click selects."""
        message.stop()
        way = self._ways[message.row] if message.row < len(self._ways) else None
        if way is not None:
            self.post_message(self.Picked(self, way.value))


class WayPane(Pane):
    """The selected way in full."""

    chosen: var[str] = var("", init=False)

    def watch_chosen(self) -> None:
        """Another way: from its beginning."""
        self.scroll_to(y=0, animate=False)
        self.repaint()

    def paint(self, view: View) -> None:
        """Why, price, steps."""
        assessment = view.assessment
        offer = assessment.offer(Way(self.chosen)) if assessment is not None and self.chosen else None
        lines = full(view, offer, assessment, self.room.width) if assessment is not None and offer is not None else []
        self.show(lines)


class Summary(GrowingPane):
    """The way that is gone, in a few figures."""

    brief: var[bool] = var(False, init=False)

    def watch_brief(self) -> None:
        """More or less room."""
        self.repaint()

    def paint(self, view: View) -> None:
        """Way, price, steps, time, who was told."""
        self.grow(incident.summary(view, self.room.width, brief=self.brief))


class StepOfTheWay(Detail):
    """One step of the way in full; at the end of the way what it has left."""

    def paint(self, view: View) -> None:
        """The ending once everything is over, until somebody goes through the steps."""
        if self.following and view.state.rollback is not None and view.state.complete:
            self.show(ending(view, self.room.width))
        else:
            super().paint(view)
