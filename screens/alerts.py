"""Warnings: the alerts that were raised and the findings, each with its evidence and its remedy."""

from typing import ClassVar

from screens.browsing import BrowsingScreen
from screens.moment import Moment
from screens.paint.warnings import alert_items, finding_items, findings_of


class AlertsScreen(BrowsingScreen):
    """A list and the chosen entry."""

    SCREEN: ClassVar[str] = "alerts"
    EMPTY = "✔ Nothing speaks up: no alert, no finding."

    def moment(self) -> Moment:
        """With the chosen finding."""
        code = self.chosen.removeprefix("finding:")
        finding = next((f for f in findings_of(self.shown.state) if f.code == code), None)
        return Moment(self.shown, self.SCREEN, finding=finding, doors=self.desk.doors)

    def fill(self) -> None:
        """Alerts, then findings."""
        state = self.shown.state
        self.browser.show([*alert_items(state), *finding_items(findings_of(state))])
