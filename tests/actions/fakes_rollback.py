"""Switches and instances of a provider that exists in memory alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from console.domain.databases import RestoreReport
from console.domain.hosting import DatabasePlace, PostgresInfo, ServiceInfo
from console.errors import HostingError
from console.ports import Database, Report
from tests.actions.fakes import FakeHosting


@dataclass
class FakeInstances:
    """Instances by id; a new one is `available` at once, unless `status_of_new` says otherwise."""

    known: dict[str, PostgresInfo] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    status_of_new: str = "available"
    moments: list[datetime] = field(default_factory=list)
    restored: list[Path] = field(default_factory=list)

    async def all(self) -> tuple[PostgresInfo, ...]:
        return tuple(self.known.values())

    async def recover(self, postgres_id: str, moment: datetime, *, name: str) -> PostgresInfo:
        self.moments.append(moment)
        return self._new(postgres_id, name)

    async def create(self, like: str, *, name: str) -> PostgresInfo:
        return self._new(like, name)

    async def places(self, postgres_id: str) -> tuple[DatabasePlace, ...]:
        if postgres_id not in self.known:
            raise HostingError(f"There is no instance {postgres_id}.", status=404)
        return (DatabasePlace(postgres_id, 5432, "crm"), DatabasePlace(f"{postgres_id}.outside", 5432, "crm"))

    async def database(self, postgres_id: str) -> Database:
        return self.databases[postgres_id]

    async def restore(self, postgres_id: str, archive: Path, report: Report) -> RestoreReport:
        self.restored.append(archive)
        return RestoreReport(server="18.4", seconds=1.0, objects=10, unproven=())

    def _new(self, like: str, name: str) -> PostgresInfo:
        info = replace(self.known[like], id=f"dpg-{len(self.known)}", name=name, status=self.status_of_new)
        self.known[info.id] = info
        return info


@dataclass
class FakeSwitches:
    """Environment variables and maintenance mode over the services of a `FakeHosting`."""

    hosting: FakeHosting
    instances: FakeInstances
    points: dict[tuple[str, str], str] = field(default_factory=dict)
    """The instance that a service's variable leads to."""
    maintenance: dict[str, bool] = field(default_factory=dict)

    async def set_maintenance(self, service_id: str, enabled: bool) -> ServiceInfo:
        self.maintenance[service_id] = enabled
        self.hosting.services[service_id] = replace(self.hosting.services[service_id], maintenance=enabled)
        return self.hosting.services[service_id]

    async def database_of(self, service_id: str, variable: str) -> DatabasePlace:
        return (await self.instances.places(self.points[service_id, variable]))[0]

    async def point_at(self, service_id: str, variable: str, postgres_id: str) -> DatabasePlace:
        self.points[service_id, variable] = postgres_id
        return (await self.instances.places(postgres_id))[0]


def no_documents(state: object, moment: datetime) -> Mapping[str, str]:
    """An incident without papers."""
    return {}
