"""The footer: what can be pressed now, the most important first; a click does the same as the key."""

from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from screens.paint import ink


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the footer. `weight` is plain, now or danger; `keep` means that it is never left out."""

    command: str
    key: str
    label: str
    weight: str = "plain"
    keep: bool = False


_KEY_STYLES = {"plain": f"bold {ink.IDENT}", "now": ink.NOW_STRONG, "danger": ink.DANGER_STRONG}
_LABEL_STYLES = {"plain": ink.QUIET, "now": ink.STRONG, "danger": ink.DANGER}
_GAP = 3


class KeyBar(Widget, can_focus=False):
    """One line of keys and labels. What does not fit is left out from the end, but for what is to be kept."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $bar;
        color: $foreground;
    }
    """

    entries: reactive[tuple[Entry, ...]] = reactive(())

    @dataclass
    class Pressed(Message):
        """A key of the footer was clicked."""

        bar: "KeyBar"
        command: str

        @property
        def control(self) -> "KeyBar":
            """The footer."""
            return self.bar

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, str]] = []

    def shown(self, width: int) -> list[Entry]:
        """The entries that fit into `width` cells, in their order."""
        kept = sum(self._width(entry) for entry in self.entries if entry.keep)
        room = width + _GAP - kept
        result: list[Entry] = []
        full = False
        for entry in self.entries:
            if entry.keep:
                result.append(entry)
            elif not full and self._width(entry) <= room:
                room -= self._width(entry)
                result.append(entry)
            else:
                full = True
        return result

    @staticmethod
    def _width(entry: Entry) -> int:
        return Content(entry.key).cell_length + 1 + Content(entry.label).cell_length + _GAP

    def render(self) -> Content:
        """The line."""
        parts: list[Content] = []
        self._places = []
        x = 0
        for entry in self.shown(self.content_size.width):
            key, label = (entry.key, _KEY_STYLES[entry.weight]), (entry.label, _LABEL_STYLES[entry.weight])
            part = ink.line(key, " ", label)
            self._places.append((x, x + part.cell_length, entry.command))
            x += part.cell_length + _GAP
            parts.append(part)
        return Content(" " * _GAP).join(parts)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Always one line."""
        return 1

    def on_click(self, event: Click) -> None:
        """Find the entry under the mouse."""
        x = event.x - self.gutter.left
        for start, end, command in self._places:
            if start <= x < end:
                self.post_message(self.Pressed(self, command))
