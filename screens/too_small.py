"""Says that the terminal is too small, in whatever room there is."""

from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.paint import ink

LEAST_WIDTH = 60
LEAST_HEIGHT = 15


def is_too_small(width: int, height: int) -> bool:
    """Whether the console cannot be shown honestly in so many cells."""
    return width < LEAST_WIDTH or height < LEAST_HEIGHT


def fit(app: App[Any], size: Size) -> None:
    """Stand over everything, or give way, as the terminal's size demands."""
    small = is_too_small(size.width, size.height)
    showing = isinstance(app.screen, TooSmall)
    if small and not showing:
        app.push_screen(TooSmall())
    elif showing and not small:
        app.pop_screen()


class TooSmall(ModalScreen[Any]):
    """Stands over everything until there is room again; no key of the console reaches through."""

    CSS_PATH: ClassVar[Path | str] = "too_small.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "app.leave_now", "Quit", show=False)]

    def on_screen_resume(self) -> None:
        """There may be room again by the time that this comes to light."""
        if not is_too_small(self.app.size.width, self.app.size.height):
            self.dismiss()

    def compose(self) -> ComposeResult:
        """What is the matter, and what helps."""
        yield Static(ink.line(("Terminal too small", ink.STRONG)))
        yield Static(ink.line(f"at least {LEAST_WIDTH}×{LEAST_HEIGHT}, please"))
        yield Static(ink.line(("the run goes on · ^q quits", ink.QUIET)))
