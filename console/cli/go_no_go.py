"""Go or no-go: before a run begins, the preflight looks and its findings become part of the record."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from console.cli.session import Session
from console.domain.findings import Finding, news
from console.domain.intents import Intent, Start
from console.domain.state import RunStatus


class GoNoGo:
    """The helm of a session. A run begins only after the preflight has looked; a blocker then refuses the start."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._one_at_a_time = asyncio.Lock()
        self._looked = False

    async def send(self, intent: Intent) -> None:
        """Pass an intent on to the conductor. Raises Refused."""
        if isinstance(intent, Start) and not self._looked:
            await self.look()
        await self._session.conductor.send(intent)

    async def look(self) -> tuple[Finding, ...]:
        """What the preflight finds now. Until the run has begun it is recorded; afterwards it is only shown."""
        from console.preflight import run

        async with self._one_at_a_time:
            drivers = self._session.feed.state.drivers
            seen = await run(self._session.plan, self._session.wired.ports, drivers=drivers)
            found = tuple(without_secrets(each, self._session.wired.redactor.text) for each in seen)
            if self._session.feed.state.status is RunStatus.NOT_STARTED:
                await self._session.conductor.record(lambda state: news(state, found))
            self._looked = True
            return found


def without_secrets(finding: Finding, redact: Callable[[str], str]) -> Finding:
    """A finding as it may be shown and printed."""
    return replace(
        finding, message=redact(finding.message), evidence=redact(finding.evidence), remedy=redact(finding.remedy)
    )
