"""The timeline pane."""

from screens.paint import timeline
from screens.view import View
from screens.widgets.panes import Pane


class TimelinePane(Pane):
    """Rows of the plan as bars."""

    def paint(self, view: View) -> None:
        """As many rows as there is room for."""
        rows = len(view.state.plan.timeline) + 2
        self.show(timeline.timeline(view, self.room.width, rows))
