"""Steering: takes the leads that end at the helm, asks what has to be asked, and sends the intents.

It exists only where there is a helm. A refusal is told in passing; everything else that goes wrong is shown with
what failed, what state production is in, and what helps. Whoever declares an incident is taken to its screen, and it
is looked where production stands.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from textual.app import App

from console.domain.intents import Assess, DeclareIncident, DoneByHand, DropWay, Intent, Look, Start
from console.errors import ConsoleError, Refused, StepFailed
from console.ports import Helm
from screens.dialogs.ask import AskDialog
from screens.dialogs.base import Dialog
from screens.dialogs.choose import ChooseDialog
from screens.dialogs.confirm import ConfirmDialog
from screens.dialogs.sign import SignDialog
from screens.dialogs.trouble import TroubleDialog
from screens.leads import (
    Answer,
    Ask,
    AskPostmortem,
    Choose,
    ConfirmStep,
    EditMessage,
    GoBack,
    Send,
    Show,
    SignRole,
    Steer,
)
from screens.listening import Listening
from screens.ways import no_go, not_verified

IntentT = TypeVar("IntentT", bound=Intent)


class Steering:
    """Follows steering leads for the person at the helm. `settle` is how long a dialog ignores keys, in seconds."""

    def __init__(
        self, helm: Helm, app: App[Any], listening: Listening, show: Callable[[str], None], *, settle: float
    ) -> None:
        self._helm = helm
        self._app = app
        self._listening = listening
        self._view = listening.view
        self._show = show
        self._settle = settle
        self._sending: set[asyncio.Task[None]] = set()

    def pursue(self, lead: Steer | Show) -> None:
        """Follow a lead: at once, or after the person has answered."""
        match lead:
            case Show(screen):
                self._show(screen)
            case Send(intent, said):
                self.send(intent, said)
            case Ask():
                self._ask(lead)
            case Choose():
                self._choose(lead)
            case ConfirmStep(step):
                self._confirm(step)
            case SignRole(role):
                self._put(SignDialog(role, self._view(), settle=self._settle))
            case GoBack() | EditMessage() | AskPostmortem():
                self._put(self._in_an_incident(lead))

    def send(self, intent: Intent, said: str = "") -> None:
        """Send an intent; the person hears of it only when there is something to hear."""
        if isinstance(intent, Assess):
            self._keep(self._assess(), "assess")
        else:
            self._keep(self._send(intent, said), type(intent).__name__)

    def _keep(self, sending: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(sending, name=f"send {name}")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def settled(self) -> None:
        """Wait until everything that was sent has been answered."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _send(self, intent: Intent, said: str) -> None:
        try:
            await self._helm.send(intent)
        except Refused as refusal:
            if isinstance(intent, DoneByHand) and not intent.accept and not self._view().state.steps[intent.step].over:
                self._choose(not_verified(intent, self._view().state.steps[intent.step].step.title, refusal))
                return
            no = no_go(self._view().state) if isinstance(intent, Start) else None
            if no is not None:
                self._choose(no)
                return
            text = f"{refusal.message}\n{refusal.remedy}" if refusal.remedy else refusal.message
            self._app.notify(text, title="Not now", severity="warning", timeout=8, markup=False)
        except ConsoleError as error:
            self._app.push_screen(TroubleDialog(error, self._view(), settle=self._settle))
        else:
            if said:
                self._app.notify(said, timeout=4, markup=False)
            if isinstance(intent, DeclareIncident):
                self._show("incident")
            if isinstance(intent, DeclareIncident | DropWay):
                await self._assess()

    async def _assess(self) -> None:
        """Look where production stands; what the look says is on record, why it failed is shown in its place."""
        if self._view().looking.since is not None:
            return
        self._listening.looks()
        try:
            await self._helm.send(Assess())
        except ConsoleError as error:
            self._listening.looks(refusal=error.message, remedy=error.remedy, over=True)
        else:
            self._listening.looks(over=True)

    def _ask(self, lead: Ask) -> None:
        def answered(answer: Answer | None) -> None:
            if answer is not None:
                self.send(lead.build(answer), lead.said)

        self._app.push_screen(AskDialog(lead, self._view(), settle=self._settle), answered)

    def _choose(self, lead: Choose) -> None:
        def chosen(number: int | None) -> None:
            if number is not None:
                self.pursue(lead.options[number].lead)

        self._app.push_screen(ChooseDialog(lead, self._view(), settle=self._settle), chosen)

    def _in_an_incident(self, lead: GoBack | EditMessage | AskPostmortem) -> Dialog[Any]:
        """The dialogs that only an incident needs are read in then."""
        match lead:
            case GoBack(way):
                from screens.dialogs.way import WayDialog

                return WayDialog(way, self._view(), settle=self._settle)
            case EditMessage(message):
                from screens.dialogs.message import MessageDialog

                return MessageDialog(message, self._view(), settle=self._settle)
            case AskPostmortem(step):
                from screens.dialogs.postmortem import PostmortemDialog

                return PostmortemDialog(step, self._view(), settle=self._settle)

    def _put(self, dialog: Dialog[IntentT]) -> None:
        """Put a question whose answer is the intent itself."""

        def answered(intent: IntentT | None) -> None:
            if intent is not None:
                self.send(intent)

        self._app.push_screen(dialog, answered)

    def _confirm(self, step: str) -> None:
        dialog = ConfirmDialog(step, self._view(), settle=self._settle)
        self._put(dialog)
        self._keep(self._look_for(dialog, step), "look")

    async def _look_for(self, dialog: ConfirmDialog, step: str) -> None:
        """The yes is given to what is so now: look anew, and only then let the dialog take it."""
        try:
            await self._helm.send(Look(step))
        except Refused as refusal:
            dialog.cannot(refusal.message, refusal.remedy)
        except ConsoleError as error:
            dialog.cannot(error.message, error.remedy, error.lines if isinstance(error, StepFailed) else ())
        else:
            dialog.looked(self._view())
