"""Something went wrong while an intent was carried out: what failed, what state production is in, what helps."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Button, Static

from console.errors import ConsoleError
from screens.dialogs.base import SETTLE, Dialog
from screens.paint import ink
from screens.view import View


class TroubleDialog(Dialog[None]):
    """Shows an error; there is nothing to answer."""

    KEYS: ClassVar[str] = "⏎ or esc back"

    def __init__(self, error: ConsoleError, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._error = error

    def compose(self) -> ComposeResult:
        """The three answers that every error gives."""
        error = self._error
        rows = (("What failed", error.message), ("Production now", error.production), ("What helps", error.remedy))
        with Vertical(id="dialog", classes="-danger"):
            yield Static(ink.line(("✗ This did not work", ink.DANGER_STRONG)), classes="title")
            for label, text in rows:
                if text:
                    yield Static(ink.line((label, ink.QUIET)), classes="label")
                    yield Static(ink.line(text), classes="body")
            yield Button("Back", id="safe", compact=True)

    def safe(self) -> Widget:
        """The way back."""
        return self.query_one("#safe", Button)

    def on_button_pressed(self) -> None:
        """Back."""
        self.dismiss(None)
