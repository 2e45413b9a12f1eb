"""The command palette: the commands of the one table that work now."""

from functools import partial
from inspect import unwrap

from textual import work
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider

from screens.base import ConsoleScreen
from screens.commands import Command
from screens.once import LeftOnce

_HIDDEN = frozenset({"palette", "up", "down", "page-up", "page-down"})
"""What makes sense only as a key."""


class TablePalette(Provider):
    """Offers what the screen's desk offers, with the key that would have done the same."""

    def _commands(self) -> list[tuple[str, Command]]:
        if not isinstance(self.screen, ConsoleScreen):
            return []
        moment = self.screen.moment()
        offered = [command for command in self.screen.desk.working(moment) if command.id not in _HIDDEN]
        return [(f"{command.says(moment)}  ({command.shown})", command) for command in offered]

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for text, command in self._commands():
            yield DiscoveryHit(text, partial(self._run, command), help=command.help)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for text, command in self._commands():
            score = max(matcher.match(text), matcher.match(command.help) * 0.6)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._run, command), help=command.help)

    async def _run(self, command: Command) -> None:
        if isinstance(self.screen, ConsoleScreen):
            await self.screen.action_command(command.id)


class TablePaletteScreen(CommandPalette, LeftOnce[None]):
    """The palette. A key that comes early, before the list is laid out, or late, does nothing: Textual's own would end
    the console, or take away the screen below."""

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        # Whoever quits as it opens has taken the list away by the time that something is gathered for it.
        if self.query(CommandList):
            await unwrap(CommandPalette._gather_commands)(self, search_value)

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)
