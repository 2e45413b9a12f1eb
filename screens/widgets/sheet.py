"""A sheet: lines that were painted elsewhere, shown one below the other; it scrolls when they do not fit.

Lines are never wrapped here (whoever paints them knows the width) and only what changed is drawn anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import Visual


class Sheet(ScrollView, can_focus=False):
    """Shows a list of lines. Subclasses paint; `cursor` is the line to be marked and kept in sight."""

    DEFAULT_CSS = """
    Sheet {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-gutter: stable;
        background: transparent;
    }
    Sheet > .sheet--cursor { background: $cursor; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"sheet--cursor"}

    @dataclass
    class Clicked(Message):
        """A line was clicked; `row` counts from 0."""

        sheet: "Sheet"
        row: int

        @property
        def control(self) -> "Sheet":
            """The sheet."""
            return self.sheet

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Content] = []
        self._cursor: int | None = None
        self._marked = range(0)

    @property
    def room(self) -> Size:
        """The cells in which lines can be written."""
        return self.scrollable_content_region.size

    @property
    def lines(self) -> Sequence[Content]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Content], *, cursor: int | None = None, tall: int = 1) -> None:
        """Replace the lines, and the line that is marked; `tall` is over how many lines the mark reaches."""
        old, old_cursor, old_marked = self._lines, self._cursor, self._marked
        self._lines, self._cursor = list(lines), cursor
        self._marked = range(0) if cursor is None else range(cursor, cursor + tall)
        size = Size(self.room.width, len(self._lines))
        if size != self.virtual_size:
            taller = size.height != self.virtual_size.height
            self.virtual_size = size
            self.clear_cached_dimensions()
            self.refresh(layout=taller and self.styles.auto_dimensions)
        else:
            changed = [y for y, pair in enumerate(zip(old, self._lines, strict=True)) if not pair[0].is_same(pair[1])]
            for y in {*changed, *({*old_marked, *self._marked} if old_marked != self._marked else set())}:
                self.refresh_line(y)
        if cursor is not None and cursor != old_cursor:
            self.reveal(self._marked[-1])
            self.reveal(cursor)

    def reveal(self, row: int) -> None:
        """Scroll as little as needed to bring a line into sight, with one line of margin."""
        height = self.room.height
        if height <= 0:
            return
        top = round(self.scroll_target_y)
        if row < top + 1:
            self.scroll_to(y=max(row - 1, 0), animate=False)
        elif row > top + height - 2:
            self.scroll_to(y=row - height + 2, animate=False)

    def refresh_line(self, row: int) -> None:
        """Draw one line anew."""
        self.refresh_lines(row, 1)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.size.width
        row = y + self.scroll_offset.y
        style = self.get_visual_style("sheet--cursor") if row in self._marked else self.visual_style
        if row >= len(self._lines):
            return Strip.blank(width, style.rich_style)
        content = self._selected(self._lines[row], row)
        strips = Visual.to_strips(self, content, max(width, 1), 1, style, apply_selection=False)
        strip = strips[0] if strips else Strip.blank(width)
        return strip.adjust_cell_length(width, style.rich_style).apply_offsets(0, row)

    def _selected(self, content: Content, row: int) -> Content:
        selection = self.text_selection
        span = selection.get_span(row) if selection is not None else None
        if span is None:
            return content
        start, end = span
        return content.stylize("reverse", start, len(content) if end == -1 else end)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that was selected with the mouse."""
        return selection.extract("\n".join(line.plain for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Say which line was clicked."""
        row = event.y + self.scroll_offset.y
        if row < len(self._lines):
            self.post_message(self.Clicked(self, row))
