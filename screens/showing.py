"""A run that is shown: what is heard of it reaches the screens frame by frame, and leads go where they lead.

Loaded when there is a run to show; the application itself stands before that.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from textual.app import App

from console.domain.state import RunStatus
from console.ports import Feed, Helm
from screens.base import ConsoleScreen
from screens.dialogs.base import SETTLE, Dialog
from screens.doors import drivers_desk, observers_desk
from screens.leads import Show
from screens.listening import Listening
from screens.reads import Reads
from screens.run import RunScreen
from screens.too_small import fit

OPEN = (RunStatus.RUNNING, RunStatus.HELD)


class Showing:
    """One run on the screens of an application. `wake` asks for a frame; `settle` as in `screens.dialogs.base`."""

    def __init__(
        self,
        app: App[Any],
        feed: Feed,
        helm: Helm | None,
        reads: Reads | None,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        settle: float | None,
    ) -> None:
        self._app = app
        self._settle = SETTLE if settle is None else settle
        self._led_to: datetime | None = None
        self.listening = Listening(feed, now, wake, driving=helm is not None)
        if helm is None:
            self._desk = observers_desk(app, self.listening, reads or Reads(), self.frame)
        else:
            self._desk = drivers_desk(app, self.listening, reads or Reads(), helm, settle=self._settle)

    def begin(self) -> None:
        """The run screen in place of whatever was shown before there was a run; in an incident that one's above it."""
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()
        self._app.push_screen(RunScreen(self._desk, self.listening.view()))
        self._lead_to_incident()
        fit(self._app, self._app.size)

    def frame(self) -> None:
        """Show what has been heard since the last frame."""
        changed, lines = self.listening.take()
        if changed:
            self._show()
            if not self._desk.steers and self.listening.past is None:
                self._lead_to_incident()
        for screen in self._audience() if lines else ():
            if isinstance(screen, ConsoleScreen):
                screen.catch_up()

    def tick(self, seconds: float) -> None:
        """The clock moved by so many seconds."""
        for screen in self._audience():
            if isinstance(screen, ConsoleScreen):
                screen.beat(seconds)
        if self.listening.state.status is not RunStatus.FINISHED:
            self._show()

    def before_leaving(self) -> Dialog[bool] | None:
        """What is asked before the console is left: of whoever drives an open run, and of nobody else."""
        if not self._desk.steers or self.listening.state.status not in OPEN:
            return None
        from screens.dialogs.leave import LeaveDialog

        return LeaveDialog(self.listening.view(), settle=self._settle)

    def _lead_to_incident(self) -> None:
        """To the screen of an incident that is open, once; whoever declares one here is led there by declaring it."""
        since = self.listening.state.incident_at
        if since is not None and since != self._led_to and isinstance(self._app.screen, ConsoleScreen):
            self._led_to = since
            self._desk.pursue(Show("incident"))

    def _show(self) -> None:
        view = self.listening.view()
        for screen in self._audience():
            screen.view = view

    def _audience(self) -> list[ConsoleScreen | Dialog[Any]]:
        """The screens that can be shown something: built, and not being taken down."""
        if not self._app.is_running or self._app.return_code is not None:
            return []
        return [s for s in self._app.screen_stack if isinstance(s, ConsoleScreen | Dialog) and s.is_mounted]
