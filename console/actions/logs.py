"""No schema error in any service's log since the migration: proven, not merely not seen.

The verdict is pass, fail or not enough to say. It passes only when every service was heard in the window, when a
request of the console's own was seen in each service's log, and when the log was read to its end. Errors between
new code and new schema are counted apart: the plan's order makes them expected.
"""

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from console.actions.handover import Record, left_by, moment_text, states_of
from console.actions.log_reading import LogReading, instances_heard
from console.actions.production import in_production
from console.actions.provider_time import ProviderTime
from console.actions.read_only import ReadOnly
from console.actions.schema_errors import CODES, is_schema_error, plain
from console.actions.waiting import looks, patience
from console.actions.wording import at, counted, lasting, listed
from console.domain.hosting import LogEntry
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.errors import ServiceError, StepFailed, Stopped, VerificationFailed
from console.ports import Context, Hosting, Report, Telemetry, Web

_LEAST_PATIENCE = 20.0
_SHOWN = 10
_REMEDY = "Read the lines in the log. Repair the code or the schema and retry, or roll back."
_SILENCE_REMEDY = "Look at the services' logs in the provider's dashboard, then retry: the window grows with time."


@dataclass(slots=True)
class _Heard:
    """What the window's log holds so far."""

    errors: list[LogEntry] = field(default_factory=list)
    of_old_instances: list[LogEntry] = field(default_factory=list)
    lines: Counter[str] = field(default_factory=Counter)
    own: set[str] = field(default_factory=set)
    """Service ids in whose log our own request was seen."""


