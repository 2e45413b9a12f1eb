"""The one table of commands: what can be pressed, when, and where it leads.

Key bindings, the footer, the palette and the help screen are all read from here. `READING` is for everybody;
`STEERING` exists only where there is a helm.
"""

from collections.abc import Callable

from console.domain.state import RunStatus
from screens.command import Command, Weight
from screens.leads import Act, Show
from screens.moment import Moment
from screens.scrub_commands import LIVE, LOOKING_BACK
from screens.steering_commands import STEERING

__all__ = ["READING", "STEERING", "Command"]


_OF_NOW = ("report", "preflight")
"""Screens that read anew when they are opened: they have no past."""


def _door(moment: Moment, name: str) -> bool:
    if moment.view.past is not None and name in _OF_NOW:
        return False
    return name in moment.doors and moment.screen != name


def _of_now(moment: Moment, name: str) -> str:
    gone = moment.view.past is not None and name in _OF_NOW and name in moment.doors
    return "That is only ever written as of now: t takes you back to live." if gone else ""


def _screen(name: str, key: str, label: str | Callable[[Moment], str], help_: str, shown: str = "") -> Command:
    return Command(
        name,
        (key,),
        shown or key,
        label,
        help_,
        "Screens",
        lambda m: _door(m, name),
        lambda m: Show(name),
        screens=(),
        why_not=lambda m: _of_now(m, name),
    )


_SCROLLING = ("run", "incident", "help")
_LISTS = ("run", "incident", "messages", "signoff", "alerts", "preflight", "help")


def _local(
    id_: str, keys: tuple[str, ...], shown: str, act: str, help_: str, screens: tuple[str, ...], label: str = ""
) -> Command:
    """Something that the screen itself does. Only what has a label stands in the footer."""
    said = label or id_.replace("-", " ")
    return Command(
        id_, keys, shown, said, help_, "Moving", lambda m: True, lambda m: Act(act), screens, footer=bool(label)
    )


def _alerts_label(moment: Moment) -> str:
    state = moment.state
    raised = sum(1 for alert in state.alerts.values() if not alert.cleared)
    findings = sum(1 for f in state.findings.values() if f.severity != "note" and not f.overridden)
    return f"warnings ({raised + findings})" if raised + findings else "warnings"


def _back_label(moment: Moment) -> str:
    if moment.searching:
        return "end the search"
    return "back" if moment.screen != "incident" and moment.state.incident_at is not None else "back to the run"


def _has_incident(moment: Moment) -> bool:
    """Whether an incident is open, or was and the run is closed."""
    state = moment.state
    return state.incident_at is not None or (state.status is RunStatus.FINISHED and bool(state.incidents))


def _messages_label(moment: Moment) -> str:
    messages = moment.state.messages.values()
    undelivered = sum(1 for message in messages if message.undelivered)
    waiting = sum(1 for message in messages if message.waits)
    if undelivered:
        return f"messages ({undelivered} undelivered)"
    return f"messages ({waiting} to send)" if waiting else "messages"


READING: tuple[Command, ...] = (
    *LIVE,
    Command(
        "now",
        ("g", "full_stop"),
        "g",
        "go to now",
        "Put the cursor back on the current step and follow it.",
        "Moving",
        lambda m: not m.following,
        lambda m: Act("now"),
        screens=("run", "incident"),
    ),
    Command(
        "pane",
        ("tab",),
        "⇥",
        lambda m: m.next_pane,
        "On a small terminal: step, timeline and log take turns.",
        "Moving",
        lambda m: bool(m.next_pane),
        lambda m: Act("pane"),
    ),
    _local("follow", ("f",), "f", "follow", "To the end of the log, and stay there.", ("logs",), "follow"),
    _local("first-error", ("x",), "x", "first_error", "To the first line that was an error.", ("logs",), "first error"),
    _local("search", ("slash",), "/", "search", "Only lines with a text.", ("logs",), "search"),
    _local("service", ("v",), "v", "next_service", "Only one service's lines, each in turn.", ("logs",), "service"),
    _local("grade", ("e",), "e", "next_grade", "Only errors, only schema errors, everything.", ("logs",), "grade"),
    _local("copy", ("y",), "y", "copy", "Copy the chosen message, to send it by hand.", ("messages",), "copy the text"),
    _local("up", ("up", "k"), "↑", "move(-1)", "The line above.", _LISTS),
    _local("down", ("down", "j"), "↓", "move(1)", "The line below.", _LISTS),
    _local("page-up", ("pageup",), "⇞", "page(-1)", "Scroll up by a page.", _SCROLLING),
    _local("page-down", ("pagedown",), "⇟", "page(1)", "Scroll down by a page.", _SCROLLING),
    Command(
        "incident-screen",
        ("i",),
        "i",
        lambda m: "the way back" if m.state.rollback is not None else "ways back",
        "The incident: where production stands, the ways back with their prices, and the one that is gone.",
        "Incident",
        lambda m: _door(m, "incident") and _has_incident(m),
        lambda m: Show("incident"),
        screens=(),
        weight=Weight.DANGER,
    ),
    Command(
        "messages",
        ("m",),
        "m",
        _messages_label,
        "Words to the stakeholders: drafts to be edited and sent, and what became of each.",
        "Incident",
        lambda m: _door(m, "messages") and (bool(m.state.messages) or _has_incident(m)),
        lambda m: Show("messages"),
        screens=(),
    ),
    _screen("logs", "l", "logs", "The log of all services, full screen: filter, search, first error."),
    _screen("alerts", "w", _alerts_label, "Warnings: alerts that were raised, and findings with their remedies."),
    _screen("signoff", "s", "sign-off", "The signatures that the plan asks for, and what they are bound to."),
    _screen("preflight", "p", "preflight", "Go or no-go: looks at everything the plan needs. Changes nothing."),
    _screen("report", "r", "record", "The plan's own document, filled in from the journal so far."),
    *LOOKING_BACK,
    _screen("help", "question_mark", "help", "Every key, and what the signs mean.", "?"),
    Command(
        "palette",
        ("ctrl+p",),
        "^p",
        "commands",
        "Find a command by its name.",
        "Screens",
        lambda m: True,
        lambda m: Act("app.command_palette"),
        screens=(),
    ),
    Command(
        "theme",
        ("ctrl+t",),
        "^t",
        "light or dark",
        "Switch between the light and the dark theme.",
        "Screens",
        lambda m: True,
        lambda m: Act("app.switch_theme"),
        screens=(),
        footer=False,
    ),
    Command(
        "back",
        ("escape",),
        "esc",
        _back_label,
        "Back to the run, or to the incident from where you came.",
        "Screens",
        lambda m: m.screen != "run",
        lambda m: Act("back"),
        screens=(),
    ),
    Command(
        "quit",
        ("q", "ctrl+q"),
        "q",
        "quit",
        "Leave. A run that is open stays open and can be resumed.",
        "Screens",
        lambda m: True,
        lambda m: Act("app.leave"),
        screens=(),
    ),
)
