"""The part of the table that leads through a run's time. It is offered where a history can be read: to those who watch.

What always holds: one key, the same on every screen, leads into the past and back to live.
"""

from collections.abc import Callable

from screens.command import Command, Weight
from screens.leads import Jump, Travel
from screens.moment import Moment
from screens.paint import words

SCREENS = ("run", "incident", "messages", "logs", "alerts", "signoff")
"""The screens that can show another time than now."""


def _now(moment: Moment) -> bool:
    return "past" in moment.doors and moment.view.past is None


def _past(moment: Moment) -> bool:
    return moment.view.past is not None


def _going(
    id_: str,
    keys: tuple[str, ...],
    shown: str,
    label: str | Callable[[Moment], str],
    help_: str,
    jump: Jump,
    available: Callable[[Moment], bool] = _past,
    *,
    group: str = "Time",
    screens: tuple[str, ...] = SCREENS,
    weight: Weight = Weight.PLAIN,
    footer: bool = True,
) -> Command:
    return Command(
        id_, keys, shown, label, help_, group, available, lambda m: Travel(jump), screens, footer, weight=weight
    )


def _stretch(moment: Moment) -> str:
    past = moment.view.past
    return words.minutes(past.stretch) if past is not None else "a while"


def _play(moment: Moment) -> str:
    return "pause" if moment.view.past is not None and moment.view.past.playing else "play"


LIVE = (
    _going(
        "live",
        ("t",),
        "t",
        "back to live",
        "From the past back to what is now.",
        Jump.LIVE,
        screens=(),
        weight=Weight.NOW,
    ),
    _going(
        "live-out",
        ("escape",),
        "esc",
        "back to live",
        "The same, on the run's screen.",
        Jump.LIVE,
        screens=("run",),
        footer=False,
    ),
    _going("event-back", ("left",), "←", "one event back", "One event back.", Jump.EVENT_BACK, footer=False),
    _going("event-on", ("right",), "←→", "event", "One event on (→), or back (←).", Jump.EVENT_ON),
    _going(
        "turn-back",
        ("left_square_bracket", "ctrl+left"),
        "[",
        "last mark",
        "To the mark before: a step that began or ended, a signature, an incident.",
        Jump.TURN_BACK,
        footer=False,
    ),
    _going(
        "turn-on",
        ("right_square_bracket", "ctrl+right"),
        "[ ]",
        "mark",
        "To the next mark (]), or the one before ([).",
        Jump.TURN_ON,
    ),
    _going(
        "stretch-back",
        ("left_curly_bracket", "shift+left"),
        "{",
        "a while back",
        "A stretch of time back: a minute, in a run of an hour or two.",
        Jump.STRETCH_BACK,
        footer=False,
    ),
    _going(
        "stretch-on",
        ("right_curly_bracket", "shift+right"),
        "{ }",
        _stretch,
        "A stretch of time on (}), or back ({).",
        Jump.STRETCH_ON,
    ),
    _going("play", ("space",), "␣", _play, "Let the past go by as it did, or stop.", Jump.PLAY),
    _going("faster", ("plus",), "+", "faster", "Play faster.", Jump.FASTER, footer=False),
    _going("slower", ("minus",), "-", "slower", "Play slower.", Jump.SLOWER, footer=False),
    _going("time-begin", ("home",), "home", "begin", "To the run's first event.", Jump.BEGIN, footer=False),
    _going("time-end", ("end",), "end", "end", "To its last, or to now.", Jump.END, footer=False),
)
"""What there is in the past."""

LOOKING_BACK = (
    _going(
        "past",
        ("t",),
        "t",
        "look back",
        "Back and forth through the run's time: every screen as it was then.",
        Jump.PAST,
        _now,
        group="Screens",
    ),
    _going(
        "last-turn",
        ("left_square_bracket",),
        "[",
        "look back at the last mark",
        "Look back, at the last that mattered.",
        Jump.TURN_BACK,
        _now,
        group="Screens",
        footer=False,
    ),
)
"""What leads there."""
