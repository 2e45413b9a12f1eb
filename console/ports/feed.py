"""What screens and observers are told of a run, and where intents go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from console.domain.events import Event
from console.domain.hosting import (
    LogEntry,
)
from console.domain.intents import Intent
from console.domain.outcome import Progress
from console.domain.shared import Observer
from console.domain.state import RunState


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Events were appended; `state` is the fold with them."""

    state: RunState
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class StepNews:
    """A running step said something that is not journaled."""

    step: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class LogLines:
    """Log lines arrived, oldest first."""

    entries: tuple[LogEntry, ...]


@dataclass(frozen=True, slots=True)
class TailStatus:
    """Whether the log of the services is being heard; `reason` when it is not."""

    connected: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JournalFailed:
    """The run can no longer be recorded, and so not driven: what runs stops at its next safe point, nothing starts."""

    message: str
    remedy: str = ""


class Driving(StrEnum):
    """What is known of whoever drives a run that is watched."""

    DRIVES = "drives"
    LEFT = "left"
    """Nobody drives: the last driver left in order."""
    DIED = "died"
    """Nobody drives, and the last driver did not leave: their console died."""
    APART = "apart"
    """The last driver's session at the shared record has ended: they lost it and may go on elsewhere, or they died."""
    NOBODY = "nobody"
    """Nobody has driven it yet."""
    UNKNOWN = "unknown"
    """Whether somebody drives cannot be seen from here."""


@dataclass(frozen=True, slots=True)
class DriverStatus:
    """Who drives the run, told to those who do not.

    `text` is one sentence for a person. `actor`, `host`, `pid` and `since` are those of the driver, or of the last
    one there was; empty where nothing is known.
    """

    driving: Driving
    text: str
    actor: str = ""
    host: str = ""
    pid: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SharedStatus:
    """Whether the shared record is reached. `reason` says why not; `unsent` events wait here for it meanwhile.

    Told to a driver and to observers; never where nothing is shared.
    """

    connected: bool
    reason: str = ""
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """Who watches the run, by the shared record's own list of sessions; told to the driver."""

    observers: tuple[Observer, ...]


Update = StateChanged | StepNews | LogLines | TailStatus | DriverStatus | SharedStatus | Watched | JournalFailed


class Feed(Protocol):
    """Everything that screens and observers see of a run, on the event loop of the run."""

    @property
    def state(self) -> RunState:
        """The state as it is now."""

    @property
    def tail(self) -> Sequence[LogEntry]:
        """The last log lines, oldest first, bounded."""

    def subscribe(self, listener: Callable[[Update], None]) -> Callable[[], None]:
        """Be told of every update from now on; call the result to stop. A listener must not block or raise."""


class Helm(Protocol):
    """Where intents go. An observer has none."""

    async def send(self, intent: Intent) -> None:
        """Ask for something. Returns when its events are durable; raises Refused with the reason."""
