"""Moments of an observer who looks back: runs with their events, and the keys that lead to an earlier time."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from console.domain.hosting import LogEntry
from screens.app import ConsoleApp
from tests.screens.incidents import rolled_back_story
from tests.screens.moments import Moment, log_of, signing_story
from tests.screens.story import BEGIN, Story


def log_since_the_begin(story: Story) -> tuple[LogEntry, ...]:
    """Some lines for every minute of the run, errors among the last of them."""
    minutes = int((story.now - BEGIN).total_seconds() // 60)
    ends = [BEGIN + timedelta(minutes=minute) for minute in range(1, minutes + 1)]
    lines = [line for end in ends for line in log_of(end, trouble=end is ends[-1])[:: 8 if end is not ends[-1] else 1]]
    return tuple(sorted(lines, key=lambda line: line.at))


def looking_back(story: Story, *keys: str) -> Moment:
    """A run as an observer sees it who then presses these keys."""
    return Moment(story.state, story.now, (), log_since_the_begin(story), keys, story.events)


def signed() -> Story:
    """A run in which two of four have signed, a little later."""
    return signing_story().wait(30)


def rolled_back() -> Story:
    """A run whose release was taken back."""
    return rolled_back_story()


def is_there(app: ConsoleApp) -> bool:
    """Whether the history is read and an earlier moment shown."""
    return app.listening is not None and app.listening.past is not None


PASTS: Mapping[str, Callable[[], Moment]] = {
    "past": lambda: looking_back(signed(), "t", *["left_square_bracket"] * 30),
    "past-now": lambda: looking_back(signed(), "t"),
    "past-begin": lambda: looking_back(signed(), "t", "home"),
    "past-logs": lambda: looking_back(signed(), "t", *["left_square_bracket"] * 4, "l"),
    "past-incident": lambda: looking_back(rolled_back(), "t", *["left_square_bracket"] * 12),
    "past-failed": lambda: looking_back(rolled_back(), "t", *["left_square_bracket"] * 40),
    "past-before": lambda: looking_back(rolled_back(), "t", "home"),
    "past-signoff": lambda: looking_back(signed(), "left_square_bracket", "left_square_bracket", "s"),
}
