"""The inbox of a shared record: signatures from other machines, verified, recorded and answered by whoever drives.

What always holds: a signature is recorded once, whatever dies between its recording and its answer, and answered only
with what stands in the shared record itself: a driver that was taken over from promises nothing. One that is not
accepted is noted in the record with the reason, for the driver to see, and changes nothing else.
"""

from collections.abc import Callable
from typing import Protocol

from console.domain.events import Event, Kind
from console.domain.shared import Received, Signature
from console.domain.signing import not_accepted, sign_from_afar
from console.domain.state import RunState, RunStatus
from console.domain.wire import decode_event
from console.engine.writer import Decision
from console.errors import Refused
from console.ports import DriverStore

AT_ONCE = 20
"""Signatures that are taken before something else gets its turn; the others wait for the next time."""

TWICE = "Its number stands in the record for another signature already: the shared record was set back. Sign again."


class Record(Protocol):
    """What the inbox needs of the conductor."""

    async def __call__(self, decision: Decision, actor: str | None = None) -> object:
        """Have the one writer decide and append, as the console itself unless told."""


class Inbox:
    """Serves the inbox of one run, which `state` gives as it is now."""

    def __init__(self, store: DriverStore, run: str, state: Callable[[], RunState], record: Record) -> None:
        self._store = store
        self._run = run
        self._state = state
        self._record = record

    async def take(self) -> None:
        """Settle what waits there, oldest first.

        Raises StoreLost; JournalError when the record cannot be written, Refused once the run is let go of. Whatever
        was not answered then is found again.
        """
        for signature in (await self._store.inbox(self._run))[:AT_ONCE]:
            await self._settle(signature)

    async def _settle(self, signature: Signature) -> None:
        reason = "" if self._state().status is RunStatus.FINISHED else await self._decided(signature)
        received = self._state().received.get(signature.id)
        if received is None:
            closed = f"The run is closed ({self._state().outcome}): nothing is signed in it any more."
            await self._store.answer(signature.id, accepted=False, reason=reason or closed)
            return
        event = await self._shared(received, signature.id)
        if event is not None and not _is_of(event, signature):
            await self._store.answer(signature.id, accepted=False, reason=TWICE)
        elif event is not None:
            await self._store.answer(signature.id, accepted=not received.reason, reason=received.reason)

    async def _decided(self, signature: Signature) -> str:
        """Have it recorded, or noted why it is not; the reason, empty when it is on record."""
        try:
            await self._record(lambda state: sign_from_afar(state, signature), signature.login)
        except Refused as refused:
            reason = f"{refused.message} {refused.remedy}".rstrip()
            await self._record(lambda state: not_accepted(state, signature, reason))
            return reason
        return ""

    async def _shared(self, received: Received, number: int) -> Event | None:
        """The event that says so, once it has reached the shared record: a lost store may not have it yet, and that of
        another driver's epoch never will."""
        lines = await self._store.lines(self._run, received.seq - 1)
        event = decode_event(lines[0])[0] if lines else None
        return event if event is not None and event.data.get("inbox") == number else None


def _is_of(event: Event, signature: Signature) -> bool:
    """Whether what stands in the record was made of this signature, and not of another one of its number."""
    about = {"role": signature.role, "login": signature.login}
    if event.kind is not Kind.NOTE_ADDED:
        about |= {"plan": signature.plan, "commit": signature.commit}
        if (event.kind is Kind.SIGNOFF_GIVEN) is not signature.approve:
            return False
    return all(event.data.get(name) == text for name, text in about.items())
