"""Asks before the console is left: what runs now, and what becomes of it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Static

from console.domain.summary import production_sentence
from screens.dialogs.base import Dialog
from screens.paint import ink, words


class LeaveDialog(Dialog[bool]):
    """Answers True when the person leaves."""

    KEYS: ClassVar[str] = "⇥ or → to “Leave”, then ⏎ · esc stay"

    def compose(self) -> ComposeResult:
        """What goes on, what becomes of it, the answers."""
        running = self.shown.state.running
        with Vertical(id="dialog", classes="-danger" if running else ""):
            yield Static(ink.line(("Leave the console?", ink.STRONG)), classes="title")
            for step in running:
                time = words.duration(words.elapsed(step, self.shown.now) or 0.0)
                sign = (f"{words.RUNNING.mark} ", words.RUNNING.style)
                yield Static(
                    ink.line(sign, (step.step.title, ink.STRONG), f"  has been running for {time}"), classes="body"
                )
            yield Static(ink.line(self._what_becomes(bool(running))), classes="body")
            if self.shown.state.rehearsal:
                text = "The sandbox goes on running. What ends it stands in the terminal when you have left."
                yield Static(ink.line(text), classes="body")
            yield Static(ink.line((production_sentence(self.shown.state), ink.QUIET)), classes="body")
            with Horizontal(classes="answers"):
                yield Button("Stay", id="safe", compact=True)
                yield Button("Leave", id="yes", compact=True, classes="-danger" if running else "")

    @staticmethod
    def _what_becomes(running: bool) -> str:
        if running:
            return (
                "The run stays open. What the provider does goes on without the console (builds, exports); a migration "
                "that has not committed is rolled back by the database. At the next start the console looks at the "
                "world first, and repeats nothing blindly."
            )
        return "The run stays open and stands where it stands now when the console is started again."

    def safe(self) -> Widget:
        """Staying."""
        return self.query_one("#safe", Button)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        if self.settled:
            self.dismiss(event.button.id == "yes")
