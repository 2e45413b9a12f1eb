"""The hosting provider: services, deploys, switches, backups, instances, logs and metrics. Raises HostingError."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from console.domain.databases import RestoreReport
from console.domain.hosting import (
    DatabasePlace,
    Deploy,
    Download,
    Export,
    LogEntry,
    LogPage,
    PostgresInfo,
    RecoveryWindow,
    Series,
    ServiceInfo,
)
from console.ports.database import Database
from console.ports.running import Report


class Hosting(Protocol):
    """Services and their deploys at the provider. Raises HostingError."""

    async def now(self) -> datetime:
        """The provider's time (its `Date` header)."""

    async def service(self, service_id: str) -> ServiceInfo:
        """One service."""

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        """The latest deploys, newest first."""

    async def deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """One deploy."""

    async def start_deploy(self, service_id: str, commit: str) -> Deploy | None:
        """Deploy a commit. None when the provider queued it without saying which (202 without a body)."""

    async def cancel_deploy(self, service_id: str, deploy_id: str) -> Deploy:
        """Cancel a deploy that has not ended."""

    async def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        """Serve an earlier build again; its environment variables come with it."""

    async def set_auto_deploy(self, service_id: str, trigger: str) -> ServiceInfo:
        """`commit`, `checksPass` or `off`."""


class Backups(Protocol):
    """Database instances, exports and recovery at the provider. Raises HostingError."""

    async def postgres(self, postgres_id: str) -> PostgresInfo:
        """One instance."""

    async def exports(self, postgres_id: str) -> tuple[Export, ...]:
        """The exports that the provider keeps, newest first."""

    async def request_export(self, postgres_id: str) -> None:
        """Ask for an export; the provider names none. `HostingError.sent` tells whether it may have begun."""

    async def download(self, export: Export, destination: Path, report: Report) -> Download:
        """Stream an export to a file of mode 0600, hashing on the way."""

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        """The point-in-time recovery window."""


class Switches(Protocol):
    """What a rollback changes at services. Connection strings never leave it. Raises HostingError."""

    async def set_maintenance(self, service_id: str, enabled: bool) -> ServiceInfo:
        """Serve the provider's maintenance page instead of the service, or stop that."""

    async def database_of(self, service_id: str, variable: str) -> DatabasePlace:
        """Where the connection string in an environment variable leads."""

    async def point_at(self, service_id: str, variable: str, postgres_id: str) -> DatabasePlace:
        """Set the variable to an instance's internal connection string; it takes effect with the next deploy."""


class Instances(Protocol):
    """Database instances, made and opened. Connection strings never leave it. Raises HostingError, DatabaseError."""

    async def all(self) -> tuple[PostgresInfo, ...]:
        """Every instance of the owner."""

    async def recover(self, postgres_id: str, moment: datetime, *, name: str) -> PostgresInfo:
        """Begin a recovery to `moment` into a new instance, returned as it is now."""

    async def create(self, like: str, *, name: str) -> PostgresInfo:
        """Begin to create an empty instance of the same plan, version, region, database and user as `like`."""

    async def places(self, postgres_id: str) -> tuple[DatabasePlace, ...]:
        """Where its internal and its external connection string lead, in this order."""

    async def database(self, postgres_id: str) -> Database:
        """The instance as a database, over its external connection string."""

    async def restore(self, postgres_id: str, archive: Path, report: Report) -> RestoreReport:
        """Restore a directory archive (`.dir.tar.gz`) into the empty instance. Raises StepFailed."""


class Telemetry(Protocol):
    """Logs and metrics at the provider. Raises HostingError."""

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
        """A page of log lines in a window."""

    def follow(self, service_ids: Sequence[str], *, since: datetime) -> AsyncIterator[LogEntry]:
        """Log lines as they come: reconnects, backfills what it missed, never doubles a line. Endless."""

    async def requests(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """HTTP requests per interval, a series a status code."""

    async def latency(self, service_id: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """Latency quantiles in milliseconds."""

    async def usage(self, resource_id: str, metric: str, *, start: datetime, end: datetime) -> tuple[Series, ...]:
        """`cpu`, `memory` or `active-connections`."""
