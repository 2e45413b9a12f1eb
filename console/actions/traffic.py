"""What users do at the services, from the provider's metrics: requests, errors, latency."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from console.domain.hosting import Series
from console.domain.plan import Json, Service
from console.ports import Telemetry

_QUANTILE = "0.95"


@dataclass(frozen=True, slots=True)
class Traffic:
    """A service's requests in a window; `errors` were answered 5xx.

    `p95` in milliseconds: the median of the 95 % quantiles of the window's intervals (None: no request).
    """

    service: str
    requests: int
    errors: int
    p95: float | None

    @property
    def error_rate(self) -> float:
        """Share of requests answered 5xx; 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0

    def data(self) -> dict[str, Json]:
        """As evidence holds it."""
        return {"requests": self.requests, "errors": self.errors, "p95_ms": self.p95}


async def read_traffic(
    telemetry: Telemetry, services: Sequence[Service], start: datetime, end: datetime
) -> tuple[Traffic, ...]:
    """Each service's traffic in a window of the provider's time. Raises HostingError."""
    return tuple(await asyncio.gather(*(_read(telemetry, service, start, end) for service in services)))


async def read_requests(telemetry: Telemetry, services: Sequence[Service], start: datetime, end: datetime) -> int:
    """How many requests the services had together. Raises HostingError."""
    found = await asyncio.gather(*(telemetry.requests(s.id, start=start, end=end) for s in services))
    return sum(_total(series) for group in found for series in group)


async def _read(telemetry: Telemetry, service: Service, start: datetime, end: datetime) -> Traffic:
    requests, latency = await asyncio.gather(
        telemetry.requests(service.id, start=start, end=end), telemetry.latency(service.id, start=start, end=end)
    )
    errors = sum(_total(series) for series in requests if series.labels.get("statusCode", "").startswith("5"))
    values = [s.value for series in latency if series.labels.get("quantile") == _QUANTILE for s in series.samples]
    p95 = round(median(values), 1) if values else None
    return Traffic(service.key, sum(map(_total, requests)), errors, p95)


def _total(series: Series) -> int:
    return round(sum(sample.value for sample in series.samples))


def traffic_text(traffic: Traffic) -> str:
    """A service's traffic on one line."""
    p95 = f", 95 % within {traffic.p95:.0f} ms" if traffic.p95 is not None else ""
    return f"{traffic.service}: {traffic.error_rate:.1%} errors of {traffic.requests:,}{p95}"
