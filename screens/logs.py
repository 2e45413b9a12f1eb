"""The log, full screen: filter by service, grade and text; jump to the first error; follow or stay."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.ring import Sieve
from screens.view import View
from screens.widgets.filters import Filters
from screens.widgets.keybar import KeyBar
from screens.widgets.logpane import Pulse
from screens.widgets.panes import Header
from screens.widgets.tail import Tail


class LogsScreen(ConsoleScreen):
    """Everything the services said, as far as it is kept."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "logs"
    AUTO_FOCUS = "#full-tail"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "out", show=False, priority=True)]

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        ring = desk.ring
        # Held, not looked for: keys and messages also come while the screen is being built or taken down.
        self._pulse = Pulse(ring)
        self._filters = Filters(lambda: tuple(ring.services))
        self._tail = Tail(Sieve(ring), id="full-tail", focusable=True)

    def compose(self) -> ComposeResult:
        """Header, pulse, filters, lines, keys."""
        yield Header().data_bind(LogsScreen.view)
        yield self._pulse.data_bind(LogsScreen.view)
        yield self._filters
        yield self._tail
        yield KeyBar()

    def on_tail_followed(self, message: Tail.Followed) -> None:
        """Say so above."""
        self._pulse.follows(message.following)

    def on_filters_changed(self, message: Filters.Changed) -> None:
        """Show what is let through."""
        self._tail.look_through(Sieve(self.desk.ring, message.filter.test()))
        self._pulse.through(self._tail.sieve)
        self.refresh_keys()

    def moment(self) -> Moment:
        """With whether a search is under way, which is left before the screen is."""
        return Moment(self.shown, self.SCREEN, doors=self.desk.doors, searching=self._filters.searching)

    def on_descendant_focus(self) -> None:
        """The search has the keys, or has let go of them."""
        self.refresh_keys()

    def on_filters_left(self) -> None:
        """The keys belong to the log again."""
        self._tail.focus()

    def action_search(self) -> None:
        """Type what to look for."""
        self._filters.field.focus()

    def action_next_service(self) -> None:
        """All services, then each by itself."""
        self._filters.next_service()

    def action_next_grade(self) -> None:
        """Everything, errors, schema errors."""
        self._filters.next_grade()

    def action_follow(self) -> None:
        """To the end, and stay there."""
        self._tail.follow()

    def action_first_error(self) -> None:
        """To the first line that was an error."""
        number, ring = self.desk.ring.first_error, self.desk.ring
        if number is None:
            self.notify("No error so far.", timeout=3)
        elif number < ring.first:
            self.notify("The first error is older than the lines that are kept.", timeout=5)
        else:
            self._tail.jump(number)

    def action_out(self) -> None:
        """Out of the search, then out of the screen."""
        if self._filters.searching:
            self._filters.field.value = ""
            self._tail.focus()
        else:
            self.action_back()
