"""The database after the release: sessions, the longest query, who waits for a lock."""

from datetime import datetime

from console.actions.production import in_production
from console.actions.provider_time import ProviderTime
from console.actions.sessions import longest, others, session_text
from console.actions.watching import watch
from console.actions.window_monitor import BREACH_REMEDY, WindowMonitor, window_evidence
from console.actions.wording import counted, lasting
from console.domain.databases import Backend
from console.domain.outcome import Evidence
from console.domain.plan import Json
from console.errors import StepFailed
from console.ports import Context, Database, Hosting, Report


class MonitorDatabase(WindowMonitor):
    """`monitor.database`: sessions, the longest query, who waits for a lock.

    Evidence: the window's, `most_connections`, `longest_query` (seconds), `most_waiting`.
    """

    what = "the database's sessions, queries and locks"

    def __init__(self, hosting: Hosting, database: Database) -> None:
        super().__init__(hosting)
        self._database = database

    def limits(self, ctx: Context) -> list[tuple[str, str]]:
        """The most sessions, the longest query."""
        limits = ctx.plan.thresholds
        return [("sessions", f"at most {limits.connections}"), ("longest query", f"at most {limits.longest_query:g} s")]

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Sample the sessions. Raises StepFailed with the session on a breach."""
        most = {"connections": 0.0, "longest_query": 0.0, "waiting": 0.0}
        with in_production(ctx, BREACH_REMEDY):
            provider = await ProviderTime.measured(self.hosting, ctx.clock)

            async def look(start: datetime, now: datetime) -> tuple[dict[str, Json], str]:
                backends = others(await self._database.backends())
                _check_sessions(ctx, backends)
                waiting = sum(1 for backend in backends if backend.waits_for)
                numbers = {"connections": len(backends), "longest_query": longest(backends), "waiting": waiting}
                for name, value in numbers.items():
                    most[name] = max(most[name], value)
                text = f"{counted(len(backends), 'session')}, longest query {lasting(longest(backends))}"
                return {**numbers}, f"{text}, {waiting} waiting for a lock"

            window = await watch(ctx, report, provider, look)
        data: dict[str, Json] = {
            "most_connections": int(most["connections"]),
            "longest_query": most["longest_query"],
            "most_waiting": int(most["waiting"]),
        }
        summary = f"at most {counted(int(most['connections']), 'session')}, longest query "
        return window_evidence(summary + lasting(most["longest_query"]), window, data, ())


def _check_sessions(ctx: Context, backends: list[Backend]) -> None:
    limits = ctx.plan.thresholds
    if len(backends) > limits.connections:
        raise StepFailed(f"{len(backends)} sessions in the database; at most {limits.connections} expected.")
    slow = [b for b in backends if b.state == "active" and b.query_seconds > limits.longest_query]
    if slow:
        raise StepFailed(
            f"A query runs for {lasting(slow[0].query_seconds)}; at most {lasting(limits.longest_query)} expected.",
            lines=tuple(map(session_text, slow)),
        )
