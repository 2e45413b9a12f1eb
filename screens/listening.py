"""Listening to the feed of a run: what was heard since the last frame, and the view that follows from it.

A listener must not block: updates are only put down here, log lines in their ring, and `wake` asks for one frame
however many come.
"""

from collections.abc import Callable
from datetime import datetime

from console.domain.state import RunState, StepStatus
from console.ports import Feed, JournalFailed, LogLines, StateChanged, StepNews, TailStatus, Update
from screens.classify import mark_of
from screens.company import ALONE
from screens.heard import Heard, hear
from screens.looking import NOT_LOOKING, Looking
from screens.ring import Ring
from screens.scrubber import Scrubber
from screens.view import View


class Listening:
    """The feed as the screens need it: the log in a ring, everything else in views."""

    def __init__(self, feed: Feed, now: Callable[[], datetime], wake: Callable[[], None], *, driving: bool) -> None:
        self.feed = feed
        self.now = now
        """The wall time, UTC."""
        self._wake = wake
        self._driving = driving
        self._news: dict[str, Heard] = {}
        self._lines_came = False
        self._tail = TailStatus(connected=bool(feed.tail), reason="" if feed.tail else "nothing arrived yet")
        self._record_failed = ""
        self._looking = NOT_LOOKING
        self._company = ALONE
        self._changed = False
        self._moved = False
        self.past: Scrubber | None = None
        """Where somebody looks back to; None while what is shown is now."""
        self.ring = Ring(mark_of, names={service.id: service.key for service in feed.state.plan.services})
        self.ring.extend(feed.tail)
        self.stop = feed.subscribe(self.hear)
        """Hear no more."""

    @property
    def state(self) -> RunState:
        """The state as it is now."""
        return self.feed.state

    def view(self) -> View:
        """What there is to show at this moment, or at the one that is looked back to."""
        now = View(
            self.state,
            self.now(),
            dict(self._news),
            self._tail,
            self._driving,
            self._record_failed,
            self._looking,
            self._company,
        )
        return now if self.past is None else self.past.view(now)

    def stand(self, past: Scrubber | None) -> None:
        """Show what was where a scrubber stands, and again after every move of it; None: show what is now."""
        self.past = past
        self.ring.stand_at(None if past is None else past.at)
        self._changed = self._moved = True
        self._wake()

    def hear(self, update: Update) -> None:
        """Put an update down."""
        match update:
            case StateChanged(state):
                running = {i for i, step in state.steps.items() if step.status is StepStatus.RUNNING}
                self._news = {step: news for step, news in self._news.items() if step in running}
                if self.past is not None and not self.past.hear(update):
                    self.stand(None)
            case StepNews(step, progress):
                self._news[step] = hear(self._news.get(step), progress, self.now())
            case LogLines(entries):
                self.ring.extend(entries)
                self._lines_came = True
            case TailStatus():
                self._tail = update
            case JournalFailed(message, remedy):
                self._record_failed = f"{message} {remedy}".strip()
            case _:
                self._company = self._company.hear(update, self.now())
        self._changed = self._changed or not isinstance(update, LogLines)
        self._wake()

    def is_told(self, reason: str) -> None:
        """The log cannot be heard yet, for this reason."""
        self.hear(TailStatus(connected=False, reason=reason))

    def looks(self, *, refusal: str = "", remedy: str = "", over: bool = False) -> None:
        """Whoever drives here began to look where production stands, or the look is over: seen, or refused."""
        self._looking = Looking(None if over else self.now(), refusal, remedy)
        self._changed = True
        self._wake()

    def take(self) -> tuple[bool, bool]:
        """What is new since the last time: whether the view changed, whether lines came in."""
        lines, self._lines_came = self._lines_came, False
        if lines and not self._tail.connected:
            self._tail = TailStatus(connected=True)
            self._changed = True
        changed, self._changed = self._changed, False
        moved, self._moved = self._moved, False
        return changed, lines or moved
