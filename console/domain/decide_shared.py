"""Decisions about a record that is shared between machines, while it cannot be reached."""

from console.domain import intents as i
from console.domain.events import Draft, Kind
from console.domain.state import RunState
from console.errors import Refused


def drive_apart(state: RunState, intent: i.DriveApart, actor: str) -> tuple[Draft, ...]:
    """Somebody says that nobody else drives, although the shared record cannot be asked."""
    if state.apart is None:
        raise Refused("The shared record is reached: who drives is certain.")
    if state.apart.waived:
        raise Refused("That nobody else drives is on record already.")
    if intent.typed != state.run:
        raise Refused(
            f"“{intent.typed}” is not what must be typed here.", remedy=f"Type {state.run} to say that you alone drive."
        )
    known = f": {intent.reason.strip()}" if intent.reason.strip() else ""
    return (Draft(Kind.STORE_WAIVED, data={"reason": f"{actor} says that nobody else drives{known}"}),)
