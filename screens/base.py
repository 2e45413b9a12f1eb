"""What the console's screens have in common: the view, the keys of the one table, header and footer."""

from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import var

from screens.command import Weight
from screens.commands import READING, STEERING, Command
from screens.desk import Desk
from screens.leads import Act, Lead, Travel
from screens.moment import Moment
from screens.once import LeftOnce
from screens.view import View
from screens.widgets.keybar import Entry, KeyBar
from screens.widgets.logpane import Pulse
from screens.widgets.scrub import attend
from screens.widgets.tail import Tail

_KEPT = ("help", "incident", "incident-screen", "back")
"""Commands that the footer shows in any width, beside the next thing."""


def _kept(command: Command) -> bool:
    return command.id in _KEPT or command.weight is Weight.NOW


def _bindings(commands: tuple[Command, ...]) -> list[BindingType]:
    return [
        Binding(key, f"command('{command.id}')", command.help, show=False)
        for command in commands
        for key in command.keys
    ]


class ConsoleScreen(LeftOnce[None]):
    """A full screen of the console.

    `view` is the one thing that changes from outside; widgets are bound to it. A key works when the desk has
    its command and the command is available at this moment.
    """

    SCREEN: ClassVar[str] = "run"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = _bindings((*STEERING, *READING))
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-huge")]  # noqa: RUF012 (Textual reads a list)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (48, "-high")]  # noqa: RUF012 (Textual reads a list)

    view: var[View | None] = var(None, init=False)

    def __init__(self, desk: Desk, view: View) -> None:
        super().__init__()
        self.desk = desk
        self._covered = False
        self.set_reactive(ConsoleScreen.view, view)

    @property
    def shown(self) -> View:
        """The view; there always is one."""
        view = self.view
        if view is None:
            raise RuntimeError("a screen of the console is never without a view")
        return view

    def moment(self) -> Moment:
        """What decides which commands make sense now."""
        return Moment(self.shown, self.SCREEN, doors=self.desk.doors)

    def on_mount(self) -> None:
        """Fill the footer; above it stands a bar of times whenever the view is of the past."""
        self.call_after_refresh(self.refresh_keys)
        self.watch(self, "view", partial(attend, self, lambda moment: self.desk.pursue(Travel(moment))))

    def watch_view(self, view: View) -> None:
        """The commands that make sense may have changed."""
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Bring the footer up to date."""
        if not self.is_mounted:
            return
        if self._covered:
            for bar in self.query(KeyBar):
                bar.entries = ()
            return
        moment = self.moment()
        for bar in self.query(KeyBar):
            bar.entries = tuple(
                Entry(command.id, command.shown, command.says(moment), command.weight.value, _kept(command))
                for command in self.desk.working(moment)
                if command.footer
            )

    def on_screen_suspend(self) -> None:
        """A dialog or another screen lies over this one: no key is this one's now."""
        self._covered = True
        self.refresh_keys()

    def on_screen_resume(self) -> None:
        """On top again."""
        self._covered = False
        self.refresh_keys()

    def catch_up(self) -> None:
        """Log lines came in: whatever tail the screen has shows them."""
        for tail in self.query(Tail):
            tail.catch_up()
        for pulse in self.query(Pulse):
            pulse.repaint()

    def beat(self, seconds: float) -> None:
        """So many seconds went by: whatever pulse the screen has counts them."""
        for pulse in self.query(Pulse):
            pulse.beat(seconds)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A command that does not work now is no binding now, unless there is something to say about it."""
        if action != "command":
            return True
        if not parameters:
            return False
        command, moment = str(parameters[0]), self.moment()
        return self.desk.command(command, moment) is not None or bool(self.desk.why_not(command, moment))

    async def action_command(self, command_id: str) -> None:
        """Do what a command of the table says; what comes late, when another screen lies over this one, is let go."""
        if not self.is_active:
            return
        command = self.desk.command(command_id, self.moment())
        if command is None:
            why = self.desk.why_not(command_id, self.moment())
            if why:
                self.notify(why, title="Not now", timeout=5, markup=False)
            return
        lead = command.leads(self.moment())
        if lead is not None:
            await self.pursue(lead)

    async def pursue(self, lead: Lead) -> None:
        """Follow a lead: what the screen does itself here, everything else at the desk."""
        if isinstance(lead, Act):
            await self.run_action(lead.name)
        else:
            self.desk.pursue(lead)

    async def on_key_bar_pressed(self, message: KeyBar.Pressed) -> None:
        """A click on the footer does what the key does."""
        await self.action_command(message.command)

    def action_back(self) -> None:
        """Leave this screen. The run's own stays: nothing that could be shown lies below it."""
        if self.SCREEN != ConsoleScreen.SCREEN:
            self.dismiss()
