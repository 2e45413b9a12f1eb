"""A way back in full, and the choice of it: bound to the assessment that stands here.

A way that is not the recommended one needs a reason; one that does not restore service says so in the colour of danger.
When production is looked at anew under the dialog, it shows the new figures and settles anew.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from console.domain.intents import ChooseWay
from console.domain.standing import Assessment, Way, WayBack
from screens.dialogs.base import MOVES, SETTLE, Dialog
from screens.paint import ink
from screens.paint.header import badge
from screens.paint.ways_back import full, rows_lost
from screens.view import View
from screens.widgets.panes import Pane


class WayInFull(Pane):
    """The way as it is offered now."""

    def __init__(self, way: Way) -> None:
        super().__init__(id="preview")
        self._way = way

    def paint(self, view: View) -> None:
        """Everything that is known of it."""
        assessment = view.assessment
        offer = assessment.offer(self._way) if assessment is not None else None
        if assessment is not None and offer is not None:
            self.show(full(view, offer, assessment, self.room.width))


class WayDialog(Dialog[ChooseWay]):
    """Answers with the choice of one way."""

    KEYS: ClassVar[str] = f"↑↓ read on · {MOVES}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "read(-1)", show=False),
        Binding("down", "read(1)", show=False),
        Binding("pageup", "read(-10)", show=False),
        Binding("pagedown", "read(10)", show=False),
    ]

    def __init__(self, way: str, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._way = Way(way)
        self._assessed = self._assessment.at if self._assessment is not None else ""
        offer = self._offer
        self._needs_reason = offer is not None and not offer.recommended

    @property
    def _assessment(self) -> Assessment | None:
        return self.shown.assessment

    @property
    def _offer(self) -> WayBack | None:
        assessment = self._assessment
        return assessment.offer(self._way) if assessment is not None else None

    def compose(self) -> ComposeResult:
        """Where, the way in full, what stands against it, the two answers."""
        offer = self._offer
        dear = offer is not None and (not offer.restores or rows_lost(offer) != 0)
        with Vertical(id="dialog", classes="-large -danger" if dear else "-large"):
            title = Content.assemble(badge(self.shown), "  ", ink.line(("Choose this way back?", ink.STRONG)))
            yield Static(title, classes="title")
            yield WayInFull(self._way).data_bind(WayDialog.view)
            if offer is not None:
                yield Static(warning(offer), id="against")
            yield Static("", id="refusal")
            if self._needs_reason:
                label = "Why this way, and not the recommended one (it stands in the record)"
                yield Static(ink.line((label, ink.QUIET)), classes="label")
                yield Input(id="words", max_length=2000, compact=True)
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yield Button("Go this way", id="yes", compact=True, classes="-danger" if dear else "")

    def safe(self) -> Widget:
        """The safe button, or the line in which a reason has yet to be written."""
        return self.query_one("#words", Input) if self._needs_reason else self.query_one("#safe", Button)

    def watch_view(self) -> None:
        """Somebody may have chosen meanwhile, or production was looked at anew."""
        assessment, offer = self._assessment, self._offer
        if self.shown.state.rollback is not None or assessment is None or offer is None or not offer.applies:
            self.dismiss(None)
        elif assessment.at != self._assessed:
            self._assessed = assessment.at
            self._say("Production was looked at anew while you were reading. Read it again.")
            self.query_one("#against", Static).update(warning(offer))
            self.unsettle()

    def action_read(self, lines: int) -> None:
        """Read on, or back."""
        self.query_one(WayInFull).scroll_relative(y=lines, animate=False)

    @on(Button.Pressed, "#safe")
    def _decline(self) -> None:
        if self.settled:
            self.dismiss(None)

    @on(Input.Submitted, "#words")
    def _reason_given(self) -> None:
        if self.settled:
            self.query_one("#safe", Button).focus()
            self._say("Move to the answer (→) and press Enter.")

    @on(Button.Pressed, "#yes")
    def _answer(self) -> None:
        if not self.settled:
            return
        reason = self.query_one("#words", Input).value.strip() if self._needs_reason else ""
        if self._needs_reason and not reason:
            self._say("Say why this way is chosen: a few words are needed for the record.")
            self.query_one("#words", Input).focus()
        else:
            self.dismiss(ChooseWay(self._way.value, self._assessed, reason))

    def _say(self, text: str) -> None:
        self.query_one("#refusal", Static).update(ink.line((f"! {text}", ink.NOW_STRONG)))


def warning(offer: WayBack) -> Content:
    """What stands against a way, in one line; blank for one that costs nothing and restores service."""
    if not offer.restores:
        return ink.line(("✗ This way does not restore service.", ink.DANGER_STRONG))
    rows = rows_lost(offer)
    if rows is None:
        return ink.line(("! What users wrote since is lost, and nobody could count it.", ink.DANGER_STRONG))
    if rows:
        return ink.line(
            (f"! {rows:,} rows that users wrote are lost.", ink.DANGER_STRONG), "  Counted anew at the fence."
        )
    return ink.line(("Steps marked ◆ ask again; the others start by themselves.", ink.QUIET))
