"""Takes a signature by voice: whose, approved or refused, bound to the plan and the commit that stand there."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from console.domain.intents import Sign
from console.domain.released import release_commit
from console.domain.signing import drove
from screens.dialogs.base import SETTLE, Dialog
from screens.paint import ink, words
from screens.view import View


class SignDialog(Dialog[Sign]):
    """Answers with the intent to sign, approving or refusing."""

    KEYS: ClassVar[str] = "⏎ next line · ⇥ or → to the answer, then ⏎ · esc not now"

    def __init__(self, role: str, view: View, *, settle: float = SETTLE) -> None:
        super().__init__(view, settle=settle)
        self._role = role

    def compose(self) -> ComposeResult:
        """Who signs what, the name, the words, the answers."""
        state = self.shown.state
        signoff = state.signoffs[self._role]
        commit = release_commit(state)
        bound = ink.line(
            ("Bound to plan ", ink.QUIET),
            (state.plan_digest[:12] or "–", ink.IDENT),
            ("  commit ", ink.QUIET),
            (words.short(commit) or "none yet", ink.IDENT),
        )
        with Vertical(id="dialog"):
            yield Static(ink.line((f"Signature: {signoff.title}", ink.STRONG)), classes="title")
            yield Static(bound, classes="body")
            yield Static(
                ink.line(f"Recorded as given by voice, by {state.driver or 'whoever drives'}."), classes="body"
            )
            if state.plan.four_eyes:
                yield Static(ink.line("Four eyes are asked for: nobody who has driven signs."), classes="body")
            met = sum(1 for criterion in state.criteria.values() if criterion.met)
            yield Static(ink.line(f"{met} of {len(state.criteria)} success criteria are met."), classes="body")
            yield Static(ink.line(("Name", ink.QUIET)), classes="label")
            yield Input(id="name", compact=True, max_length=200)
            yield Static(ink.line(("Words (a refusal needs them)", ink.QUIET)), classes="label")
            yield Input(id="words", compact=True, max_length=2000)
            yield Static("", id="refusal")
            with Horizontal(classes="answers"):
                yield Button("Not now", id="safe", compact=True)
                yield Button("✔ Approve", id="approve", compact=True)
                yield Button("✗ Refuse", id="refuse", compact=True, classes="-danger")

    def safe(self) -> Widget:
        """The name: nothing is signed before it stands there."""
        return self.query_one("#name", Input)

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        following = "#words" if event.input.id == "name" else "#safe"
        self.query_one(following).focus()

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        if not self.settled:
            return
        name, note = (self.query_one(f"#{field}", Input).value.strip() for field in ("name", "words"))
        approve = event.button.id == "approve"
        if event.button.id == "safe":
            self.dismiss(None)
        elif not name:
            self._say("A signature needs a name.", "#name")
        elif self.shown.state.plan.four_eyes and (driver := drove(self.shown.state.drivers, name)):
            self._say(f"Four eyes are asked for: {driver} has driven this run.", "#name")
        elif not approve and not note:
            self._say("A refusal needs a reason.", "#words")
        else:
            self.dismiss(Sign(self._role, name, approve, note))

    def _say(self, text: str, field: str) -> None:
        self.query_one("#refusal", Static).update(ink.line((f"! {text}", ink.NOW)))
        self.query_one(field, Input).focus()
