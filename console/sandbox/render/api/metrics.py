"""Endpoints of metrics: time series of requests, latency, processor, memory, sessions and instances.

A series' values are `resolutionSeconds` apart, divided by the pace, but never closer than a second:
a rehearsal that is over within a minute has no use for points a minute apart.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from console.sandbox.contracts import Pace
from console.sandbox.render.api.exchange import ApiError, choice, moment, number, values
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.samples import Measure, Samples
from console.sandbox.render.state import JsonObject
from console.sandbox.render.times import NS, rfc3339_ns
from console.sandbox.render.traffic import Traffic

_HOUR = 3600.0

Labels: TypeAlias = tuple[tuple[str, str], ...]
Buckets: TypeAlias = dict[Labels, defaultdict[float, list[float]]]
Aggregate: TypeAlias = Callable[[list[float]], float]

_AGGREGATES: dict[str, Aggregate] = {"AVG": lambda items: sum(items) / len(items), "MAX": max, "MIN": min}


class _Range:
    """The time range and the resolution that a request asks for, in seconds since the epoch."""

    def __init__(self, request: Request, pace: Pace) -> None:
        end, start = moment(request, "endTime"), moment(request, "startTime")
        self.end = _seconds(end) if end else time.time()
        self.start = _seconds(start) if start else self.end - _HOUR
        resolution = number(request, "resolutionSeconds", 60, 30, 86_400)
        self._step = max(1.0, pace.seconds(resolution))

    def bucket(self, at: float) -> float:
        """The beginning of the interval into which a moment falls."""
        return math.floor(at / self._step) * self._step


class MetricsApi:
    """Reads the measurements."""

    def __init__(self, ledger: Ledger, traffic: Traffic, samples: Samples, pace: Pace) -> None:
        self._ledger = ledger
        self._traffic = traffic
        self._samples = samples
        self._pace = pace

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        return [
            Route("/metrics/http-requests", self.http_requests),
            Route("/metrics/http-latency", self.http_latency),
            Route("/metrics/cpu", self.cpu),
            Route("/metrics/memory", self.memory),
            Route("/metrics/active-connections", self.active_connections),
            Route("/metrics/instance-count", self.instance_count),
        ]

    async def http_requests(self, request: Request) -> JSONResponse:
        """`GET /metrics/http-requests`: how many, by status code or by host."""
        by = choice(request, "aggregateBy", ("", "statusCode", "host"), "")
        hosts, paths = values(request, "host"), request.query_params.getlist("path")
        span = _Range(request, self._pace)
        buckets: Buckets = {}
        for resource in self._resources(request):
            for item in self._traffic.between(resource, span.start, span.end):
                if (hosts and item.host not in hosts) or (paths and item.path not in paths):
                    continue
                labels: Labels = (("resource", resource),)
                if by:
                    labels += ((by, str(item.status) if by == "statusCode" else item.host),)
                _put(buckets, labels, span.bucket(item.at), 1)
        return _series(buckets, sum, "requests")

    async def http_latency(self, request: Request) -> JSONResponse:
        """`GET /metrics/http-latency`: quantiles in milliseconds, 0.95 where none is named."""
        hosts, paths = values(request, "host"), request.query_params.getlist("path")
        quantiles = [_quantile(text) for text in values(request, "quantile")] or [0.95]
        span = _Range(request, self._pace)
        series: list[JsonObject] = []
        for quantile in quantiles:
            buckets: Buckets = {}
            for resource in self._resources(request):
                labels: Labels = (("resource", resource), ("quantile", f"{quantile:g}"))
                for item in self._traffic.between(resource, span.start, span.end):
                    if (not hosts or item.host in hosts) and (not paths or item.path in paths):
                        _put(buckets, labels, span.bucket(item.at), item.latency_ms)
            series += _shown(buckets, _nearest_rank(quantile), "ms")
        return JSONResponse(series)

    async def cpu(self, request: Request) -> JSONResponse:
        """`GET /metrics/cpu`: processor cores in use."""
        return self._sampled(request, "cpu", "cpu")

    async def memory(self, request: Request) -> JSONResponse:
        """`GET /metrics/memory`: resident bytes."""
        return self._sampled(request, "memory", "bytes")

    async def active_connections(self, request: Request) -> JSONResponse:
        """`GET /metrics/active-connections`: sessions of a database."""
        return self._sampled(request, "connections", "connections")

    async def instance_count(self, request: Request) -> JSONResponse:
        """`GET /metrics/instance-count`: running instances of a service."""
        return self._sampled(request, "instances", "instances")

    def _sampled(self, request: Request, measure: Measure, unit: str) -> JSONResponse:
        aggregate = _AGGREGATES[choice(request, "aggregationMethod", _AGGREGATES, "AVG")]
        instances = values(request, "instance")
        span = _Range(request, self._pace)
        buckets: Buckets = {}
        for resource in self._resources(request):
            for sample in self._samples.between(measure, resource, span.start, span.end):
                if instances and sample.instance not in instances:
                    continue
                labels: Labels = (("resource", resource),)
                if sample.instance:
                    labels += (("instance", sample.instance),)
                _put(buckets, labels, span.bucket(sample.at), sample.value)
        return _series(buckets, aggregate, unit)

    def _resources(self, request: Request) -> Iterable[str]:
        """The resources asked for; 400 when none or an unknown one is named."""
        wanted = values(request, "resource") + values(request, "service")
        known = {**self._ledger.state.services, **self._ledger.state.postgres}
        if not wanted:
            raise ApiError(400, "resource is required")
        for resource in wanted:
            if resource not in known:
                raise ApiError(400, f"unknown resource: {resource}")
        return wanted


def _put(buckets: Buckets, labels: Labels, bucket: float, value: float) -> None:
    buckets.setdefault(labels, defaultdict(list))[bucket].append(value)


def _series(buckets: Buckets, aggregate: Aggregate, unit: str) -> JSONResponse:
    return JSONResponse(_shown(buckets, aggregate, unit))


def _shown(buckets: Buckets, aggregate: Aggregate, unit: str) -> list[JsonObject]:
    return [
        {
            "labels": [{"field": name, "value": value} for name, value in labels],
            "values": [
                {"timestamp": rfc3339_ns(round(at * NS)), "value": aggregate(points[at]), "unit": unit}
                for at in sorted(points)
            ],
            "unit": unit,
        }
        for labels, points in buckets.items()
    ]


def _nearest_rank(quantile: float) -> Aggregate:
    def aggregate(items: list[float]) -> float:
        rank = max(1, math.ceil(quantile * len(items)))
        return sorted(items)[rank - 1]

    return aggregate


def _quantile(text: str) -> float:
    try:
        quantile = float(text)
    except ValueError:
        quantile = -1.0
    if not 0 <= quantile <= 1:
        raise ApiError(400, f"invalid quantile: {text!r}")
    return quantile


def _seconds(value: datetime) -> float:
    return value.timestamp()
