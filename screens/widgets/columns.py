"""The two columns of the run screen, each sharing its height among what stands in it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.reactive import var

from screens.paint.detail import Way
from screens.view import View
from screens.widgets.panes import Checklist, Detail, Gist
from screens.widgets.tabs import PANES, PaneTabs
from screens.widgets.timeline import LEAST_LINES, TimelinePane

LEAST_CHECKLIST = 8
MOST_OF_IT = 0.45
"""The share of the column's height that the timeline takes at most, as `run.tcss` says too."""
RULES = 2
"""Lines at the right that are neither the step's nor the timeline's: the margin above, the rule between."""


class LeftColumn(Vertical):
    """The checklist, and below it as much of the gist as it leaves room for."""

    view: var[View | None] = var(None, init=False)
    selected: var[str] = var("", init=False)

    def compose(self) -> ComposeResult:
        """Checklist above, gist below."""
        yield Checklist(id="checklist").data_bind(LeftColumn.view, LeftColumn.selected)
        yield Gist(id="gist").data_bind(LeftColumn.view)

    def on_mount(self) -> None:
        """Share as soon as the height is known."""
        self.call_after_refresh(self.share)

    def watch_view(self) -> None:
        """More or fewer lines."""
        self.share()

    def watch_selected(self) -> None:
        """Another phase may be expanded."""
        self.share()

    def on_resize(self, event: Resize) -> None:
        """Another height."""
        self.call_after_refresh(self.share)

    def share(self) -> None:
        """The checklist comes first."""
        if self.view is None or not self.is_mounted:
            return
        needed = self.query_one(Checklist).needed(self.view)
        self.query_one(Gist).limit = self.size.height - max(min(needed, self.size.height - 2), LEAST_CHECKLIST)


class RightColumn(Vertical):
    """The step, and below it as much of the timeline as it leaves room for; on a small terminal they take turns.

    Where something is wrong and the ways out would not be in sight, the timeline goes away.
    """

    view: var[View | None] = var(None, init=False)
    selected: var[str] = var("", init=False)
    following: var[bool] = var(True, init=False)
    ways: var[tuple[Way, ...]] = var((), init=False)
    pane: var[str] = var(PANES[0], init=False)
    turns: var[bool] = var(False, init=False)
    """Whether step and timeline take turns."""

    def compose(self) -> ComposeResult:
        """The names of the panes, the step, the timeline."""
        yield PaneTabs(id="tabs").data_bind(RightColumn.pane)
        detail = Detail(id="detail")
        yield detail.data_bind(RightColumn.view, RightColumn.selected, RightColumn.following, RightColumn.ways)
        yield TimelinePane(id="timeline").data_bind(RightColumn.view)

    def on_mount(self) -> None:
        """Share as soon as the height is known."""
        self.call_after_refresh(self.share)

    def watch_view(self) -> None:
        """The step may have more to say."""
        self.call_after_refresh(self.share)

    def watch_selected(self) -> None:
        """Another step."""
        self.call_after_refresh(self.share)

    def watch_turns(self) -> None:
        """Alone, or one below the other."""
        self.call_after_refresh(self.share)

    def on_resize(self, event: Resize) -> None:
        """Another height."""
        self.call_after_refresh(self.share)

    def page(self, by: int) -> None:
        """Read on or back in the pane that is in sight."""
        shown = TimelinePane if self.turns and self.pane == "timeline" else Detail
        pane = self.query_one(shown)
        pane.scroll_relative(y=by * max(pane.size.height - 1, 1), animate=False)

    def share(self) -> None:
        """The step comes first."""
        if self.view is None or not self.is_mounted:
            return
        timeline = self.query_one(TimelinePane)
        if self.turns:
            timeline.limit = 0
            timeline.remove_class("-away")
            return
        spare = self.size.height - len(self.query_one(Detail).lines) - RULES
        timeline.set_class(bool(self.ways) and spare < LEAST_LINES, "-away")
        most = max(int(self.size.height * MOST_OF_IT) - 1, LEAST_LINES)
        timeline.limit = min(max(spare, LEAST_LINES), timeline.wanted(self.view), most)
