"""The log, full screen: filter by service, grade and text; search; jump to the first error; follow or stay."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.paint import ink
from screens.ring import LogLine, Mark, Sieve
from screens.view import View
from screens.widgets.keybar import Entry, KeyBar
from screens.widgets.logpane import Pulse
from screens.widgets.panes import Header
from screens.widgets.tail import Tail

GRADES = (("everything", Mark.QUIET), ("errors", Mark.ERROR), ("schema errors", Mark.SCHEMA))


class FilterBar(Widget, can_focus=False):
    """What is let through: service and grade."""

    service: reactive[str] = reactive("", layout=True)
    grade: reactive[int] = reactive(0, layout=True)

    class Clicked(Message):
        """A part was clicked: `service` or `grade`."""

        def __init__(self, part: str) -> None:
            super().__init__()
            self.part = part

    def _parts(self) -> tuple[Content, Content]:
        service = self.service or "all services"
        first = ink.line(("s ", f"bold {ink.IDENT}"), (service, ink.NOW if self.service else ink.QUIET))
        grade = GRADES[self.grade][0]
        return first, ink.line(("e ", f"bold {ink.IDENT}"), (grade, ink.NOW if self.grade else ink.QUIET))

    def render(self) -> Content:
        """Keys and what they are set to."""
        first, second = self._parts()
        return Content.assemble(first, "   ", second)

    def on_click(self, event: Click) -> None:
        """Either part."""
        first, _ = self._parts()
        self.post_message(self.Clicked("service" if event.x < first.cell_length + 1 else "grade"))


class LogsScreen(ConsoleScreen):
    """Everything the services said, as far as it is kept."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "logs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "next_service", show=False, priority=False),
        Binding("e", "next_grade", show=False),
        Binding("slash", "search", show=False),
        Binding("f", "follow", show=False),
        Binding("end", "follow", show=False),
        Binding("home", "first", show=False),
        Binding("x", "first_error", show=False),
        Binding("escape", "escape", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("left", "sideways(-8)", show=False),
        Binding("right", "sideways(8)", show=False),
    ]

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self._service = ""
        self._grade = 0
        self._text = ""

    def compose(self) -> ComposeResult:
        """Header, pulse, filters, lines, keys."""
        yield Header().data_bind(LogsScreen.view)
        yield Pulse(self.desk.ring).data_bind(LogsScreen.view)
        with Horizontal(id="filters"):
            yield FilterBar()
            yield Input(placeholder="/ only lines with this text", compact=True, id="text")
        yield Tail(Sieve(self.desk.ring), id="full-tail", focusable=True)
        yield KeyBar()

    def refresh_keys(self) -> None:
        """The keys of the log come first; they have no place in the table of what can be asked of a run."""
        super().refresh_keys()
        own = (
            Entry("log:follow", "f", "follow"),
            Entry("log:first_error", "x", "first error"),
            Entry("log:search", "/", "search"),
            Entry("log:next_service", "s", "service"),
            Entry("log:next_grade", "e", "grade"),
        )
        for bar in self.query(KeyBar):
            bar.entries = (*own, *bar.entries)

    async def on_key_bar_pressed(self, message: KeyBar.Pressed) -> None:
        """A click on a key."""
        if message.command.startswith("log:"):
            await self.run_action(message.command.removeprefix("log:"))
        else:
            await super().on_key_bar_pressed(message)

    @property
    def _tail(self) -> Tail:
        return self.query_one(Tail)

    def catch_up(self) -> None:
        """Lines came in."""
        for tail in self.query(Tail):
            tail.catch_up()

    def beat(self, seconds: float) -> None:
        """Time went by."""
        for pulse in self.query(Pulse):
            pulse.beat(seconds)

    def on_tail_followed(self, message: Tail.Followed) -> None:
        """Say so above."""
        for pulse in self.query(Pulse):
            pulse.follows(message.following)

    async def on_filter_bar_clicked(self, message: FilterBar.Clicked) -> None:
        """A click on a filter."""
        await self.run_action(f"next_{message.part}")

    @on(Input.Changed, "#text")
    def _text_changed(self, event: Input.Changed) -> None:
        self._text = event.value
        self._sift()

    @on(Input.Submitted, "#text")
    def _text_done(self) -> None:
        self._tail.focus()

    def action_search(self) -> None:
        """Type what to look for."""
        self.query_one("#text", Input).focus()

    async def action_escape(self) -> None:
        """Out of the search, then out of the screen."""
        field = self.query_one("#text", Input)
        if field.has_focus or field.value:
            field.value = ""
            self.set_focus(None)
        else:
            self.action_back()

    def action_next_service(self) -> None:
        """All services, then each by itself."""
        names = ["", *sorted(self.desk.ring.services)]
        self._service = names[(names.index(self._service) + 1) % len(names)] if self._service in names else ""
        self._sift()

    def action_next_grade(self) -> None:
        """Everything, errors, schema errors."""
        self._grade = (self._grade + 1) % len(GRADES)
        self._sift()

    def action_follow(self) -> None:
        """To the end, and stay there."""
        self._tail.follow()

    def action_first(self) -> None:
        """To the oldest line that is kept."""
        self._tail.scroll_home(animate=False)

    def action_first_error(self) -> None:
        """To the first line that was an error."""
        number = self.desk.ring.first_error
        if number is None:
            self.notify("No error so far.", timeout=3)
        elif number < self.desk.ring.first:
            self.notify("The first error is older than the lines that are kept.", timeout=5)
        else:
            self._tail.jump(number)

    def action_scroll(self, lines: int) -> None:
        """A line up or down."""
        self._tail.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """A page up or down."""
        self._tail.scroll_relative(y=pages * self._tail.size.height, animate=False)

    def action_sideways(self, cells: int) -> None:
        """Read long lines."""
        self._tail.slide(cells)

    def _sift(self) -> None:
        bar = self.query_one(FilterBar)
        bar.service, bar.grade = self._service, self._grade
        service, least, text = self._service, GRADES[self._grade][1], self._text.casefold()
        if not service and not text and least is Mark.QUIET:
            self._tail.look_through(Sieve(self.desk.ring))
            return

        def passes(line: LogLine) -> bool:
            return (
                (not service or line.service == service)
                and line.mark >= least
                and (not text or text in line.text.casefold())
            )

        self._tail.look_through(Sieve(self.desk.ring, passes))
