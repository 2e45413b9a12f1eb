"""Which screen a name opens. Each is imported when it is opened for the first time, not before."""

from screens.base import ConsoleScreen
from screens.desk import Desk
from screens.reads import Reads
from screens.view import View


def build(name: str, desk: Desk, view: View, reads: Reads) -> ConsoleScreen:
    """The screen of this name. Raises KeyError for a name that there is none of."""
    match name:
        case "logs":
            from screens.logs import LogsScreen

            return LogsScreen(desk, view)
        case "alerts":
            from screens.alerts import AlertsScreen

            return AlertsScreen(desk, view)
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
