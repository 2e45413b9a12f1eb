"""The baseline: what traffic, errors, latency and the database look like before the release."""

from datetime import datetime, timedelta

from console.actions.handover import Record, moment_text
from console.actions.production import in_production
from console.actions.provider_time import ProviderTime
from console.actions.read_only import ReadOnly
from console.actions.sessions import longest, others
from console.actions.traffic import Traffic, read_traffic, traffic_text
from console.actions.waiting import looks, paced
from console.actions.watching import LEAST_SECONDS
from console.actions.wording import counted, lasting, listed
from console.domain.databases import Backend
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.domain.plan import Json
from console.errors import Stopped, VerificationFailed
from console.ports import Context, Database, Hosting, Report, Telemetry

_ENOUGH_REQUESTS = 20


class MonitorBaseline(ReadOnly):
    """`monitor.baseline`: traffic, errors and latency before the release, and the database's sessions.

    Evidence: `services` ({key: {`requests`, `errors`, `p95_ms`}}), `seconds`, `from`, `to`, `connections`,
    `longest_query`.
    """

    def __init__(self, telemetry: Telemetry, hosting: Hosting, database: Database) -> None:
        self._telemetry = telemetry
        self._hosting = hosting
        self._database = database

    async def preview(self, ctx: Context) -> Preview:
        """Which services over which window."""
        return Preview(
            summary="Read traffic, errors and latency of the services before the release",
            facts=tuple(Fact("service", service.name) for service in ctx.plan.services_in("production")),
            consequences=(Line("Reads only.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Read the past window; where a service has just come up, wait a little for its first requests."""
        services = ctx.plan.services_in("production")
        with in_production(ctx, "See that the provider and the database answer, then retry."):
            provider = await ProviderTime.measured(self._hosting, ctx.clock)
            start = provider.now() - timedelta(seconds=paced(ctx.plan.thresholds.window, ctx.clock, floor=60.0))
            traffic: tuple[Traffic, ...] = ()
            async for _ in looks(ctx.clock, LEAST_SECONDS):
                traffic = await read_traffic(self._telemetry, services, start, provider.now())
                if sum(each.requests for each in traffic) >= _ENOUGH_REQUESTS:
                    break
                if ctx.stopping():
                    raise Stopped("Stopped while taking the baseline; nothing was changed.")
                await report(Progress("waiting for requests to measure"))
            backends = others(await self._database.backends())
        return _baseline_evidence(traffic, backends, start, provider.now())

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """There is a baseline for every production service."""
        measured = Record(f"“{ctx.step.title}”", evidence.data).record("services").data
        absent = [s.name for s in ctx.plan.services_in("production") if s.key not in measured]
        if absent:
            with in_production(ctx, "Let the console take the baseline."):
                raise VerificationFailed(f"There is no baseline of {listed(absent)}.")


def _baseline_evidence(
    traffic: tuple[Traffic, ...], backends: list[Backend], start: datetime, end: datetime
) -> Evidence:
    data: dict[str, Json] = {
        "services": {each.service: each.data() for each in traffic},
        "from": moment_text(start),
        "to": moment_text(end),
        "seconds": (end - start).total_seconds(),
        "connections": len(backends),
        "longest_query": longest(backends),
    }
    lines = tuple(Line(traffic_text(each), tone=Tone.PLAIN if each.requests else Tone.WARNING) for each in traffic)
    sessions = Line(f"database: {counted(len(backends), 'session')}, longest query {lasting(longest(backends))}")
    return Evidence("; ".join(map(traffic_text, traffic)), data, (Section("Baseline", (*lines, sessions)),))
