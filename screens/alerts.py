"""Warnings: the alerts that were raised and the findings, each with its evidence and its remedy."""

from typing import ClassVar

from textual.app import ComposeResult

from screens.base import ConsoleScreen
from screens.moment import Moment
from screens.paint.warnings import alert_items, finding_items, findings_of
from screens.view import View
from screens.widgets.browser import Browser
from screens.widgets.keybar import KeyBar
from screens.widgets.panes import Header


class AlertsScreen(ConsoleScreen):
    """A list and the chosen entry."""

    CSS_PATH = "pages.tcss"
    SCREEN: ClassVar[str] = "alerts"

    def compose(self) -> ComposeResult:
        """Header, list and entry, keys."""
        yield Header().data_bind(AlertsScreen.view)
        yield Browser("✔ Nothing speaks up: no alert, no finding.")
        yield KeyBar()

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    def watch_view(self, view: View) -> None:
        """Alerts come and go."""
        self._fill()
        super().watch_view(view)

    def moment(self) -> Moment:
        """With the chosen finding."""
        code = self.query_one(Browser).chosen.removeprefix("finding:") if self.is_mounted else ""
        finding = next((f for f in findings_of(self.shown.state) if f.code == code), None)
        return Moment(self.shown, self.SCREEN, finding=finding, doors=self.desk.doors)

    def on_browser_chosen(self) -> None:
        """Another entry: other keys."""
        self.refresh_keys()

    def action_move(self, by: int) -> None:
        """The entry above or below."""
        self.query_one(Browser).move(by)

    def _fill(self) -> None:
        state = self.shown.state
        self.query_one(Browser).show([*alert_items(state), *finding_items(findings_of(state))])
