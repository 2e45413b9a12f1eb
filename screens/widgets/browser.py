"""A list at the left and the chosen item at the right: the shape of sign-off, warnings and preflight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import var

from screens.paint import ink
from screens.widgets.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Item:
    """One entry. `line` (one line, or the few that a long one takes) and `body` are painted for a width.

    An item without a key is a heading.
    """

    key: str
    line: Callable[[int], Content | list[Content]]
    body: Callable[[int], list[Content]]


class Browser(Horizontal):
    """Shows items; `chosen` is the key of the one whose body is shown."""

    DEFAULT_CSS = """
    Browser { height: 1fr; }
    """

    chosen: var[str] = var("", init=False)

    @dataclass
    class Chosen(Message):
        """Another item was chosen."""

        browser: "Browser"
        key: str

        @property
        def control(self) -> "Browser":
            """The browser."""
            return self.browser

    def __init__(self, empty: str) -> None:
        super().__init__()
        self._empty = empty
        self._items: Sequence[Item] = ()
        self._rows: list[str] = []
        """The key of the item on each row of the list."""
        # Held, not looked for: entries also come while it is being built or taken down.
        self._list, self._item = Sheet(classes="list"), Sheet(classes="item")

    def compose(self) -> ComposeResult:
        """List and item."""
        yield self._list
        yield self._item

    def show(self, items: Sequence[Item]) -> None:
        """Replace the items; the choice stays where it can."""
        self._items = items
        keys = [item.key for item in items if item.key]
        if self.chosen not in keys:
            self.chosen = keys[0] if keys else ""
        self._paint()

    def move(self, by: int) -> None:
        """Choose the item above or below."""
        keys = [item.key for item in self._items if item.key]
        if keys:
            place = keys.index(self.chosen) if self.chosen in keys else 0
            self.chosen = keys[min(max(place + by, 0), len(keys) - 1)]

    def watch_chosen(self, key: str) -> None:
        """Show the other body."""
        self._item.scroll_to(y=0, animate=False)
        self._paint()
        self.post_message(self.Chosen(self, key))

    def on_resize(self) -> None:
        """Lines are written for a width."""
        self.call_after_refresh(self._paint)

    def on_sheet_clicked(self, message: Sheet.Clicked) -> None:
        """A click chooses."""
        message.stop()
        if message.sheet.has_class("list") and message.row < len(self._rows):
            key = self._rows[message.row]
            if key:
                self.chosen = key

    def _paint(self) -> None:
        if not self.is_mounted:
            return
        left, right = self._list, self._item
        if left.room.width <= 0 or right.room.width <= 0:
            return
        lines: list[Content] = []
        self._rows = []
        for item in self._items:
            painted = item.line(left.room.width)
            lines += [painted] if isinstance(painted, Content) else painted
            self._rows += [item.key] * (len(lines) - len(self._rows))
        chosen = next((item for item in self._items if item.key and item.key == self.chosen), None)
        cursor = self._rows.index(chosen.key) if chosen is not None else None
        tall = self._rows.count(chosen.key) if chosen is not None else 1
        left.show(lines or [ink.line((self._empty, ink.QUIET))], cursor=cursor, tall=tall)
        right.show(chosen.body(right.room.width) if chosen is not None else [])
