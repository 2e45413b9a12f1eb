"""A command: one thing that can be pressed, when it makes sense, and where it leads."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from screens.leads import Lead
from screens.moment import Moment


class Weight(StrEnum):
    """How a command looks in the footer."""

    PLAIN = "plain"
    NOW = "now"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be pressed.

    `keys` are Textual key names, the first one is shown as `shown`. `screens` says where it works; empty:
    everywhere. Commands stand in the footer in the order of the table, unless `footer` is false.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    label: str | Callable[[Moment], str]
    help: str
    group: str
    available: Callable[[Moment], bool]
    leads: Callable[[Moment], Lead | None]
    screens: tuple[str, ...] = ("run",)
    footer: bool = True
    weight: Weight = Weight.PLAIN
    why_not: Callable[[Moment], str] | None = None
    """What is said when it is pressed and does not work; empty, and the key is silent."""

    def says(self, moment: Moment) -> str:
        """The label as it reads at this moment."""
        return self.label if isinstance(self.label, str) else self.label(moment)

    def works(self, moment: Moment) -> bool:
        """Whether pressing it would do something now."""
        return self.belongs(moment) and self.available(moment)

    def belongs(self, moment: Moment) -> bool:
        """Whether it is a command of this screen at all."""
        return not self.screens or moment.screen in self.screens
