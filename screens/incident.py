"""The incident screen: where production stands and the ways back, then the way that is gone, to its end.

What always holds: the band names one next thing and its key; until a person moves the cursor it stands on the
recommended way, and on a way that is gone it follows the current step.
"""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.reactive import var

from console.domain.standing import Way as WayName
from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.going_back import Prompt, prompt
from screens.moment import Moment
from screens.paint.detail import Way
from screens.paint.ways_back import ordered
from screens.view import View
from screens.ways import ways
from screens.widgets.incident import (
    NOTHING,
    Band,
    StandingPane,
    StepOfTheWay,
    Summary,
    WayPane,
    WaysPane,
)
from screens.widgets.keybar import KeyBar
from screens.widgets.logpane import LogPane
from screens.widgets.panes import Checklist, Header
from screens.widgets.timeline import TimelinePane

LEAST_WIDTH, LEAST_HEIGHT = 110, 30
"""From this size on what is selected stands beside the ways, and the large clock above them."""
ENOUGH = 36
"""Lines from which on everything has room one below the other."""


class IncidentScreen(ConsoleScreen):
    """Renders the view; sends nothing by itself."""

    CSS_PATH: ClassVar[Path | str] = "incident.tcss"
    SCREEN: ClassVar[str] = "incident"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (LEAST_WIDTH, "-wide"), (160, "-huge")]  # noqa: RUF012 (as in base)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-short"), (LEAST_HEIGHT, "-tall"), (48, "-high")]  # noqa: RUF012

    chosen: var[str] = var("", init=False)
    """The value of the selected way back."""
    selected: var[str] = var("", init=False)
    """The id of the selected step of the way that is gone."""
    following: var[bool] = var(True, init=False)
    """Whether the cursor follows: the recommended way, then the current step."""
    way_view: var[View | None] = var(None, init=False)
    """The view of nothing but the way that is gone."""
    prompt: var[Prompt] = var(NOTHING, init=False)
    ways: var[tuple[Way, ...]] = var((), init=False)
    """What can be done about the selected step when something is wrong with it."""
    brief: var[bool] = var(False, init=False)
    """Whether there is little room."""

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__(desk, view)
        self.set_reactive(IncidentScreen.way_view, view.of_the_way())
        self._going = view.state.rollback is not None
        self._place(view)

    def compose(self) -> ComposeResult:
        """Header and band; where production stands and the ways, or the way that is gone; log and keys."""
        screen = IncidentScreen
        yield Header().data_bind(screen.view)
        yield Band(id="band").data_bind(screen.view, screen.prompt)
        with Horizontal(id="choosing"):
            with Vertical(id="offers"):
                yield StandingPane(id="standing").data_bind(screen.view, screen.brief)
                yield WaysPane(id="ways").data_bind(screen.view, screen.chosen, screen.brief)
            yield WayPane(id="way").data_bind(screen.view, screen.chosen)
        with Horizontal(id="going"):
            with Vertical(id="left"):
                yield Checklist(id="checklist").data_bind(screen.selected, view=screen.way_view)
                yield Summary(id="summary").data_bind(screen.brief, view=screen.way_view)
            with Vertical(id="right"):
                detail = StepOfTheWay(id="detail")
                yield detail.data_bind(screen.selected, screen.following, screen.ways, view=screen.way_view)
                yield TimelinePane(id="timeline").data_bind(view=screen.way_view)
        yield LogPane(self.desk.ring, id="log").data_bind(screen.view)
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Show what is to be shown first."""
        self._anew()

    def moment(self) -> Moment:
        """With the selected way while one is to be chosen, with the selected step while one is gone."""
        view = self.shown
        going = view.state.rollback is not None
        assessment = view.assessment
        return Moment(
            view,
            self.SCREEN,
            step=view.state.steps.get(self.selected) if going else None,
            way=assessment.offer(WayName(self.chosen)) if assessment and self.chosen and not going else None,
            doors=self.desk.doors,
            following=self.following or not going,
        )

    def watch_view(self, view: View) -> None:
        """Follow, where the person has not moved; another way or none is gone: from its beginning."""
        going = view.state.rollback is not None
        if going is not self._going:
            self._going, self.following = going, True
        self.way_view = view.of_the_way()
        self._place(view)
        if self.is_mounted:
            self._anew()

    def on_resize(self, event: Resize) -> None:
        """A small terminal shows the same in fewer lines."""
        self.brief = event.size.width < LEAST_WIDTH and event.size.height < ENOUGH

    def on_ways_pane_picked(self, message: WaysPane.Picked) -> None:
        """A click on a way."""
        self._pick(message.way)

    def on_checklist_picked(self, message: Checklist.Picked) -> None:
        """A click on a step."""
        self._select(message.step)

    def action_move(self, by: int) -> None:
        """The way, or the step of the way that is gone, above or below."""
        state = self.shown.state
        if state.rollback is not None:
            ids = [step.step.id for step in state.active]
            if ids:
                self._select(_beside(ids, self.selected, by))
        else:
            offered = [way.way.value for way in ordered(self.shown.assessment)]
            if offered:
                self._pick(_beside(offered, self.chosen, by))

    def action_now(self) -> None:
        """Back to the current step."""
        current = self.shown.current
        if current is not None:
            self._select(current.step.id)

    def action_page(self, by: int) -> None:
        """Read on, or back."""
        pane = self.query_one(StepOfTheWay if self.shown.state.rollback is not None else WayPane)
        pane.scroll_relative(y=by * max(pane.size.height - 1, 1), animate=False)

    def _place(self, view: View) -> None:
        """Put the cursor where it belongs, unless a person has moved it to something that is still there."""
        offered = ordered(view.assessment)
        values = [way.way.value for way in offered]
        if values and (self.following or self.chosen not in values):
            self.chosen = next((way.way.value for way in offered if way.recommended), values[0])
        current = view.current
        follows = self.following or view.state.set_aside(self.selected)
        if view.state.rollback is not None and current is not None and follows:
            self.selected = current.step.id

    def _pick(self, way: str) -> None:
        self.chosen, self.following = way, False
        self._anew()

    def _select(self, step: str) -> None:
        current = self.shown.current
        self.selected = step
        self.following = current is not None and current.step.id == step
        self._anew()

    def _anew(self) -> None:
        """Something else is selected or stands otherwise: another next thing, other ways out, other keys."""
        moment = self.moment()
        self.set_class(moment.state.rollback is None, "-choosing")
        self.set_class(moment.state.rollback is not None, "-going")
        self.set_class(bool(ways(moment)) or moment.state.complete, "-reading")
        self.prompt = prompt(moment)
        options = ways(moment) if self.desk.steers else ()
        self.ways = tuple(
            Way(str(number), option.label, option.consequence) for number, option in enumerate(options, 1)
        )
        self.refresh_keys()


def _beside(ids: list[str], now: str, by: int) -> str:
    place = ids.index(now) if now in ids else 0
    return ids[min(max(place + by, 0), len(ids) - 1)]
