"""Logs and metrics at Render: the `Telemetry` port."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from console.adapters.render.client import RenderClient
from console.adapters.render.failures import Params
from console.adapters.render.follow import LogFollower, OnStatus, Timing
from console.adapters.render.logs import LogReader
from console.adapters.render.models import SERIES
from console.adapters.render.times import rfc3339
from console.domain.hosting import LogEntry, LogPage, Sample, Series

_RESOLUTION_S = 30
"""The finest that the provider gives."""

_QUANTILES = (0.5, 0.95)
_MILLISECONDS = {"s": 1e3, "second": 1e3, "seconds": 1e3, "us": 1e-3, "microseconds": 1e-3, "ns": 1e-6}


class RenderTelemetry:
    """The `Telemetry` port over Render's API.

    `on_status` is told whenever the live log begins to be heard, or ceases, with the reason.
    """

    def __init__(
        self, client: RenderClient, *, on_status: OnStatus | None = None, timing: Timing | None = None
    ) -> None:
        self._client = client
        self._on_status = on_status or (lambda _connected, _reason: None)
        self._timing = timing or Timing()

    async def logs(
        self,
        service_ids: Sequence[str],
        *,
        start: datetime,
        end: datetime,
        kinds: Sequence[str] = (),
        limit: int = 100,
        direction: str = "forward",
    ) -> LogPage:
        """A page of log lines in a window; at most 100 of them. Raises HostingError."""
        reader = LogReader(self._client, tuple(service_ids))
        return await reader.page(start, end, kinds=kinds, limit=limit, direction=direction)

    def follow(self, service_ids: Sequence[str], *, since: datetime) -> AsyncIterator[LogEntry]:
        """Log lines as they come: reconnects, backfills what it missed, never doubles a line. Endless.

        Raises HostingError only where the provider will never show them: a wrong key, an unknown service.
        """
        reader = LogReader(self._client, tuple(service_ids))
        return LogFollower(reader, since, self._on_status, self._timing).entries()

    async def requests(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """HTTP requests per interval, a series a status code (label `statusCode`). Raises HostingError."""
        return await self._series("http-requests", service_id, start, end, {"aggregateBy": "statusCode"})

    async def latency(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """The median and the 95th percentile in milliseconds (label `quantile`). Raises HostingError."""
        found = await asyncio.gather(*(self._quantile(service_id, start, end, quantile) for quantile in _QUANTILES))
        return tuple(series for group in found for series in group)

    async def usage(self, resource_id: str, metric: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """`cpu`, `memory` or `active-connections`, in the provider's unit. Raises HostingError."""
        if metric not in ("cpu", "memory", "active-connections"):
            raise ValueError(f"no such metric: {metric}")
        return await self._series(metric, resource_id, start, end, {})

    async def _quantile(self, service_id: str, start: datetime, end: datetime, quantile: float) -> tuple[Series, ...]:
        found = await self._series("http-latency", service_id, start, end, {"quantile": str(quantile)})
        return tuple(
            replace(_in_milliseconds(series), labels={**series.labels, "quantile": str(quantile)}) for series in found
        )

    async def _series(
        self, metric: str, resource_id: str, start: datetime, end: datetime, more: Params
    ) -> tuple[Series, ...]:
        params: Params = {
            "resource": resource_id,
            "startTime": rfc3339(start),
            "endTime": rfc3339(end),
            "resolutionSeconds": _RESOLUTION_S,
            **more,
        }
        found = await self._client.get(SERIES, f"/metrics/{metric}", f"{metric} of {resource_id}", params)
        return tuple(series.domain() for series in found)


def _in_milliseconds(series: Series) -> Series:
    factor = _MILLISECONDS.get(series.unit.lower(), 1.0)
    samples = tuple(Sample(sample.at, sample.value * factor) for sample in series.samples)
    return replace(series, samples=samples, unit="ms")
