"""Where a command leads: to another screen, to an intent, or to a question whose answer makes the intent.

Plain data. Reading leads change nothing anywhere; steering leads end at the helm, and whoever has none cannot
follow them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from textual.content import Content

from console.domain.intents import Intent


@dataclass(frozen=True, slots=True)
class Show:
    """Open a screen by its name; it reads only."""

    screen: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that the screen itself does: move the cursor, switch a pane, leave."""

    name: str


class Jump(StrEnum):
    """A move in the run's time: into the past and back to live; there by one event, one turn, one stretch of time, to
    its begin or end; and playing."""

    PAST = "past"
    LIVE = "live"
    EVENT_BACK = "event back"
    EVENT_ON = "event on"
    TURN_BACK = "turn back"
    TURN_ON = "turn on"
    STRETCH_BACK = "stretch back"
    STRETCH_ON = "stretch on"
    BEGIN = "begin"
    END = "end"
    PLAY = "play"
    FASTER = "faster"
    SLOWER = "slower"


@dataclass(frozen=True, slots=True)
class Travel:
    """Show the run at another time: by a jump, or at a moment (UTC). It changes nothing but what is shown."""

    to: Jump | datetime


@dataclass(frozen=True, slots=True)
class Send:
    """Send an intent as it is. `said` is what the person is told once it is recorded."""

    intent: Intent
    said: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person wrote: a reason or note, and what had to be typed."""

    text: str
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for words. `phrase` must be typed exactly where it is not empty; `proposed` stands there already."""

    title: str
    body: tuple[str, ...]
    button: str
    build: Callable[[Answer], Intent] = field(repr=False)
    label: str = "Reason"
    required: bool = True
    danger: bool = False
    phrase: str = ""
    proposed: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmStep:
    """Show a step's preview and take the yes that is bound to it."""

    step: str


@dataclass(frozen=True, slots=True)
class SignRole:
    """Ask a role for its signature."""

    role: str


@dataclass(frozen=True, slots=True)
class GoBack:
    """Show a way back in full, as it was assessed, and take the choice of it. `way` is its value."""

    way: str


@dataclass(frozen=True, slots=True)
class EditMessage:
    """Show a drafted message, let it be edited, and send it."""

    message: str


@dataclass(frozen=True, slots=True)
class AskPostmortem:
    """Ask who owns the post-mortem, and when it is."""

    step: str


@dataclass(frozen=True, slots=True)
class Option:
    """One of several ways on, with what it leads to in words."""

    label: str
    consequence: str
    lead: "Steer | Show"
    danger: bool = False
    recommended: bool = False
    key: str = ""
    """The key that picks it beside its number."""


@dataclass(frozen=True, slots=True)
class Choose:
    """Several ways on; the person picks one by its number."""

    title: str
    body: tuple[Content, ...]
    options: tuple[Option, ...]


Read = Show | Act | Travel
Steer = Send | Ask | ConfirmStep | SignRole | GoBack | EditMessage | AskPostmortem | Choose
Lead = Read | Steer
