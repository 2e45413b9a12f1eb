"""Asks before a run is taken over from another driver: who they are must be typed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.dialogs.base import SETTLE, Dialog
from screens.paint import ink


@dataclass(frozen=True, slots=True)
class Rival:
    """Who drives a run, or drove it without leaving: `driver` (`user@host`), what is known of them in a sentence, and
    whether their session is alive."""

    run: str
    driver: str
    known: str
    held: bool


class Reply(StrEnum):
    """What the person wants; escape, and leaving, is None."""

    TAKE_OVER = "take over"
    WATCH = "watch"


class TakeOverDialog(Dialog[Reply]):
    """Take the run over, watch it, or leave it alone. Stands before there is a run to show."""

    KEYS: ClassVar[str] = "⏎ when it stands there · esc leave it alone"

    def __init__(self, rival: Rival, *, settle: float = SETTLE) -> None:
        super().__init__(None, settle=settle)
        self._rival = rival

    def compose(self) -> ComposeResult:
        """Who drives, what taking over does, the name to be typed, the answers."""
        rival = self._rival
        with Vertical(id="dialog", classes="-danger"):
            yield Static(ink.line(("Take this run over?", ink.STRONG)), classes="title")
            yield Static(ink.line(rival.known), classes="body")
            yield Static(ink.line(self._what_becomes()), classes="body")
            yield Static(ink.line(("Type ", ink.QUIET), (rival.driver, ink.DANGER_STRONG)), classes="label")
            yield Input(id="phrase", compact=True)
            yield Static("", id="refusal")
            with Horizontal(classes="answers"):
                yield Button("Watch it", id="safe", compact=True)
                yield Button("Take over", id="yes", compact=True, classes="-danger")

    def _what_becomes(self) -> str:
        if self._rival.held:
            return (
                "Their console begins nothing more from that moment on, comes to its next safe point and watches. What "
                "it was doing is looked for from outside here, and nothing is repeated blindly."
            )
        return (
            "Ask them first. If their console still lives, it goes on by itself with what changes nothing; what it "
            "records is kept beside this record. What was begun is looked for from outside here."
        )

    def safe(self) -> Widget:
        """The line to type in: nothing happens before the name stands there."""
        return self.query_one("#phrase", Input)

    @on(Input.Submitted, "#phrase")
    @on(Button.Pressed, "#yes")
    def _answer(self) -> None:
        if not self.settled:
            return
        if self.query_one("#phrase", Input).value.strip() == self._rival.driver:
            self.dismiss(Reply.TAKE_OVER)
        else:
            refusal = f"! Type {self._rival.driver} exactly: who drives it now."
            self.query_one("#refusal", Static).update(ink.line((refusal, ink.NOW)))
            self.query_one("#phrase", Input).focus()

    @on(Button.Pressed, "#safe")
    def _watch(self) -> None:
        if self.settled:
            self.dismiss(Reply.WATCH)
