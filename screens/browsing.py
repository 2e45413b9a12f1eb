"""What the screens have in common that are a list and its chosen entry: header, list, keys, and moving in it."""

from textual.app import ComposeResult
from textual.widget import Widget

from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.view import View
from screens.widgets.browser import Browser
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header


class BrowsingScreen(ConsoleScreen):
    """A list and the chosen entry. Who inherits says what stands in it (`fill`), and what is said when nothing does."""

    CSS_PATH = "pages.tcss"
    EMPTY = ""
    """What stands there while the list is empty."""

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self.browser = Browser(self.EMPTY)
        """The list."""

    def compose(self) -> ComposeResult:
        """Header, whatever stands above the list, the list and its entry, keys."""
        yield Header().data_bind(ConsoleScreen.view)
        yield from self.above()
        yield self.browser
        yield KeyBar()

    def above(self) -> tuple[Widget, ...]:
        """What stands between the header and the list."""
        return ()

    def fill(self) -> None:
        """Bring the list up to date with the view."""
        raise NotImplementedError

    @property
    def chosen(self) -> str:
        """The id of the chosen entry, empty while there is none."""
        return self.browser.chosen

    def on_mount(self) -> None:
        """Fill the list."""
        self.fill()

    def watch_view(self, view: View) -> None:
        """What stands in the list may have changed."""
        self.fill()
        super().watch_view(view)

    def on_browser_chosen(self) -> None:
        """Another entry: other keys."""
        self.refresh_keys()

    def action_move(self, by: int) -> None:
        """The entry above or below."""
        self.browser.move(by)
