"""Several ways on, numbered, each with what it leads to. A number or a click picks one; Enter alone does not."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Button, Static

from screens.dialogs.base import SETTLE, Dialog
from screens.leads import Choose
from screens.paint import ink
from screens.view import View


class ChooseDialog(Dialog[int]):
    """Answers with the number of the option, counted from 0."""

    KEYS: ClassVar[str] = "its key picks one · ↑↓ then ⏎ · esc not now"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"pick({number - 1})", show=False) for number in range(1, 10)),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, choose: Choose, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._choose = choose

    def compose(self) -> ComposeResult:
        """Title, what is known, the options, the way back."""
        with Vertical(id="dialog"):
            yield Static(ink.line((self._choose.title, ink.STRONG)), classes="title")
            with VerticalScroll(classes="body-scroll"):
                for part in self._choose.body:
                    yield Static(part, classes="body")
            for number, option in enumerate(self._choose.options):
                marked = "  recommended" if option.recommended else ""
                style = ink.DANGER_STRONG if option.danger else f"bold {ink.IDENT}"
                key = option.key or str(number + 1)
                label = ink.line((f"{key}  ", style), (option.label, ink.STRONG), (marked, ink.GOOD))
                text = Content.assemble(label, "\n", ink.line((f"   {option.consequence}", ink.QUIET)))
                yield Button(text, id=f"option-{number}", classes="option", compact=True)
            yield Button(ink.line(("esc  ", ink.QUIET), "Not now"), id="safe", classes="option", compact=True)

    def safe(self) -> Widget:
        """The way back."""
        return self.query_one("#safe", Button)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the numbers that are there."""
        if action == "pick":
            return self.settled and int(str(parameters[0])) < len(self._choose.options)
        return True

    def on_key(self, event: Key) -> None:
        """Some options have a key of their own."""
        super().on_key(event)
        for number, option in enumerate(self._choose.options):
            if self.settled and option.key and event.key == option.key:
                event.stop()
                self.dismiss(number)

    def action_pick(self, number: int) -> None:
        """Take an option."""
        self.dismiss(number)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or Enter on an option that somebody moved to."""
        if not self.settled:
            return
        name = event.button.id or "safe"
        self.dismiss(None if name == "safe" else int(name.removeprefix("option-")))
