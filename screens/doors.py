"""Where leads go: further screens, each imported when it is opened first, and the helm where there is one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App

from console.ports import Helm
from screens.base import ConsoleScreen
from screens.commands import READING, STEERING
from screens.desk import Desk
from screens.leads import Act, Lead, Show, Travel
from screens.listening import Listening
from screens.reads import Reads

if TYPE_CHECKING:
    from screens.scrubbing import Scrubbing
    from screens.steering import Steering


STAYING = ("run", "incident")
"""The screens to which one comes back from others."""


def observers_desk(app: App[Any], listening: Listening, reads: Reads, show: Callable[[], None]) -> Desk:
    """The desk of those who watch: reading commands, doors to reading screens and to the past, and nothing else.

    `show` brings the screens up to date with what is listened to.
    """
    scrubbing: list[Scrubbing] = []

    def pursue(lead: Lead) -> None:
        if isinstance(lead, Travel):
            if not scrubbing:
                scrubbing.append(_scrubbing(app, listening, reads, show, lambda: pursue(Show("incident"))))
            scrubbing[0].pursue(lead)
            return
        if not isinstance(lead, Show):
            raise TypeError(f"{type(lead).__name__} leads to a helm, and there is none")
        open_screen(app, build(lead.screen, desk, listening, reads))

    past = frozenset({"past"} if reads.history is not None else ())
    desk = Desk(READING, pursue, doors(listening, reads) | past, listening.ring)
    return desk


def _scrubbing(
    app: App[Any], listening: Listening, reads: Reads, show: Callable[[], None], to_incident: Callable[[], None]
) -> "Scrubbing":
    from screens.scrubbing import Scrubbing

    if reads.history is None:
        raise TypeError("Travel leads to a history, and there is none")
    return Scrubbing(app, listening, reads.history, reads.says, show, to_incident)


def drivers_desk(app: App[Any], listening: Listening, reads: Reads, helm: Helm, *, settle: float) -> Desk:
    """The desk of whoever drives. `settle`: seconds for which a dialog takes no key."""
    steering: list[Steering] = []

    def pursue(lead: Lead) -> None:
        if isinstance(lead, Show):
            open_screen(app, build(lead.screen, desk, listening, reads))
        elif not isinstance(lead, Act | Travel):
            if not steering:
                steering.append(_steering(app, listening, helm, settle, lambda screen: pursue(Show(screen))))
            steering[0].pursue(lead)

    desk = Desk((*STEERING, *READING), pursue, doors(listening, reads), listening.ring, steers=True)
    return desk


def _steering(
    app: App[Any], listening: Listening, helm: Helm, settle: float, show: Callable[[str], None]
) -> "Steering":
    from screens.steering import Steering

    return Steering(helm, app, listening, show, settle=settle)


def doors(listening: Listening, reads: Reads) -> frozenset[str]:
    """The names of the screens that exist for this run."""
    exists = {
        "logs": True,
        "alerts": True,
        "incident": True,
        "messages": True,
        "help": True,
        "signoff": bool(listening.state.plan.signoffs),
        "preflight": reads.preflight is not None,
        "report": reads.report is not None,
    }
    return frozenset(name for name, there in exists.items() if there)


def open_screen(app: App[Any], screen: ConsoleScreen) -> None:
    """Open a screen over the run screen or the incident's, in place of another that is open there."""
    if isinstance(app.screen, ConsoleScreen) and app.screen.SCREEN not in STAYING:
        app.pop_screen()
    top = app.screen
    if not isinstance(top, ConsoleScreen) or top.SCREEN != screen.SCREEN:
        app.push_screen(screen)


def build(name: str, desk: Desk, listening: Listening, reads: Reads) -> ConsoleScreen:
    """The screen of this name. Raises KeyError for a name that there is none of."""
    view = listening.view()
    match name:
        case "logs":
            from screens.logs import LogsScreen

            return LogsScreen(desk, view)
        case "alerts":
            from screens.alerts import AlertsScreen

            return AlertsScreen(desk, view)
        case "incident":
            from screens.incident import IncidentScreen

            return IncidentScreen(desk, view)
        case "messages":
            from screens.messages import MessagesScreen

            return MessagesScreen(desk, view)
        case "signoff":
            from screens.signoff import SignoffScreen

            return SignoffScreen(desk, view)
        case "preflight" if reads.preflight is not None:
            from screens.preflight import PreflightScreen

            return PreflightScreen(desk, view, reads.preflight)
        case "report" if reads.report is not None:
            from screens.report import ReportScreen

            return ReportScreen(desk, view, reads.report)
        case "help":
            from screens.help import HelpScreen

            return HelpScreen(desk, view)
    raise KeyError(name)
