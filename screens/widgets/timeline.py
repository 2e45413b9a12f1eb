"""The timeline pane."""

from textual.reactive import var

from screens.paint import timeline
from screens.view import View
from screens.widgets.panes import Pane

LEAST_LINES = 5


class TimelinePane(Pane):
    """Rows of the plan as bars."""

    limit: var[int] = var(0, init=False)
    """How many lines it may take; 0: as many as it has."""

    def watch_limit(self) -> None:
        """More or less room."""
        self.repaint()

    def wanted(self, view: View) -> int:
        """How many lines it has in full."""
        return len(view.state.plan.timeline) + 2

    def paint(self, view: View) -> None:
        """As many rows as there is room for, those around now first."""
        wanted = self.wanted(view)
        self.show(timeline.timeline(view, self.room.width, min(self.limit, wanted) if self.limit else wanted))
