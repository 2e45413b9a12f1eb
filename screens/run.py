"""The run screen: checklist, step, timeline and log; where everything is driven from, and watched.

The cursor follows the current step until somebody moves it, and again once it is put back there. On a small
terminal step, timeline and log take turns.
"""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.reactive import var

from console.domain.state import StepState, StepStatus
from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.paint.detail import Way
from screens.view import View
from screens.ways import ways
from screens.widgets.keybar import KeyBar
from screens.widgets.logpane import LogPane
from screens.widgets.panes import Checklist, Detail, Gist, Header
from screens.widgets.tabs import PANES, PaneTabs
from screens.widgets.timeline import LEAST_LINES, TimelinePane

TROUBLE = (StepStatus.FAILED, StepStatus.UNCERTAIN)
LEAST_CHECKLIST = 8
RULES = 2
"""Lines at the right that are neither the step's nor the timeline's: the margin above, the rule between."""


class RunScreen(ConsoleScreen):
    """Renders the view; sends nothing by itself."""

    CSS_PATH: ClassVar[Path | str] = "run.tcss"

    selected: var[str] = var("", init=False)
    """The id of the selected step."""
    following: var[bool] = var(True, init=False)
    """Whether the cursor follows the current step."""
    pane: var[str] = var(PANES[0])
    """Which pane has its turn on a small terminal."""

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        current = view.current
        self.set_reactive(RunScreen.selected, current.step.id if current is not None else "")
        self.set_class(current is not None and current.status in TROUBLE, "-trouble")

    def on_mount(self) -> None:
        """Offer what can be done at once, and share the room when it is known."""
        self._offer_ways()
        self.call_after_refresh(self._share_room)

    def compose(self) -> ComposeResult:
        """Header, checklist at the left, step, timeline and log at the right and below, keys."""
        yield Header(id="header").data_bind(RunScreen.view)
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield Checklist(id="checklist").data_bind(RunScreen.view, RunScreen.selected)
                yield Gist(id="gist").data_bind(RunScreen.view)
            with Vertical(id="right"):
                yield PaneTabs(id="tabs").data_bind(RunScreen.pane)
                yield Detail(id="detail").data_bind(RunScreen.view, RunScreen.selected, RunScreen.following)
                yield TimelinePane(id="timeline").data_bind(RunScreen.view)
        yield LogPane(self.desk.ring, id="log").data_bind(RunScreen.view)
        yield KeyBar(id="keys")

    @property
    def step(self) -> StepState | None:
        """The selected step."""
        return self.shown.state.steps.get(self.selected)

    @property
    def narrow(self) -> bool:
        """Whether the panes take turns."""
        return self.has_class("-narrow") or self.has_class("-short")

    @property
    def _next_pane(self) -> str:
        return PANES[(PANES.index(self.pane) + 1) % len(PANES)]

    def moment(self) -> Moment:
        """With the selected step."""
        return Moment(
            self.shown,
            self.SCREEN,
            step=self.step,
            doors=self.desk.doors,
            next_pane=self._next_pane if self.narrow else "",
            following=self.following,
        )

    def watch_view(self, view: View) -> None:
        """Follow the current step, and offer what can be done about it."""
        if self.following:
            self._go_to_current()
        self._offer_ways()
        current = view.current
        self.set_class(current is not None and current.status in TROUBLE, "-trouble")
        self._share_room()
        super().watch_view(view)

    def watch_selected(self) -> None:
        """Another step: other keys."""
        self._offer_ways()
        self._share_room()
        self.refresh_keys()

    def watch_following(self) -> None:
        """The way back to now is a key."""
        self.refresh_keys()

    def watch_pane(self, pane: str) -> None:
        """Another pane has its turn."""
        for name in PANES:
            self.set_class(name == pane, f"-show-{name}")
        self.refresh_keys()

    def on_resize(self, event: Resize) -> None:
        """Room is shared anew."""
        self.call_after_refresh(self._share_room)
        self.call_after_refresh(self.refresh_keys)

    def on_checklist_picked(self, message: Checklist.Picked) -> None:
        """A click on the checklist."""
        self._select(message.step)

    def on_pane_tabs_picked(self, message: PaneTabs.Picked) -> None:
        """A click on a pane's name."""
        self.pane = message.pane

    def catch_up(self) -> None:
        """Log lines came in."""
        for log in self.query(LogPane):
            log.catch_up()

    def beat(self, seconds: float) -> None:
        """Time went by."""
        for log in self.query(LogPane):
            log.beat(seconds)

    def action_up(self) -> None:
        """The step above."""
        self._move(-1)

    def action_down(self) -> None:
        """The step below."""
        self._move(1)

    def action_now(self) -> None:
        """Back to the current step."""
        self.following = True
        self._go_to_current()

    def action_pane(self) -> None:
        """The next pane."""
        self.pane = self._next_pane

    def action_page_up(self) -> None:
        """Read back."""
        self._scrolled().scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """Read on."""
        self._scrolled().scroll_page_down(animate=False)

    def _scrolled(self) -> Detail | TimelinePane:
        timeline = self.narrow and self.pane == "timeline"
        return self.query_one(TimelinePane) if timeline else self.query_one(Detail)

    def _move(self, by: int) -> None:
        ids = list(self.shown.state.steps)
        if ids:
            place = ids.index(self.selected) if self.selected in ids else 0
            self._select(ids[min(max(place + by, 0), len(ids) - 1)])

    def _select(self, step: str) -> None:
        current = self.shown.current
        self.selected = step
        self.following = current is not None and current.step.id == step
        self.pane = PANES[0]

    def _go_to_current(self) -> None:
        current = self.shown.current
        if current is not None:
            self.selected = current.step.id

    def _offer_ways(self) -> None:
        options = ways(self.moment()) if self.desk.steers else ()
        listed = tuple(Way(str(n), option.label, option.consequence) for n, option in enumerate(options, 1))
        self.query_one(Detail).ways = listed

    def _share_room(self) -> None:
        """The checklist comes before the gist below it, the step before the timeline below it."""
        height = self.query_one("#left").size.height
        needed = self.query_one(Checklist).needed(self.shown)
        self.query_one(Gist).limit = height - max(min(needed, height - 2), LEAST_CHECKLIST)
        self.call_after_refresh(self._share_right)

    def _share_right(self) -> None:
        timeline, detail = self.query_one(TimelinePane), self.query_one(Detail)
        if self.narrow:
            timeline.limit = 0
            return
        spare = self.query_one("#right").size.height - len(detail.lines) - RULES
        timeline.limit = min(max(spare, LEAST_LINES), timeline.wanted(self.shown))
