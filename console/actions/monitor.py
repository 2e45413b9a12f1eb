"""Monitoring what users meet after the release, against the baseline taken before it: errors, latency, activity.

A breach ends the window at once, with the numbers; a window that was interrupted proves nothing and begins anew.
"""

from datetime import datetime

from console.actions.handover import Record, left_by
from console.actions.own_requests import OwnRequests
from console.actions.production import in_production
from console.actions.provider_time import ProviderTime
from console.actions.traffic import Traffic, read_requests, read_traffic, traffic_text
from console.actions.watching import watch
from console.actions.window_monitor import BREACH_REMEDY, WindowMonitor, window_evidence
from console.actions.wording import counted, lasting
from console.domain.outcome import Evidence, Line
from console.domain.plan import Json
from console.errors import StepFailed
from console.ports import Context, Hosting, Report, Telemetry

_FEWEST_FOR_A_RATE = 20
"""Below so many requests, one unlucky one would be a rate."""
_RECENT_SAMPLES = 4
_SLOW_SAMPLES = 3
"""So many in a row make a service slow: one may be a hiccup of the machine."""


class MonitorErrors(WindowMonitor):
    """`monitor.errors`: error rate and latency of each service against thresholds and baseline.

    Evidence: the window's, `services` ({key: {`requests`, `errors`, `p95_ms`}}).
    """

    what = "error rates and latency"

    def __init__(self, hosting: Hosting, telemetry: Telemetry) -> None:
        super().__init__(hosting)
        self._telemetry = telemetry

    def limits(self, ctx: Context) -> list[tuple[str, str]]:
        """The largest error rate and latency."""
        limits = ctx.plan.thresholds
        slow = f"{limits.latency_ratio:g} × baseline, above {limits.latency_floor * 1000:.0f} ms"
        return [("error rate", f"at most {limits.error_rate:.1%}"), ("latency (95 %)", f"at most {slow}")]

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Watch each service's rate over the window, and over its last few samples. Raises StepFailed on a breach."""
        services = ctx.plan.services_in("production")
        baseline = left_by(ctx, "monitor.baseline")
        history: list[tuple[Traffic, ...]] = []
        with in_production(ctx, BREACH_REMEDY):
            provider = await ProviderTime.measured(self.hosting, ctx.clock)

            async def look(start: datetime, now: datetime) -> tuple[dict[str, Json], str]:
                traffic = await read_traffic(self._telemetry, services, start, now)
                recent = history[-_RECENT_SAMPLES] if len(history) >= _RECENT_SAMPLES else None
                history.append(traffic)
                for place, each in enumerate(traffic):
                    _check_rate(ctx, each, recent[place] if recent is not None else None)
                    _check_latency(ctx, [sample[place] for sample in history[-_SLOW_SAMPLES:]], baseline)
                return {each.service: each.data() for each in traffic}, "; ".join(map(traffic_text, traffic))

            window = await watch(ctx, report, provider, look)
            last = history[-1]
            for each in last:
                _check_rate(ctx, each, None, fewest=1)
        lines = tuple(Line(traffic_text(each), note=_baseline_text(each, baseline)) for each in last)
        data: dict[str, Json] = {"services": {each.service: each.data() for each in last}}
        return window_evidence("; ".join(map(traffic_text, last)), window, data, lines)


class MonitorActivity(WindowMonitor):
    """`monitor.activity`: users are there: requests that are not the console's own.

    Evidence: the window's, `requests` (users'), `own` (the console's).
    """

    what = "that users are active"

    def __init__(self, hosting: Hosting, telemetry: Telemetry, own: OwnRequests) -> None:
        super().__init__(hosting)
        self._telemetry = telemetry
        self._own = own

    def limits(self, ctx: Context) -> list[tuple[str, str]]:
        """The least number of user requests."""
        return [("user requests", f"at least {ctx.plan.thresholds.user_requests}")]

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Count. Raises StepFailed when nobody came in the whole window."""
        services = ctx.plan.services_in("production")
        began = ctx.clock.now()
        requests = own = 0
        with in_production(ctx, BREACH_REMEDY):
            provider = await ProviderTime.measured(self.hosting, ctx.clock)

            async def look(start: datetime, now: datetime) -> tuple[dict[str, Json], str]:
                nonlocal requests, own
                total = await read_requests(self._telemetry, services, start, now)
                own = sum(self._own.count(service.url, began, ctx.clock.now()) for service in services)
                requests = max(total - own, 0)
                return {"requests": requests, "own": own}, f"{counted(requests, 'user request')}"

            window = await watch(ctx, report, provider, look)
            if requests < ctx.plan.thresholds.user_requests:
                raise StepFailed(
                    f"{counted(requests, 'user request')} in {lasting(window.seconds)}; at least "
                    f"{ctx.plan.thresholds.user_requests} expected.",
                    lines=(f"{own} of the console's own are left out",),
                )
        data: dict[str, Json] = {"requests": requests, "own": own}
        return window_evidence(f"{counted(requests, 'user request')} in {lasting(window.seconds)}", window, data, ())


def _check_rate(ctx: Context, now: Traffic, before: Traffic | None, fewest: int = _FEWEST_FOR_A_RATE) -> None:
    limit = ctx.plan.thresholds.error_rate
    requests, errors = now.requests, now.errors
    recent = (requests - before.requests, errors - before.errors) if before is not None else (0, 0)
    for of, failed, when in ((requests, errors, "in the window"), (*recent, "lately")):
        if of >= fewest and failed / of > limit:
            raise StepFailed(
                f"{now.service}: {failed} of {of} requests {when} were answered 5xx ({failed / of:.1%}); "
                f"at most {limit:.1%} expected."
            )


def _check_latency(ctx: Context, latest: list[Traffic], baseline: Record | None) -> None:
    """Raise StepFailed when every one of the latest samples is too slow, and there are enough of them."""
    limits, now = ctx.plan.thresholds, latest[-1]
    before = baseline.record("services").record(now.service).data.get("p95_ms") if baseline is not None else None
    if not isinstance(before, int | float) or now.p95 is None or now.requests < _FEWEST_FOR_A_RATE:
        return
    allowed = max(limits.latency_floor * 1000, before * limits.latency_ratio)
    slow = [each for each in latest if each.p95 is not None and each.p95 > allowed]
    if len(slow) == _SLOW_SAMPLES:
        raise StepFailed(
            f"{now.service}: 95 % of requests take up to {now.p95:.0f} ms; before the release it was {before:.0f} ms, "
            f"at most {allowed:.0f} ms expected."
        )


def _baseline_text(traffic: Traffic, baseline: Record | None) -> str:
    before = baseline.record("services").record(traffic.service) if baseline is not None else None
    if before is None or "requests" not in before:
        return "no baseline"
    requests, errors = before.number("requests"), before.number("errors")
    p95 = before.data.get("p95_ms")
    rate = errors / requests if requests else 0.0
    return f"before: {rate:.1%} of {requests:,.0f}" + (f", {p95:.0f} ms" if isinstance(p95, int | float) else "")
