"""What every dialog has in common: it cannot be answered by a key that was meant for something else.

A dialog takes no key until it has stood for `settle` seconds in which no key came: a key that is held down, or
was typed ahead, goes nowhere. Then the safe answer gets the focus.
"""

from typing import ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.reactive import var
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button

from screens.once import LeftOnce
from screens.view import View

SETTLE = 0.4
"""Seconds without a key before a dialog listens."""

MOVES = "⇥ or → to the answer, then ⏎ · esc not now"
"""The keys of a question that takes a move to the answer: one key alone never says yes."""

Result = TypeVar("Result")


class Dialog(ModalScreen[Result | None], LeftOnce[Result | None], Generic[Result]):
    """A question over the screen. Escape always declines."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "decline", "Not now", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("y", "to_the_answer", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-usual"), (160, "-huge")]  # noqa: RUF012 (Textual reads a list)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 (Textual reads a list)
    KEYS: ClassVar[str] = MOVES
    """Its keys, told on its lower edge; empty where the dialog tells them elsewhere."""

    view: var[View | None] = var(None, init=False)

    def __init__(self, view: View | None, *, settle: float = SETTLE) -> None:
        super().__init__()
        self.set_reactive(Dialog.view, view)
        self._settle = settle
        self._timer: Timer | None = None
        self.settled = False
        """Whether it listens."""

    @property
    def shown(self) -> View:
        """The view; there always is one where a run is shown."""
        view = self.view
        if view is None:
            raise RuntimeError("a dialog over a run is never without a view")
        return view

    def safe(self) -> Widget:
        """What gets the focus when the dialog listens: the answer that changes nothing."""
        raise NotImplementedError

    def keys(self) -> str:
        """Its keys as they are now."""
        return self.KEYS

    def on_mount(self) -> None:
        """Begin to settle. What was told in passing before must not hide the answers."""
        self.app.clear_notifications()
        for frame in self.query("#dialog"):
            frame.border_subtitle = self.keys()
        self.unsettle()

    def unsettle(self) -> None:
        """Take no key until it has been quiet for a while."""
        self.settled = False
        self.set_focus(None)
        if self._timer is not None:
            self._timer.stop()
        if self._settle <= 0:
            self._listen()
        else:
            self._timer = self.set_timer(self._settle, self._listen)

    def _listen(self) -> None:
        self.settled = True
        self.set_focus(self.safe())

    def on_key(self, event: Key) -> None:
        """Swallow what comes too early; it begins to settle anew."""
        if not self.settled:
            event.stop()
            event.prevent_default()
            self.unsettle()

    def on_paste(self, event: Paste) -> None:
        """What is pasted too early goes nowhere."""
        if not self.settled:
            event.stop()

    def action_to_the_answer(self) -> None:
        """To the button that says yes; it says so only when Enter follows."""
        for button in self.query("#yes").results(Button):
            if self.settled and button.display:
                button.focus()

    def action_decline(self) -> None:
        """Nothing happens."""
        self.dismiss(None)