class LogsSchemaErrors(ReadOnly):
    """`logs.schema_errors`: read every service's log since the migration was verified.

    Evidence: `verdict` (pass), `from`, `to`, `lines` ({service: n}), `errors` (0), `gap_errors`, `gap_seconds`,
    `old_instance_errors`.
    """

    def __init__(self, telemetry: Telemetry, hosting: Hosting, web: Web) -> None:
        self._telemetry = telemetry
        self._hosting = hosting
        self._web = web

    async def preview(self, ctx: Context) -> Preview:
        """Which window of which services, and what counts as an error."""
        services = ctx.plan.services_in("production")
        return Preview(
            summary="Read the services' logs since the migration was verified, and find no schema error",
            facts=(*(Fact("service", s.name) for s in services), Fact("SQLSTATE", ", ".join(CODES))),
            consequences=(Line("Sends one marked request to each service, to see that its log is heard."),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Read until enough was heard, in bounded time. Raises StepFailed on an error, or when it cannot be said."""
        with in_production(ctx, _REMEDY):
            provider = await ProviderTime.measured(self._hosting, ctx.clock)
            since = _verified_at(ctx, provider)
            services = ctx.plan.services_in("production")
            token = f"rc-{secrets.token_hex(8)}"
            reading = LogReading(self._telemetry, [s.id for s in services], since)
            heard = _Heard()
            limit = patience(ctx.step.planned, ctx.clock, times=1.0, floor=_LEAST_PATIENCE)
            missing: list[str] = []
            asked: set[str] = set()
            async for elapsed in looks(ctx.clock, limit):
                await self._ask(ctx, services, token, asked)
                await self._sort(ctx, await reading.read(provider.now()), token, heard)
                missing = _missing(services, heard, reading.complete)
                if heard.errors or not missing:
                    break
                if ctx.stopping():
                    raise Stopped("Stopped while listening to the logs; nothing was changed.")
                await report(Progress(f"listening: {missing[0]}", share=min(elapsed / limit, 1.0)))
            until = provider.now()
            if heard.errors:
                raise _failure(ctx, services, heard, since)
            if missing:
                raise StepFailed(f"Not enough to say: {missing[0]}.", remedy=_SILENCE_REMEDY, lines=tuple(missing))
            gap = await self._gap(ctx, services)
        return _evidence(services, heard, since, until, gap)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Read on from where the evidence ends (by hand: the whole window), to the present end."""
        with in_production(ctx, _REMEDY):
            provider = await ProviderTime.measured(self._hosting, ctx.clock)
            record = Record(f"“{ctx.step.title}”", evidence.data)
            since = record.moment("to") if "to" in record else _verified_at(ctx, provider)
            services = ctx.plan.services_in("production")
            reading = LogReading(self._telemetry, [s.id for s in services], since)
            heard = _Heard()
            await self._sort(ctx, await reading.read(provider.now()), "", heard)
            if heard.errors:
                failure = _failure(ctx, services, heard, since)
                raise VerificationFailed(failure.message, lines=failure.lines)
            if not reading.complete:
                raise VerificationFailed("The log since the migration could not be read to its end.")

    async def _ask(self, ctx: Context, services: tuple[Service, ...], token: str, asked: set[str]) -> None:
        """Send the marked request to each service that has not answered one yet."""
        for service in services:
            if service.id in asked:
                continue
            url = f"{service.url.rstrip('/')}{_quiet_path(ctx, service)}?{token}"
            try:
                await self._web.request("GET", url, headers={"X-Release-Console": ctx.marker})
            except ServiceError:
                continue  # asked again with the next look; a service that never answers is never heard
            asked.add(service.id)

    async def _sort(self, ctx: Context, entries: list[LogEntry], token: str, heard: _Heard) -> None:
        """Take lines in; errors of the instances before the release are set apart."""
        for entry in entries:
            heard.lines[entry.service] += 1
            if token and token in entry.text:
                heard.own.add(entry.service)
        errors = [entry for entry in entries if is_schema_error(entry)]
        if errors:
            old = await self._old_instances(ctx)
            heard.errors += [entry for entry in errors if entry.instance not in old]
            heard.of_old_instances += [entry for entry in errors if entry.instance in old]

    async def _old_instances(self, ctx: Context) -> frozenset[str]:
        """The instances of the deploys before the release: they may still write while they are being stopped."""
        old: frozenset[str] = frozenset()
        for service in ctx.plan.services_in("production"):
            deploy = left_by(ctx, "build.follow", service=service.key)
            if deploy is not None and "created_at" in deploy:
                old |= await instances_heard(self._telemetry, service.id, deploy.moment("created_at"))
        return old

    async def _gap(self, ctx: Context, services: tuple[Service, ...]) -> tuple[int, float]:
        """Schema errors between new code and new schema, and how many seconds that was."""
        deploys = [left_by(ctx, "build.follow", service=service.key) for service in services]
        live = [deploy.moment("live_at") for deploy in deploys if deploy is not None and "live_at" in deploy]
        migrated = left_by(ctx, "migrate.run")
        if not live or migrated is None or "committed_at" not in migrated:
            return 0, 0.0
        start, end = min(live), migrated.moment("committed_at")
        if end <= start:
            return 0, 0.0
        lines = await LogReading(self._telemetry, [s.id for s in services], start).read(end)
        return sum(1 for entry in lines if is_schema_error(entry)), (end - start).total_seconds()


def _verified_at(ctx: Context, provider: ProviderTime) -> datetime:
    """Since when the schema is known to be right, by the provider's clock."""
    verified = left_by(ctx, "verify.schema")
    if verified is not None and "verified_at" in verified:
        return provider.of(verified.moment("verified_at"))
    ended = [s.ended_at for a in ("verify.schema", "migrate.run") for s in states_of(ctx, a) if s.ended_at is not None]
    if not ended:
        raise StepFailed(
            "The migration has neither been run nor verified: there is no window to look at.",
            remedy="Run and verify the migration first.",
        )
    return provider.of(ended[0])


def _quiet_path(ctx: Context, service: Service) -> str:
    """A path of the service that the plan's checks read anyway, without captures; else its root."""
    for check in ctx.plan.checks:
        for request in check.requests:
            if request.service == service.key and request.method == "GET" and not set("{?") & set(request.path):
                return request.path
    return "/"


def _missing(services: tuple[Service, ...], heard: _Heard, complete: bool) -> list[str]:
    """What is still needed before the absence of errors proves anything."""
    silent = [service.name for service in services if not heard.lines[service.id]]
    unseen = [s.name for s in services if heard.lines[s.id] and s.id not in heard.own]
    missing = []
    if silent:
        missing.append(f"{listed(silent)} {'was' if len(silent) == 1 else 'were'} not heard since the migration")
    if unseen:
        missing.append(f"the console's own request has not appeared in the log of {listed(unseen)}")
    if not complete:
        missing.append("the log could not be read to its end")
    return missing


def _failure(ctx: Context, services: tuple[Service, ...], heard: _Heard, since: datetime) -> StepFailed:
    names = {service.id: service.name for service in services}
    count = len(heard.errors)
    return StepFailed(
        f"{counted(count, 'schema error')} in the logs since {at(since)}: {plain(heard.errors[0].text)}",
        lines=tuple(f"{at(e.at)} {names.get(e.service, e.service)}: {plain(e.text)}" for e in heard.errors[:_SHOWN]),
    )


def _evidence(
    services: tuple[Service, ...], heard: _Heard, since: datetime, until: datetime, gap: tuple[int, float]
) -> Evidence:
    lines: dict[str, Json] = {service.key: heard.lines[service.id] for service in services}
    gap_errors, gap_seconds = gap
    total = sum(heard.lines.values())
    remarks = [Line(f"{service.name}: {heard.lines[service.id]:,} lines", tone=Tone.GOOD) for service in services]
    if gap_errors:
        text = f"{counted(gap_errors, 'schema error')} in the {lasting(gap_seconds)} between new code and new schema"
        remarks.append(Line(text, note="expected from the plan's order; counted apart", tone=Tone.WARNING))
    if heard.of_old_instances:
        remarks.append(Line(f"{len(heard.of_old_instances)} from instances of the deploy before", tone=Tone.WARNING))
    return Evidence(
        f"none in {counted(total, 'line')} of {counted(len(services), 'service')} since {at(since)}",
        {
            "verdict": "pass",
            "from": moment_text(since),
            "to": moment_text(until),
            "lines": lines,
            "errors": 0,
            "gap_errors": gap_errors,
            "gap_seconds": gap_seconds,
            "old_instance_errors": len(heard.of_old_instances),
        },
        (Section("Heard", tuple(remarks)),),
    )
