"""What screens and observers see of a run, on the event loop of the run.

The feed holds the latest state and a bounded tail of log lines, and tells every listener of every update in
the order in which it was published. One listener's failure never reaches another, nor the run.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence

from console.domain.hosting import LogEntry
from console.domain.state import RunState
from console.ports import LogLines, StateChanged, Update

TAIL_LINES = 10_000

_log = logging.getLogger(__name__)


class RunFeed:
    """The feed of one run. Publishing is synchronous: a listener must not block."""

    def __init__(self, state: RunState, *, tail_lines: int = TAIL_LINES) -> None:
        self._state = state
        self._tail: deque[LogEntry] = deque(maxlen=tail_lines)
        self._listeners: list[Callable[[Update], None]] = []

    @property
    def state(self) -> RunState:
        """The state as it is now."""
        return self._state

    @property
    def tail(self) -> Sequence[LogEntry]:
        """The last log lines, oldest first."""
        return self._tail

    def subscribe(self, listener: Callable[[Update], None]) -> Callable[[], None]:
        """Be told of every update from now on; call the result to stop (again is harmless)."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def publish(self, update: Update) -> None:
        """Take an update in and tell every listener of it."""
        if isinstance(update, StateChanged):
            self._state = update.state
        elif isinstance(update, LogLines):
            self._tail.extend(update.entries)
        for listener in tuple(self._listeners):
            try:
                listener(update)
            except Exception:
                _log.exception("a listener of the run's feed failed on %s", type(update).__name__)
