"""Takes the yes to a step that changes production, bound to the digest of exactly what is shown.

Two strengths. *Ask*: the safe button has the focus; the person has to move to the other one. *Type*: the phrase
must stand there exactly, then Enter. No yes is taken before the step was looked at for this dialog; when the facts
change under it, whatever was typed is gone and the dialog settles anew.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from console.domain.intents import Confirm
from console.domain.plan import Confirmation, Strength
from console.domain.state import StepState, StepStatus
from screens.dialogs.base import MOVES, SETTLE, Dialog
from screens.dialogs.outlook import Outlook
from screens.paint import ink
from screens.paint.header import badge
from screens.view import View


class ConfirmDialog(Dialog[Confirm]):
    """Answers with the confirmation of one step."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "read(-1)", show=False),
        Binding("down", "read(1)", show=False),
        Binding("pageup", "read(-10)", show=False),
        Binding("pagedown", "read(10)", show=False),
    ]

    def __init__(self, step: str, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._which = step
        self._asked = self._step.step.confirmation or Confirmation(Strength.ASK)
        self._digest = self._step.preview_digest
        self._outlook = Outlook(self._step.preview)

    @property
    def _step(self) -> StepState:
        return self.shown.state.steps[self._which]

    def compose(self) -> ComposeResult:
        """Where, what, and the two answers."""
        ahead = self._step.status is StepStatus.WAITING
        with Vertical(id="dialog", classes="-large -danger"):
            yield Static(_title(self.shown, self._step, ahead), classes="title")
            yield self._outlook
            yield Static("", id="refusal")
            if self._asked.strength is Strength.TYPE:
                yield Static(_instruction(self._asked.phrase), id="instruction", classes="label")
                yield Input(id="phrase", compact=True)
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yes = "Yes, as soon as it may start" if ahead else "Yes, do it"
                yield Button(yes, id="yes", compact=True, classes="-danger")

    def safe(self) -> Widget:
        """The safe button, or the line in which a phrase has yet to be typed."""
        typed = self._asked.strength is Strength.TYPE and not self._outlook.hindered
        return self.query_one("#phrase", Input) if typed else self.query_one("#safe", Button)

    def keys(self) -> str:
        """What leads to a yes, where there can be one."""
        if self._outlook.hindered:
            return "↑↓ read on · ⏎ or esc back"
        typed = self._asked.strength is Strength.TYPE
        return "↑↓ read on · type it, then ⏎ · esc not now" if typed else f"↑↓ read on · {MOVES}"

    def on_mount(self) -> None:
        """It may have turned out impossible before it stood."""
        if self._outlook.hindered:
            self._nothing_to_say_yes_to()
        super().on_mount()

    def watch_view(self) -> None:
        """The step may have moved on, or what it will do may have changed."""
        status = self._step.status
        if status not in (StepStatus.WAITING, StepStatus.READY):
            if status is not StepStatus.FAILED or self._outlook.certain:
                self.dismiss(None)
        elif self._step.preview_digest != self._digest:
            read = self._outlook.certain
            self._take_preview()
            if read:
                # What was typed stood for what was read; what was typed while nothing was there yet may stay.
                self._say("What it will do has changed while you were reading. Read it again.")
                for field in self.query(Input):
                    field.value = ""
            self.unsettle()

    def looked(self, view: View) -> None:
        """It was looked at just now: the yes can be given to what stands here."""
        if self.is_mounted and self.is_attached:
            self.view = view
            self._say("")
        else:
            self.set_reactive(Dialog.view, view)
        self._take_preview()
        self._outlook.looked()

    def cannot(self, message: str, remedy: str, lines: Sequence[str] = ()) -> None:
        """Looking failed: there is nothing to say yes to, and nothing to type. `lines` are its details."""
        self._outlook.cannot(message, remedy, lines)
        if self.is_mounted and self.is_attached:
            self._nothing_to_say_yes_to()

    def _nothing_to_say_yes_to(self) -> None:
        for part in self.query("#phrase, #instruction, #yes, #refusal"):
            part.display = False
        self.query_one("#safe", Button).label = "Back"
        self.query_one("#dialog").border_subtitle = self.keys()
        if self.settled:
            self.set_focus(self.safe())

    def _take_preview(self) -> None:
        self._digest = self._step.preview_digest
        self._outlook.foresee(self._step.preview)

    def action_read(self, lines: int) -> None:
        """Read on, or back."""
        self._outlook.scroll_relative(y=lines, animate=False)

    @on(Button.Pressed, "#safe")
    def _decline(self) -> None:
        if self.settled:
            self.dismiss(None)

    @on(Button.Pressed, "#yes")
    @on(Input.Submitted, "#phrase")
    def _answer(self) -> None:
        if not self.settled:
            return
        typing = self._asked.strength is Strength.TYPE
        typed = self.query_one("#phrase", Input).value if typing else ""
        preview = self._step.preview
        if not self._outlook.certain or preview is None or self._digest is None:
            self._say(self._outlook.uncertainty)
        elif typing and typed != self._asked.phrase:
            self._say(f"“{typed}” is not “{self._asked.phrase}”." if typed else f"Type {self._asked.phrase} first.")
            self.safe().focus()
        else:
            limits = {reading.label: reading.limit for reading in preview.readings if reading.limit is not None}
            self.dismiss(Confirm(self._which, self._digest, typed, limits))

    def _say(self, text: str) -> None:
        self.query_one("#refusal", Static).update(ink.line((f"! {text}" if text else "", ink.NOW_STRONG)))


def _title(view: View, step: StepState, ahead: bool) -> Content:
    how = "  ahead: it starts by itself when the steps before it are over" if ahead else ""
    return Content.assemble(badge(view), "  ", ink.line((step.step.title, ink.STRONG), (how, ink.NOW)))


def _instruction(phrase: str) -> Content:
    return ink.line(("To say yes, type ", ink.QUIET), (phrase, ink.DANGER_STRONG), (" and press Enter", ink.QUIET))
