"""What an incident asks of the world: a look at where production stands, words to the stakeholders, papers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from console.domain.standing import Assessment
from console.domain.state import RunState
from console.ports.running import Clock


class Notifier(Protocol):
    """Words to the stakeholders. Never raises: a channel that fails says so in the answer."""

    async def send(self, subject: str, text: str, channels: Sequence[str] = ()) -> Mapping[str, str]:
        """Send to these channels of the plan, or to all: for each why it failed, empty when it did not."""


class Assessor(Protocol):
    """Looks where production stands in an incident, and what each way back costs. Reads only."""

    async def assess(self, state: RunState, clock: Clock) -> Assessment:
        """The standing and the ways, the recommended one first. Raises StepFailed when the world cannot be read."""


Documents = Callable[[RunState, datetime], Mapping[str, str]]
"""The incident's papers from a run's state at a moment: Markdown by file name."""
