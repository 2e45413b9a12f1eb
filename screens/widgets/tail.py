"""The log tail: draws the lines of a ring that are in sight, and no others.

It follows the end until somebody scrolls up, then stays where it is while lines go on arriving; at the end
again it follows again.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from screens.ring import Sieve
from screens.widgets.logline import LONGEST, draw, selected

SIDEWAYS, FAR = 8, 32
"""Cells that the lines move sideways at a time, and with shift."""

THROUGH_TIME = (("slide", (SIDEWAYS,)), ("slide", (-SIDEWAYS,)), ("scroll_home", ()), ("scroll_end", ()))
"""Actions that give way while the ring ends at an earlier moment: their keys lead through time then."""


class Tail(ScrollView, can_focus=True):
    """A window on the lines that a sieve lets through."""

    DEFAULT_CSS = """
    Tail {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        background: transparent;
    }
    Tail > .tail--time { color: $quiet; }
    Tail > .tail--service { color: $ident; }
    Tail > .tail--quiet { color: $quiet; }
    Tail > .tail--plain { color: $foreground; }
    Tail > .tail--error { color: $danger; }
    Tail > .tail--schema { color: $danger; text-style: bold; }
    Tail > .tail--found { background: $cursor; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tail--time",
        "tail--service",
        "tail--quiet",
        "tail--plain",
        "tail--error",
        "tail--schema",
        "tail--found",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("left", f"slide({-SIDEWAYS})", show=False),
        Binding("right", f"slide({SIDEWAYS})", show=False),
        Binding("shift+left", f"slide({-FAR})", show=False),
        Binding("shift+right", f"slide({FAR})", show=False),
    ]

    following: reactive[bool] = reactive(True)
    """Whether the last line is kept in sight."""
    found: reactive[int | None] = reactive(None)
    """The number of the line that a jump arrived at."""

    @dataclass
    class Followed(Message):
        """It began or ceased to follow the end."""

        tail: "Tail"
        following: bool

        @property
        def control(self) -> "Tail":
            """The tail."""
            return self.tail

    def __init__(self, sieve: Sieve, *, id: str | None = None, focusable: bool = False) -> None:
        super().__init__(id=id)
        self.can_focus = focusable
        self.sieve = sieve
        self._strips: LRUCache[int, Strip] = LRUCache(1024)
        self._service_width = 8
        self._left = 0
        self._moving = False

    def look_through(self, sieve: Sieve) -> None:
        """Show other lines."""
        self.sieve = sieve
        self._strips.clear()
        self.catch_up()
        self.refresh()

    def catch_up(self) -> None:
        """Take note of the lines that have come in; cheap when there are none."""
        gone = self.sieve.catch_up()
        self._fit_services()
        size = Size(self.scrollable_content_region.width, len(self.sieve))
        if size == self.virtual_size and not gone:
            return
        self._moving = True
        try:
            self.virtual_size = size
            if self.following:
                self.scroll_end(animate=False, immediate=True, x_axis=False)
            elif gone:
                self.scroll_to(y=max(self.scroll_offset.y - gone, 0), animate=False, immediate=True)
        finally:
            self._moving = False
        self.refresh()

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self.found = None
        self.scroll_end(animate=False, immediate=True, x_axis=False)

    def jump(self, number: int) -> None:
        """Bring the line with this number of the ring into the middle, and mark it."""
        self.following = False
        self.found = number
        row = self.sieve.row_at(number)
        self.scroll_to(y=max(row - self.size.height // 2, 0), animate=False, immediate=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever looks back goes through time with the keys that lead sideways and to the ends."""
        return self.sieve.ring.until is None or (action, parameters) not in THROUGH_TIME

    def action_slide(self, cells: int) -> None:
        """Move sideways, to read long lines."""
        self._left = min(max(self._left + cells, 0), LONGEST)
        self.refresh()

    def on_resize(self) -> None:
        """Another height: the end is elsewhere."""
        self.catch_up()
        if self.following:
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    def _fit_services(self) -> None:
        width = max((len(name) for name in self.sieve.ring.services), default=8)
        if (width := min(max(width, 7), 18)) != self._service_width:
            self._service_width = width
            self._strips.clear()

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Scrolling up pauses, scrolling to the end follows."""
        super().watch_scroll_y(old, new)
        if not self._moving:
            self.following = new >= self.max_scroll_y

    def watch_following(self, following: bool) -> None:
        """Tell whoever shows it."""
        self.post_message(self.Followed(self, following))

    def notify_style_update(self) -> None:
        """Colours changed: nothing that was drawn holds."""
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.size.width
        row = y + self.scroll_offset.y
        if not len(self.sieve) and y == 0 and self.sieve.filters:
            quiet = self.rich_style + self.get_component_rich_style("tail--quiet")
            return Strip([Segment("No line passes these filters.", quiet)]).adjust_cell_length(width, self.rich_style)
        if row >= len(self.sieve):
            return Strip.blank(width, self.rich_style)
        number = self.sieve.number(row)
        strip = self._strips.get(number)
        if strip is None:
            strip = draw(self.sieve.ring[number], self._service_width, self.get_component_rich_style)
            self._strips[number] = strip
        base = self.rich_style
        if number == self.found:
            base += Style(bgcolor=self.get_component_rich_style("tail--found").bgcolor)
            strip = strip.apply_style(Style(bgcolor=base.bgcolor))
        selection = self.text_selection
        strip = selected(strip, selection.get_span(row) if selection is not None else None)
        return strip.crop_extend(self._left, self._left + width, base).apply_offsets(self._left, row)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that was selected with the mouse: whole lines as they are shown."""
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else len(self.sieve) - 1
        rows = range(max(first, 0), min(last + 1, len(self.sieve)))
        lines = (self.sieve.ring[self.sieve.number(row)] for row in rows)
        style = self.get_component_rich_style
        return "\n".join(draw(line, self._service_width, style).text for line in lines), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self.refresh()
