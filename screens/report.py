"""The record: the plan's own document, filled in from the journal so far."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widget import MountError
from textual.widgets import Markdown

from console.domain.untrusted import safe
from console.errors import ConsoleError
from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.view import View
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header


class ReportScreen(ConsoleScreen):
    """Renders the document when it is opened."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "report"

    def __init__(self, desk: Desk, view: View, report: Callable[[], Awaitable[str]]) -> None:
        super().__init__(desk, view)
        self._report = report
        self._document = VerticalScroll(id="document")
        self._text = Markdown("▶ Writing the record…", open_links=False)

    def compose(self) -> ComposeResult:
        """Header, document, keys."""
        yield Header().data_bind(ReportScreen.view)
        with self._document:
            yield self._text
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin to write."""
        self.run_worker(self._write(), name="report")

    async def _write(self) -> None:
        try:
            text = await self._report()
        except ConsoleError as error:
            text = f"**The record could not be written.** {error.message}\n\n{error.remedy}"
        shown = "\n".join(_ticked(safe(part)) for part in text.split("\n"))
        try:
            await self._text.update(shown)
        except MountError:
            # Left while the document was being laid out: there is nothing any more to show it on.
            if self._text.is_attached:
                raise
        else:
            self._document.focus()


def _ticked(line: str) -> str:
    """Check boxes with the console's own signs."""
    return line.replace("- [x]", "- ✔", 1).replace("- [ ]", "- ○", 1)
