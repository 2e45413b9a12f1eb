"""Help: every key of the one table, and what the signs mean."""

from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content

from screens.base import ConsoleScreen
from screens.commands import Command
from screens.desk import Desk
from screens.moment import Moment
from screens.paint import ink, words
from screens.paint.company import watching_lines
from screens.view import View
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header, Pane

_ORDER = ("Step", "Incident", "Run", "Sign-off", "Findings", "Screens", "Time", "Moving")


def help_lines(commands: tuple[Command, ...], moment: Moment, width: int) -> list[Content]:
    """Groups of keys; what works now stands out."""
    lines = [ink.heading("Signs"), *_signs(width), ink.BLANK]
    listed = [command for command in commands if not command.id.startswith("way-")]
    for group, members in groupby(sorted(listed, key=lambda c: _ORDER.index(c.group)), key=lambda c: c.group):
        lines.append(ink.heading(group))
        for command in members:
            now = command.available(moment)
            key = ink.line((f"{command.shown:>5}  ", f"bold {ink.IDENT}" if now else ink.QUIET))
            lines += ink.wrapped(ink.line((command.help, ink.PLAIN if now else ink.QUIET)), width, first=key)
        lines.append(ink.BLANK)
    return lines


def _signs(width: int) -> list[Content]:
    lines = [ink.BLANK]
    for sign in words.LEGEND:
        part = ink.line((f"    {sign.mark}\u00a0", sign.style), (sign.word.replace(" ", "\u00a0"), ink.PLAIN))
        if lines[-1].cell_length + part.cell_length > width:
            lines.append(ink.BLANK)
        lines[-1] = Content.assemble(lines[-1], part)
    return lines


class HelpPane(Pane):
    """The text."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        super().__init__()
        self._commands = commands

    def paint(self, view: View) -> None:
        """Who watches, where that is known; all groups."""
        width = min(self.room.width, 110)
        self.show([*watching_lines(view.company, width), *help_lines(self._commands, Moment(view), width)])


class HelpScreen(ConsoleScreen):
    """One scrolling page."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "help"

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self._pane = HelpPane(desk.commands)

    def compose(self) -> ComposeResult:
        """Header, text, keys."""
        yield Header().data_bind(HelpScreen.view)
        yield self._pane.data_bind(HelpScreen.view)
        yield KeyBar()

    def action_page(self, by: int) -> None:
        """Read on, or back."""
        self._pane.scroll_relative(y=by * self._pane.size.height, animate=False)

    def action_move(self, by: int) -> None:
        """A line on, or back."""
        self._pane.scroll_relative(y=by, animate=False)
