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
    """One line of keys and labels. From the end on, what does not fit stands there by its key alone, while it fits."""

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

    def shown(self, width: int) -> list[tuple[Entry, bool]]:
        """The entries that fit into `width` cells, in their order, and whether each has its label."""
        room = width + _GAP - sum(self._width(entry) for entry in self.entries if entry.keep)
        if sum(map(self._width, self.entries)) > width + _GAP:
            room -= _GAP - 1  # the first that stands by its key alone is as far from its neighbour as the others
        result: list[tuple[Entry, bool]] = []
        for number, entry in enumerate(self.entries):
            left = sum(self._bare(other) for other in self.entries[number + 1 :] if not other.keep)
            if entry.keep:
                result.append((entry, True))
            elif self._width(entry) <= room - (left if room > left else 0):
                room -= self._width(entry)
                result.append((entry, True))
            elif self._bare(entry) <= room:
                room -= self._bare(entry)
                result.append((entry, False))
        return result

    @staticmethod
    def _bare(entry: Entry) -> int:
        return Content(entry.key).cell_length + 1

    @staticmethod
    def _width(entry: Entry) -> int:
        return Content(entry.key).cell_length + 1 + Content(entry.label).cell_length + _GAP

    def render(self) -> Content:
        """The line."""
        parts: list[Content] = []
        self._places = []
        x = 0
        labelled_before = True
        for entry, labelled in self.shown(self.content_size.width):
            key, label = (entry.key, _KEY_STYLES[entry.weight]), (entry.label, _LABEL_STYLES[entry.weight])
            gap = 0 if not parts else _GAP if labelled or labelled_before else 1
            part = ink.line(key, " ", label) if labelled else ink.line(key)
            x += gap
            self._places.append((x, x + part.cell_length, entry.command))
            x += part.cell_length
            parts.append(Content.assemble(" " * gap, part))
            labelled_before = labelled
        return Content.assemble(*parts)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Always one line."""
        return 1

    def on_click(self, event: Click) -> None:
        """Find the entry under the mouse."""
        x = event.x - self.gutter.left
        for start, end, command in self._places:
            if start <= x < end:
                self.post_message(self.Pressed(self, command))
