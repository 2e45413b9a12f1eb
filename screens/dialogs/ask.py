"""Asks for words: a reason, a note. Where a phrase must be typed, it must be typed exactly."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.dialogs.base import MOVES, SETTLE, Dialog
from screens.leads import Answer, Ask
from screens.paint import ink
from screens.view import View


class AskDialog(Dialog[Answer]):
    """One question, one line for the answer. Declines unless the answer is complete."""

    def __init__(self, ask: Ask, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._ask = ask

    def compose(self) -> ComposeResult:
        """Title, what it means, the lines to fill in, the answers."""
        ask = self._ask
        with Vertical(id="dialog", classes="-danger" if ask.danger else ""):
            yield Static(ink.line((ask.title, ink.STRONG)), classes="title")
            for text in ask.body:
                yield Static(ink.line(text), classes="body")
            yield Static(ink.line((ask.label, ink.QUIET)), classes="label")
            yield Input(ask.proposed, id="words", max_length=2000, compact=True)
            if ask.phrase:
                yield Static(ink.line(("Type ", ink.QUIET), (ask.phrase, ink.DANGER_STRONG)), classes="label")
                yield Input(id="phrase", compact=True)
            yield Static("", id="refusal")
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yield Button(ask.button, id="yes", compact=True, classes="-danger" if ask.danger else "")

    def safe(self) -> Widget:
        """The line for the words: nothing happens before something stands in it."""
        return self.query_one("#words", Input)

    def keys(self) -> str:
        """Enter sends words that can do no harm; a dangerous answer is walked to, a phrase typed."""
        if self._ask.phrase:
            return "⏎ when both stand there · esc not now"
        return MOVES if self._ask.danger else f"⏎ {self._ask.button[:1].lower()}{self._ask.button[1:]} · esc not now"

    @on(Input.Submitted, "#words")
    def _words_done(self) -> None:
        if self._ask.phrase:
            self.query_one("#phrase", Input).focus()
        elif self._ask.danger:
            self.query_one("#safe", Button).focus()
            self._say("⇥ to the answer, then ⏎: this is never said by one key.")
        else:
            self._answer()

    @on(Input.Submitted, "#phrase")
    @on(Button.Pressed, "#yes")
    def _answer(self) -> None:
        words = self.query_one("#words", Input).value.strip()
        typed = self.query_one("#phrase", Input).value if self._ask.phrase else ""
        if not self.settled:
            return
        if self._ask.required and not words:
            self._say(f"{self._ask.label}: a few words are needed for the record.")
            self.query_one("#words", Input).focus()
        elif typed != self._ask.phrase:
            self._say(f"Type {self._ask.phrase} exactly.")
            self.query_one("#phrase", Input).focus()
        else:
            self.dismiss(Answer(words, typed))

    def _say(self, text: str) -> None:
        self.query_one("#refusal", Static).update(ink.line((f"! {text}", ink.NOW)))

    @on(Button.Pressed, "#safe")
    def _decline(self) -> None:
        self.dismiss(None)
