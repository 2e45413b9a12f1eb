"""The one place through which the stand-in changes its state: saved at once, told as events.

Whatever was answered to a client has been saved before the answer; counters alone may lag by a moment.
"""

from console.sandbox.render.identity import new_id
from console.sandbox.render.state import Event, JsonObject, State, StateFile
from console.sandbox.render.times import utc_now

_MOST_EVENTS = 2_000


class Ledger:
    """Holds the state and its file; the parts of the stand-in share one."""

    def __init__(self, state: State, file: StateFile) -> None:
        self.state = state
        self._file = file

    def save(self) -> None:
        """Make every change so far durable."""
        self._file.save(self.state)

    def event(self, service_id: str, kind: str, details: JsonObject | None = None) -> None:
        """Record that something happened to a service (`kind` is one of the API's event types)."""
        events = self.state.events
        events.append(Event(new_id("evt"), utc_now(), service_id, kind, details or {}))
        del events[:-_MOST_EVENTS]

    def count_request(self, method: str, route: str) -> None:
        """Count an API request; saved with the next change, or when the stand-in tidies up."""
        key = f"{method} {route}"
        self.state.api_requests[key] = self.state.api_requests.get(key, 0) + 1
