"""Watching production beside the run: deploys of its services, and alerts that depend on time.

What is seen and what it leads to are events; the watching itself changes nothing and stops nothing. When the
provider does not answer, that is said once, and said again when it does.
"""

from collections.abc import Awaitable, Callable

from console.domain.events import Event
from console.domain.state import RunStatus
from console.domain.watch import PROVIDER, alert, clear, watch_deploys, watch_schema_gap
from console.engine.writer import Decision
from console.errors import HostingError, JournalError, Refused
from console.ports import Clock, Feed, Hosting

Record = Callable[[Decision], Awaitable[tuple[Event, ...]]]

INTERVAL = 5.0
"""Wall seconds between two looks."""

PATIENCE = 3
"""Looks without an answer before that is said."""


class Monitor:
    """Looks at production every few seconds while the run is open. `run` until it is finished, or cancelled."""

    def __init__(
        self, feed: Feed, record: Record, clock: Clock, hosting: Hosting, *, interval: float = INTERVAL
    ) -> None:
        self._feed = feed
        self._record = record
        self._clock = clock
        self._hosting = hosting
        self._interval = interval
        self._unanswered = 0

    async def run(self) -> None:
        """Watch until the run is finished, or nobody drives it any more."""
        try:
            while self._feed.state.status is not RunStatus.FINISHED:
                if self._feed.state.started_at is not None:
                    await self.look()
                await self._clock.sleep(self._interval)
        except (Refused, JournalError):
            return  # the conductor has let go, and has said why

    async def look(self) -> None:
        """Look once."""
        now = self._clock.now()
        await self._say(lambda state: watch_schema_gap(state, now))
        try:
            for service in self._feed.state.plan.services_in("production"):
                await self._look_at(service.key, service.id)
        except HostingError as error:
            await self._no_answer(error)
        else:
            self._unanswered = 0
            await self._say(lambda state: clear(state, PROVIDER, "the provider answers again"))

    async def _look_at(self, key: str, service_id: str) -> None:
        deploys = await self._hosting.deploys(service_id, limit=3)
        await self._say(lambda state: watch_deploys(state, key, deploys))

    async def _no_answer(self, error: HostingError) -> None:
        self._unanswered += 1
        if self._unanswered >= PATIENCE:
            message = f"The provider does not answer: {error.message} Deploys are not being watched."
            await self._say(lambda state: alert(state, PROVIDER, message, severity="warning", offer=None))

    async def _say(self, decision: Decision) -> None:
        """Record what is to be said; nothing is queued when there is nothing."""
        if decision(self._feed.state):
            await self._record(decision)
