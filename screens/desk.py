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

    def why_not(self, command_id: str, moment: Moment) -> str:
        """Why this command does not work now, where there is something to say and its keys mean nothing else here."""
        command = next((each for each in self.commands if each.id == command_id), None)
        if command is None or command.why_not is None or not command.belongs(moment):
            return ""
        taken = {key for other in self.working(moment) for key in other.keys}
        return "" if taken.intersection(command.keys) else command.why_not(moment)

    def working(self, moment: Moment) -> list[Command]:
        """The commands that work now, in the order of the table."""
        return [command for command in self.commands if command.works(moment)]
