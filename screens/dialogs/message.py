"""Words to the stakeholders before they go out: subject and text can be edited, then they are sent."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static, TextArea

from console.domain.incident import MessageState
from console.domain.intents import SendMessage
from screens.dialogs.base import SETTLE, Dialog
from screens.paint import ink
from screens.paint.messages import where_it_goes
from screens.view import View


class MessageDialog(Dialog[SendMessage]):
    """Answers with the message as it is to be sent."""

    KEYS: ClassVar[str] = "⇥ moves · ^s sends · esc not now"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "send", "Send", show=False, priority=True),
    ]

    def __init__(self, message: str, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._message: MessageState = view.state.messages[message]

    def compose(self) -> ComposeResult:
        """Where it goes, subject, text, the answers."""
        message = self._message
        by_hand = not self.shown.state.plan.channels
        with Vertical(id="dialog", classes="-large"):
            yield Static(ink.line(("Tell the stakeholders", ink.STRONG)), classes="title")
            yield Static(where_it_goes(self.shown.state, message), classes="body")
            yield Static(ink.line(("Subject", ink.QUIET)), classes="label")
            yield Input(message.subject, id="subject", compact=True, max_length=500)
            yield Static(ink.line(("Text", ink.QUIET)), classes="label")
            yield TextArea(message.text, id="text", compact=True, tab_behavior="focus", highlight_cursor_line=False)
            yield Static("", id="refusal")
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yield Button("I have sent it by hand" if by_hand else "Send it", id="yes", compact=True)

    def safe(self) -> Widget:
        """The answer that sends nothing."""
        return self.query_one("#safe", Button)

    def action_send(self) -> None:
        """Send what stands here."""
        self._answer()

    @on(Button.Pressed, "#safe")
    def _decline(self) -> None:
        if self.settled:
            self.dismiss(None)

    @on(Button.Pressed, "#yes")
    def _answer(self) -> None:
        if not self.settled:
            return
        subject, text = self.query_one("#subject", Input).value.strip(), self.query_one("#text", TextArea).text.strip()
        if subject and text:
            self.dismiss(SendMessage(self._message.id, subject, text))
        else:
            missing = "a subject" if not subject else "a text"
            self.query_one("#refusal", Static).update(ink.line((f"! A message needs {missing}.", ink.NOW)))
            self.query_one("#text" if subject else "#subject").focus()
