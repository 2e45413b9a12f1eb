"""What the screens may ask for beside the feed: reads that change nothing and may be repeated."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from console.domain.events import Event
from console.domain.plan import Plan
from console.domain.state import FindingState


@dataclass(frozen=True, slots=True)
class Reads:
    """Injected by the composition root; a screen whose read is missing does not exist.

    `preflight` returns findings (severity blocker, warning or note). `report` returns Markdown. `history` returns
    every event until now, oldest first, for whoever goes back in time. All raise ConsoleError. `says` gives the sign
    and the words of an event.
    """

    preflight: Callable[[], Awaitable[Sequence[FindingState]]] | None = None
    report: Callable[[], Awaitable[str]] | None = None
    history: Callable[[], Awaitable[Sequence[Event]]] | None = None
    says: Callable[[Plan, Event], tuple[str, str]] | None = None
