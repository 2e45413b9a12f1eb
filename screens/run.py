"""The run screen: checklist, step, timeline and log; where everything is driven from, and watched.

The cursor follows the current step until somebody moves it, and again once it is put back there. On a small
terminal step, timeline and log take turns.
"""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize
from textual.reactive import var

from console.domain.state import StepStatus
from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.moment import Moment
from screens.paint.detail import Way
from screens.view import View
from screens.ways import ways
from screens.widgets.columns import LeftColumn, RightColumn
from screens.widgets.keybar import KeyBar
from screens.widgets.logpane import LogPane
from screens.widgets.panes import Checklist, Header
from screens.widgets.tabs import PANES, PaneTabs

TROUBLE = (StepStatus.FAILED, StepStatus.UNCERTAIN)


class RunScreen(ConsoleScreen):
    """Renders the view; sends nothing by itself."""

    CSS_PATH: ClassVar[Path | str] = "run.tcss"

    selected: var[str] = var("", init=False)
    """The id of the selected step."""
    following: var[bool] = var(True, init=False)
    """Whether the cursor follows the current step."""
    pane: var[str] = var(PANES[0])
    """Which pane has its turn on a small terminal."""
    turns: var[bool] = var(False, init=False)
    """Whether the panes take turns."""
    ways: var[tuple[Way, ...]] = var((), init=False)
    """What can be done about the selected step when something is wrong with it."""

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        current = view.current
        self.set_reactive(RunScreen.selected, current.step.id if current is not None else "")
        self.set_class(current is not None and current.status in TROUBLE, "-trouble")

    def compose(self) -> ComposeResult:
        """Header, checklist at the left, step and timeline at the right, log below, keys."""
        yield Header(id="header").data_bind(RunScreen.view)
        with Horizontal(id="upper"):
            yield LeftColumn(id="left").data_bind(RunScreen.view, RunScreen.selected)
            yield RightColumn(id="right").data_bind(
                RunScreen.view,
                RunScreen.selected,
                RunScreen.following,
                RunScreen.ways,
                RunScreen.pane,
                RunScreen.turns,
            )
        yield LogPane(self.desk.ring, id="log").data_bind(RunScreen.view)
        yield KeyBar(id="keys")

    def moment(self) -> Moment:
        """With the selected step, and the pane that comes next."""
        return Moment(
            self.shown,
            self.SCREEN,
            step=self.shown.state.steps.get(self.selected),
            doors=self.desk.doors,
            next_pane=_after(self.pane) if self.turns else "",
            following=self.following,
        )

    def watch_view(self, view: View) -> None:
        """Follow the current step, and offer what can be done about it."""
        current = view.current
        if self.following and current is not None:
            self.selected = current.step.id
        self.set_class(current is not None and current.status in TROUBLE, "-trouble")
        self._selected_anew()

    def watch_pane(self, pane: str) -> None:
        """Another pane has its turn."""
        for name in PANES:
            self.set_class(name == pane, f"-show-{name}")
        self.refresh_keys()

    def on_resize(self, event: Resize) -> None:
        """On a small terminal the panes take turns."""
        self.turns = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        self.call_after_refresh(self._selected_anew)

    def on_checklist_picked(self, message: Checklist.Picked) -> None:
        """A click on the checklist."""
        self._select(message.step)

    def on_pane_tabs_picked(self, message: PaneTabs.Picked) -> None:
        """A click on a pane's name."""
        self.pane = message.pane

    def action_move(self, by: int) -> None:
        """The step above or below."""
        ids = list(self.shown.state.steps)
        if ids:
            place = ids.index(self.selected) if self.selected in ids else 0
            self._select(ids[min(max(place + by, 0), len(ids) - 1)])

    def action_now(self) -> None:
        """Back to the current step."""
        current = self.shown.current
        if current is not None:
            self._select(current.step.id)

    def action_pane(self) -> None:
        """The next pane."""
        self.pane = _after(self.pane)

    def action_page(self, by: int) -> None:
        """Read on, or back."""
        self.query_one(RightColumn).page(by)

    def _select(self, step: str) -> None:
        current = self.shown.current
        self.selected = step
        self.following = current is not None and current.step.id == step
        self.pane = PANES[0]
        self._selected_anew()

    def _selected_anew(self) -> None:
        """Another step is selected, or the same stands otherwise: other ways, other keys."""
        options = ways(self.moment()) if self.desk.steers else ()
        self.ways = tuple(
            Way(str(n), option.label, option.consequence, option.recommended) for n, option in enumerate(options, 1)
        )
        self.refresh_keys()


LEAST_WIDTH, LEAST_HEIGHT = RunScreen.HORIZONTAL_BREAKPOINTS[1][0], RunScreen.VERTICAL_BREAKPOINTS[1][0]
"""From this size on all panes are there at once."""


def _after(pane: str) -> str:
    return PANES[(PANES.index(pane) + 1) % len(PANES)]
