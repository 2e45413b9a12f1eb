"""Takes the yes to a step that changes production, bound to the digest of exactly what is shown.

Two strengths. *Ask*: the safe button has the focus; the person has to move to the other one. *Type*: the phrase
must stand there exactly, then Enter. When the facts change under the dialog, whatever was typed is gone and the
dialog settles anew.
"""

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
from screens.dialogs.base import SETTLE, Dialog
from screens.paint import blocks, ink
from screens.paint.header import badge
from screens.view import View
from screens.widgets.sheet import Sheet


class ConfirmDialog(Dialog[Confirm]):
    """Answers with the confirmation of one step."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_body(-1)", show=False),
        Binding("down", "scroll_body(1)", show=False),
        Binding("pageup", "scroll_body(-10)", show=False),
        Binding("pagedown", "scroll_body(10)", show=False),
    ]

    def __init__(self, step: str, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._step = step
        self._digest = self._now.preview_digest
        self._looking = True
        self._hindrance: tuple[str, str] | None = None

    @property
    def _now(self) -> StepState:
        return self.shown.state.steps[self._step]

    @property
    def _asked(self) -> Confirmation:
        return self._now.step.confirmation or Confirmation(Strength.ASK)

    def compose(self) -> ComposeResult:
        """Where, what, and the two answers."""
        with Vertical(id="dialog", classes="-large -danger"):
            yield Static(self._title(), classes="title")
            yield Sheet(id="preview")
            yield Static("", id="refusal")
            if self._asked.strength is Strength.TYPE:
                yield Static(self._instruction(), classes="label")
                yield Input(id="phrase", compact=True)
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yield Button(self._verb(), id="yes", compact=True, classes="-danger")
                yield Static(ink.line(("↑↓ read on   esc not now", ink.QUIET)), classes="hint")

    def _title(self) -> Content:
        ahead = "  ahead: it starts by itself when the steps before it are over" if self._ahead() else ""
        return Content.assemble(badge(self.shown), "  ", ink.line((self._now.step.title, ink.STRONG), (ahead, ink.NOW)))

    def _instruction(self) -> Content:
        phrase = (self._asked.phrase, ink.DANGER_STRONG)
        return ink.line(("To say yes, type ", ink.QUIET), phrase, (" and press Enter", ink.QUIET))

    def _ahead(self) -> bool:
        return self._now.status is StepStatus.WAITING

    def _verb(self) -> str:
        return "Yes, as soon as it may start" if self._ahead() else "Yes, do it"

    def safe(self) -> Widget:
        """The safe button, or the line in which a phrase has yet to be typed."""
        typed = self._asked.strength is Strength.TYPE
        return self.query_one("#phrase", Input) if typed else self.query_one("#safe", Button)

    def on_mount(self) -> None:
        """Show what is to be confirmed."""
        self._paint()

    def on_resize(self) -> None:
        """Write the lines for the new width."""
        self.call_after_refresh(self._paint)

    def watch_view(self) -> None:
        """The step may have changed, or what it will do."""
        if self._now.status not in (StepStatus.WAITING, StepStatus.READY):
            failed_to_look = self._now.status is StepStatus.FAILED and (self._looking or self._hindrance is not None)
            if not failed_to_look:
                self.dismiss(None)
        elif self._now.preview_digest != self._digest:
            self._digest = self._now.preview_digest
            if not self._looking:
                self._say("What it will do has changed while you were reading. Read it again.")
            self._void()
        else:
            self._paint()

    def looked(self, view: View) -> None:
        """It was looked at just now: the yes can be given to what stands here."""
        if not self.is_mounted:
            self.set_reactive(Dialog.view, view)
            self._digest = self._now.preview_digest
            self._looking = False
        elif self.is_attached:
            self.view = view
            self._looking = False
            self._say("")
            self._paint()

    def cannot(self, message: str, remedy: str) -> None:
        """Looking failed: there is nothing to say yes to."""
        self._looking = False
        self._hindrance = (message, remedy)
        if self.is_mounted and self.is_attached:
            self._paint()

    def _void(self) -> None:
        for field in self.query(Input):
            field.value = ""
        self.unsettle()
        self._paint()

    def _paint(self) -> None:
        sheet = self.query_one("#preview", Sheet)
        preview = self._now.preview
        width = sheet.room.width
        if width <= 0:
            return
        lines: list[Content] = []
        if self._hindrance is not None:
            lines += [ink.line(("✗ It cannot be done as things are", ink.DANGER_STRONG))]
            lines += ink.paragraphs([text for text in self._hindrance if text], width)
        elif preview is not None:
            lines += blocks.preview(preview, width)
        if self._looking:
            lines = [ink.line(("▶ Looking at what it will do…", ink.NOW_STRONG)), ink.BLANK, *lines]
        sheet.show(lines)

    def action_scroll_body(self, lines: int) -> None:
        """Read on."""
        self.query_one("#preview", Sheet).scroll_relative(y=lines, animate=False)

    @on(Button.Pressed, "#safe")
    def _decline(self) -> None:
        if self.settled:
            self.dismiss(None)

    @on(Button.Pressed, "#yes")
    @on(Input.Submitted, "#phrase")
    def _answer(self) -> None:
        if not self.settled:
            return
        typed = self.query_one("#phrase", Input).value if self._asked.strength is Strength.TYPE else ""
        preview = self._now.preview
        if self._looking:
            self._say("Still looking at what it will do.")
        elif preview is None or self._digest is None or self._hindrance is not None:
            self._say("It cannot be done as things are.")
        elif typed != self._asked.phrase and self._asked.strength is Strength.TYPE:
            self._say(f"“{typed}” is not “{self._asked.phrase}”." if typed else f"Type {self._asked.phrase} first.")
            self.query_one("#phrase", Input).focus()
        else:
            limits = {reading.label: reading.limit for reading in preview.readings if reading.limit is not None}
            self.dismiss(Confirm(self._step, self._digest, typed, limits))

    def _say(self, text: str) -> None:
        self.query_one("#refusal", Static).update(ink.line((f"! {text}" if text else "", ink.NOW_STRONG)))
