"""What an incident asks of the world beside its steps: a look at production, and words to the stakeholders.

What always holds: looking changes nothing, and a message that does not arrive is on record with its reason and keeps
nothing else from going on.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.domain.events import Draft, Kind
from console.domain.plan import Json
from console.domain.state import RunState
from console.domain.wire import encode
from console.engine.desk import Desk, outcome_of
from console.errors import ConsoleError, JournalError, Refused
from console.ports import Assessor, Clock, Notifier

BY_HAND = "by hand"
"""The channel of a message that a person passed on, where the plan names no channel."""


@dataclass(frozen=True, slots=True)
class IncidentDesk:
    """The assessor and the notifier of a run.

    `patience`, `looking`: wall seconds after which a delivery, a look, is given up. A look gives each part of the world
    its own time, and says what did not answer: the whole is given up only when that is over.
    """

    assessor: Assessor | None = None
    notifier: Notifier | None = None
    patience: float = 90.0
    looking: float = 180.0
    _sending: set[str] = field(default_factory=set)

    async def assess(self, desk: Desk, clock: Clock) -> None:
        """Look where production stands, and record it. Raises Refused with what kept it from being seen."""
        if self.assessor is None:
            raise Refused("Production cannot be looked at from here.")
        try:
            async with asyncio.timeout(self.looking):
                found = await outcome_of(self.assessor.assess(desk.state, clock))
        except JournalError:
            raise
        except Exception as error:
            raise Refused(
                f"Where production stands could not be seen: {desk.redact(_words(error))}",
                production="Looking has changed nothing.",
                remedy=error.remedy if isinstance(error, ConsoleError) and error.remedy else "Look again.",
            ) from error
        data: dict[str, Json] = {"assessment": encode(found)}
        await desk.record(lambda _: (Draft(Kind.ROLLBACK_ASSESSED, data=data),))

    async def deliver(self, desk: Desk, message_id: str, subject: str, text: str, actor: str) -> None:
        """Send a message to the channels that it has not reached, and record what became of it on each."""
        if message_id in self._sending:
            raise Refused("This message is being sent.", remedy="Wait a moment.")
        self._sending.add(message_id)
        try:
            answers = await self._send(desk.state, message_id, subject, text)
        finally:
            self._sending.discard(message_id)
        sent = [_sent(message_id, subject, text, channel, desk.redact(error)) for channel, error in answers.items()]
        await desk.record(lambda _: sent, actor)

    async def _send(self, state: RunState, message_id: str, subject: str, text: str) -> Mapping[str, str]:
        """For each channel why the message did not arrive there, empty where it did."""
        if not state.plan.channels:
            return {BY_HAND: ""}
        message, channels = state.messages[message_id], [each.name for each in state.plan.channels]
        wanted = [*(each.channel for each in message.undelivered), *message.unheard_of(channels)] or channels
        if self.notifier is None:
            return dict.fromkeys(wanted, "nothing can be sent from here")
        try:
            async with asyncio.timeout(self.patience):
                return await outcome_of(self.notifier.send(subject, text, wanted))
        except TimeoutError:
            return dict.fromkeys(wanted, f"no answer within {self.patience:g} s")


def _sent(message_id: str, subject: str, text: str, channel: str, error: str) -> Draft:
    data: dict[str, Json] = {
        "message": message_id,
        "channel": channel,
        "subject": subject,
        "text": text,
        "delivered": not error,
        "error": error,
    }
    return Draft(Kind.MESSAGE_SENT, data=data)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, ConsoleError) else f"{type(error).__name__}: {error}"
