"""The desk: what every screen of the console has at hand. It is built once, by the application.

An observer's desk holds no steering command and nothing that could send an intent.
"""

from collections.abc import Callable
from dataclasses import dataclass

from screens.commands import Command
from screens.leads import Lead
from screens.moment import Moment
from screens.ring import Ring


@dataclass(frozen=True, slots=True)
class Desk:
    """The commands that exist here, where their leads go, the screens that can be opened, the log."""

    commands: tuple[Command, ...]
    pursue: Callable[[Lead], None]
    doors: frozenset[str]
    ring: Ring
    steers: bool = False

    def command(self, command_id: str, moment: Moment) -> Command | None:
        """The command with this id, if pressing it would do something now."""
        for command in self.commands:
            if command.id == command_id:
                return command if command.works(moment) else None
        return None

    def working(self, moment: Moment) -> list[Command]:
        """The commands that work now, in the order of the table."""
        return [command for command in self.commands if command.works(moment)]
