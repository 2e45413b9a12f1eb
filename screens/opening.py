"""The opening frame: which plan it is, and what is being done until the run itself can be shown.

It needs nothing but words, so that it can stand before anything heavy is loaded.
"""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from screens.paint import ink

LINES = 8
"""How many of the last things that were done stay in sight."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a quick look at a plan's file tells, before it was checked; whatever it does not tell is empty."""

    title: str = ""
    environment: str = ""
    hosts: tuple[str, ...] = ()
    source: str = ""


class OpeningScreen(Screen[None]):
    """Stands until the application takes up a run."""

    DEFAULT_CSS = """
    OpeningScreen { align: center middle; background: $background; color: $foreground; }
    OpeningScreen Static { width: 64; max-width: 100%; height: auto; padding: 0 2; }
    OpeningScreen #doing { margin-top: 1; height: 8; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.leave_now", "Quit", show=False),
        Binding("ctrl+q", "app.leave_now", "Quit", show=False),
        Binding("ctrl+c", "app.leave_now", "Quit", show=False),
    ]

    def __init__(self, glimpse: Glimpse) -> None:
        super().__init__()
        self._glimpse = glimpse
        self._said: list[str] = []

    def compose(self) -> ComposeResult:
        """What is opened; below it what is being done."""
        glimpse = self._glimpse
        yield Static(ink.line((glimpse.title or self.app.title, ink.STRONG)))
        about = " · ".join(part for part in (glimpse.environment, ", ".join(glimpse.hosts), glimpse.source) if part)
        yield Static(ink.line((about, ink.QUIET)))
        yield Static(self._doing(), id="doing")
        yield Static(ink.line(("q quits · nothing is done before the run is shown", ink.QUIET)))

    def say(self, text: str) -> None:
        """Tell what is being done now; what was done before stands above it."""
        self._said = [*self._said, text][-LINES:]
        if self.is_mounted:
            self.query_one("#doing", Static).update(self._doing())

    def _doing(self) -> Content:
        *done, now = self._said or ["Opening…"]
        lines = [ink.line(("✔ ", ink.GOOD), (each, ink.QUIET)) for each in done]
        lines.append(ink.line(("▶ ", ink.NOW_STRONG), now))
        return Content("\n").join(lines)
