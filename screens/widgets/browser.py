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
    """One entry. `line` and `body` are painted for a width; an item without a key is a heading."""

    key: str
    line: Callable[[int], Content]
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

    def compose(self) -> ComposeResult:
        """List and item."""
        yield Sheet(classes="list")
        yield Sheet(classes="item")

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
        self.query_one(".item", Sheet).scroll_to(y=0, animate=False)
        self._paint()
        self.post_message(self.Chosen(self, key))

    def on_resize(self) -> None:
        """Lines are written for a width."""
        self.call_after_refresh(self._paint)

    def on_sheet_clicked(self, message: Sheet.Clicked) -> None:
        """A click chooses."""
        message.stop()
        if message.sheet.has_class("list") and message.row < len(self._items):
            key = self._items[message.row].key
            if key:
                self.chosen = key

    def _paint(self) -> None:
        if not self.is_mounted:
            return
        left, right = self.query_one(".list", Sheet), self.query_one(".item", Sheet)
        if left.room.width <= 0 or right.room.width <= 0:
            return
        cursor = next((y for y, item in enumerate(self._items) if item.key and item.key == self.chosen), None)
        left.show(
            [item.line(left.room.width) for item in self._items] or [ink.line((self._empty, ink.QUIET))], cursor=cursor
        )
        right.show(self._items[cursor].body(right.room.width) if cursor is not None else [])
