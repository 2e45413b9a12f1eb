"""What the screens may ask for beside the feed: reads that change nothing and may be repeated."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from console.domain.state import FindingState


@dataclass(frozen=True, slots=True)
class Reads:
    """Injected by the composition root; a screen whose read is missing does not exist.

    `preflight` returns findings (severity blocker, warning or note). `report` returns Markdown. Both raise
    ConsoleError.
    """

    preflight: Callable[[], Awaitable[Sequence[FindingState]]] | None = None
    report: Callable[[], Awaitable[str]] | None = None
