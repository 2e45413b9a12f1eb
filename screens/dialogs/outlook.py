"""What a step will do, as the confirmation shows it: being looked at, certain, or impossible as things are."""

from collections.abc import Sequence

from textual.content import Content

from console.domain.outcome import Preview
from screens.paint import blocks, ink
from screens.widgets.sheet import Sheet


class Outlook(Sheet):
    """The preview in full. It is certain only once it was looked at for this dialog, and nothing stands against it."""

    def __init__(self, preview: Preview | None) -> None:
        super().__init__(id="preview")
        self._preview = preview
        self._looking = True
        self._hindrance: tuple[str, str, tuple[str, ...]] | None = None

    @property
    def certain(self) -> bool:
        """Whether a yes can be given to what stands here."""
        return not self._looking and self._hindrance is None

    @property
    def hindered(self) -> bool:
        """Whether it was looked at and cannot be done as things are."""
        return self._hindrance is not None

    @property
    def uncertainty(self) -> str:
        """Why no yes can be given."""
        return "Still looking at what it will do." if self._looking else "It cannot be done as things are."

    def foresee(self, preview: Preview | None) -> None:
        """Show what it will do."""
        self._preview = preview
        self._paint()

    def looked(self) -> None:
        """It was looked at just now."""
        self._looking = False
        self._paint()

    def cannot(self, message: str, remedy: str, lines: Sequence[str] = ()) -> None:
        """Looking failed: why, the details (files in conflict, for one), and what helps."""
        self._looking = False
        self._hindrance = (message, remedy, tuple(line for line in lines if line not in message))
        self._paint()

    def on_resize(self) -> None:
        """Lines are written for a width."""
        self._paint()

    def _paint(self) -> None:
        width = self.room.width if self.is_mounted else 0
        if width <= 0:
            return
        lines: list[Content] = []
        if self._looking:
            lines += [ink.line(("▶ Looking at what it will do…", ink.NOW_STRONG)), ink.BLANK]
        if self._hindrance is not None:
            lines += [ink.line(("✗ It cannot be done as things are", ink.DANGER_STRONG))]
            message, remedy, details = self._hindrance
            lines += [*ink.paragraphs([message], width), *ink.paragraphs(details, width, ink.STRONG)]
            if remedy:
                lines += [ink.BLANK, ink.heading("What helps"), *ink.paragraphs([remedy], width)]
        elif self._preview is not None:
            lines += blocks.preview(self._preview, width)
        self.show(lines)
