"""Regular measurements: what the instances use, and how many sessions the databases have.

Taken from the real processes and servers; a server that does not answer has no measurement for that moment.
"""

import asyncio
import bisect
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import psycopg

from console.sandbox.contracts import DatabaseInstance, Databases, Pace
from console.sandbox.render.instances import Instances
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.process_usage import Usage, usage_of

Measure = Literal["cpu", "memory", "connections", "instances"]

_EVERY_SECONDS = 30.0
_LEAST_SECONDS = 1.0
_CONNECT_SECONDS = 2
_MOST_SAMPLES = 5_000
_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement; `at` in seconds since the epoch, `instance` empty for a database."""

    at: float
    instance: str
    value: float


class Samples:
    """The measurements of every resource, oldest first, within bounds."""

    def __init__(self) -> None:
        self._samples: defaultdict[tuple[Measure, str], list[Sample]] = defaultdict(list)

    def add(self, measure: Measure, resource: str, value: float, instance: str = "") -> None:
        """Keep a measurement of this moment."""
        samples = self._samples[measure, resource]
        samples.append(Sample(time.time(), instance, value))
        if len(samples) > 2 * _MOST_SAMPLES:
            del samples[:-_MOST_SAMPLES]

    def between(self, measure: Measure, resource: str, start: float, end: float) -> Iterator[Sample]:
        """The measurements of a time range (seconds since the epoch, the end excluded)."""
        samples = self._samples.get((measure, resource), [])
        first = bisect.bisect_left(samples, start, key=lambda sample: sample.at)
        last = bisect.bisect_left(samples, end, key=lambda sample: sample.at)
        return (samples[place] for place in range(first, last))


class Sampler:
    """Takes the measurements, every thirty seconds of planned time and at most once a second."""

    def __init__(
        self, samples: Samples, ledger: Ledger, instances: Instances, databases: Databases, pace: Pace
    ) -> None:
        self._samples = samples
        self._ledger = ledger
        self._instances = instances
        self._databases = databases
        self._interval = max(_LEAST_SECONDS, pace.seconds(_EVERY_SECONDS))
        self._before: dict[str, tuple[float, Usage]] = {}

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            for service_id in self._ledger.state.services:
                await self._measure_service(service_id)
            for postgres in list(self._ledger.state.postgres.values()):
                if postgres.status == "available":
                    await self._measure_database(postgres.id)
            await asyncio.sleep(self._interval)

    async def _measure_service(self, service_id: str) -> None:
        instance = self._instances.live(service_id)
        self._samples.add("instances", service_id, 0 if instance is None else 1)
        if instance is None:
            return
        usage = await usage_of(instance.app.pid)
        if usage is None:
            return
        now = time.monotonic()
        self._samples.add("memory", service_id, usage.memory_bytes, instance.id)
        before = self._before.get(instance.id)
        if before is not None:
            cores = (usage.cpu_seconds - before[1].cpu_seconds) / (now - before[0])
            self._samples.add("cpu", service_id, round(max(0.0, cores), 4), instance.id)
        self._before[instance.id] = (now, usage)

    async def _measure_database(self, postgres_id: str) -> None:
        instance = await self._databases.get(postgres_id)
        sessions = None if instance is None else await _sessions(instance)
        if sessions is not None:
            self._samples.add("connections", postgres_id, sessions)


async def _sessions(instance: DatabaseInstance) -> int | None:
    """How many sessions a server has besides this one, or None when it does not answer."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS + 1):
            connection = await psycopg.AsyncConnection.connect(
                instance.url,
                connect_timeout=_CONNECT_SECONDS,
                application_name="render-metrics",
                autocommit=True,
            )
            async with connection:
                row = await (await connection.execute(_SESSIONS)).fetchone()
    except (psycopg.Error, TimeoutError):
        return None
    return None if row is None else int(row[0])
