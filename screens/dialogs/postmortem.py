"""Asks who owns the post-mortem and on which day it is; both are needed, and the day must be one."""

from datetime import date
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from console.domain.intents import PlanPostmortem
from screens.dialogs.base import SETTLE, Dialog
from screens.paint import ink
from screens.view import View


class PostmortemDialog(Dialog[PlanPostmortem]):
    """Answers with the intent to plan it."""

    KEYS: ClassVar[str] = "⏎ next line, then plans it · esc not now"

    def __init__(self, step: str, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._step = step

    def compose(self) -> ComposeResult:
        """What it is for, owner and day, the answers."""
        with Vertical(id="dialog"):
            yield Static(ink.line(("Plan the post-mortem", ink.STRONG)), classes="title")
            yield Static(
                ink.line("The draft with timeline, impact and open questions is in the record."), classes="body"
            )
            yield Static(ink.line(("Owner: who calls it and writes it up", ink.QUIET)), classes="label")
            yield Input(id="owner", compact=True, max_length=200)
            yield Static(ink.line(("Day, as 2026-02-11", ink.QUIET)), classes="label")
            yield Input(id="day", compact=True, max_length=10)
            yield Static("", id="refusal")
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yield Button("Plan it", id="yes", compact=True)

    def safe(self) -> Widget:
        """The owner: nothing is planned before a name stands there."""
        return self.query_one("#owner", Input)

    @on(Input.Submitted, "#owner")
    def _owner_named(self) -> None:
        if self.settled:
            self.query_one("#day", Input).focus()

    @on(Button.Pressed, "#safe")
    def _decline(self) -> None:
        if self.settled:
            self.dismiss(None)

    @on(Input.Submitted, "#day")
    @on(Button.Pressed, "#yes")
    def _answer(self) -> None:
        if not self.settled:
            return
        owner, day = (self.query_one(f"#{field}", Input).value.strip() for field in ("owner", "day"))
        today = self.shown.now.astimezone().date()
        planned = _day(day)
        if not owner:
            self._say("A post-mortem needs an owner.", "#owner")
        elif planned is None:
            self._say(f"“{day}” is no day. Write it as {today.isoformat()}.", "#day")
        elif planned < today:
            self._say(f"{planned.isoformat()} is over already.", "#day")
        else:
            self.dismiss(PlanPostmortem(self._step, owner, planned.isoformat()))

    def _say(self, text: str, field: str) -> None:
        self.query_one("#refusal", Static).update(ink.line((f"! {text}", ink.NOW)))
        self.query_one(field, Input).focus()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
