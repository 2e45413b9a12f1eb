"""What a run's state says of an incident: when it was declared, the ways back that were chosen, the words sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.standing import Way


@dataclass(frozen=True, slots=True)
class IncidentState:
    """An incident: declared when, by whom, why; closed when and with which words (None while it is open)."""

    at: datetime
    actor: str
    reason: str
    closed_at: datetime | None = None
    closing: str = ""


@dataclass(frozen=True, slots=True)
class RollbackState:
    """A way back that was chosen. `steps` are the ids of its steps, in order; `rows` the loss that was stated."""

    way: Way
    at: datetime
    actor: str
    price: str
    steps: tuple[str, ...]
    rows: int | None = None
    reason: str = ""
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message on one channel; `error` is empty when it was delivered."""

    channel: str
    at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class MessageState:
    """Words for the stakeholders: drafted, then sent (the last delivery of each channel) or dropped with a reason."""

    id: str
    turn: str
    subject: str
    text: str
    at: datetime
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    dropped: str = ""

    @property
    def waits(self) -> bool:
        """Drafted, and neither sent nor dropped."""
        return not self.deliveries and not self.dropped

    @property
    def undelivered(self) -> tuple[Delivery, ...]:
        """The channels that it is known not to have reached."""
        return tuple(each for each in self.deliveries.values() if each.error)

    def unheard_of(self, channels: Iterable[str]) -> tuple[str, ...]:
        """Those of the channels of which nothing is on record, of a message that was sent: a console died meanwhile."""
        return tuple(each for each in channels if self.deliveries and each not in self.deliveries)


@dataclass(frozen=True, slots=True)
class PostmortemState:
    """Who owns the post-mortem, and when it is (ISO 8601 date)."""

    owner: str
    date: str
