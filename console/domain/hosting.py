"""The hosting provider in the domain's own types: services, deploys, backups, logs, metrics. Times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """A service as the provider has it now. `auto_deploy` is `commit`, `checksPass` or `off`."""

    id: str
    name: str
    branch: str
    auto_deploy: str
    suspended: bool
    repository: str
    root_dir: str = ""
    build_paths: tuple[str, ...] = ()
    ignored_paths: tuple[str, ...] = ()
    url: str = ""
    maintenance: bool = False


class DeployStatus(StrEnum):
    """The provider's deploy states (source: `deployStatus` in the provider's OpenAPI document)."""

    CREATED = "created"
    QUEUED = "queued"
    BUILD = "build_in_progress"
    PRE_DEPLOY = "pre_deploy_in_progress"
    UPDATE = "update_in_progress"
    LIVE = "live"
    DEACTIVATED = "deactivated"
    BUILD_FAILED = "build_failed"
    PRE_DEPLOY_FAILED = "pre_deploy_failed"
    UPDATE_FAILED = "update_failed"
    CANCELED = "canceled"

    @property
    def failed(self) -> bool:
        """Ended without having been live."""
        return self in (
            DeployStatus.BUILD_FAILED,
            DeployStatus.PRE_DEPLOY_FAILED,
            DeployStatus.UPDATE_FAILED,
            DeployStatus.CANCELED,
        )

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it, but for being replaced."""
        return self.failed or self in (DeployStatus.LIVE, DeployStatus.DEACTIVATED)


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy of a service. `commit` is the full hash, empty when the provider names none."""

    id: str
    service: str
    status: DeployStatus
    commit: str
    commit_message: str
    trigger: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PostgresInfo:
    """A database instance at the provider."""

    id: str
    name: str
    status: str
    version: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DatabasePlace:
    """Where a connection string leads: no user, no password."""

    host: str
    port: int
    database: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True, slots=True)
class Export:
    """A logical backup at the provider. `url` is a signed link, None until it is ready; never journaled."""

    id: str
    created_at: datetime
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryWindow:
    """Whether and since when a point in time can be recovered: AVAILABLE, BACKUP_NOT_READY, NOT_AVAILABLE."""

    status: str
    starts_at: datetime | None


@dataclass(frozen=True, slots=True)
class Download:
    """A finished download: where it is, its size in bytes, its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of a service's log. `kind` is app, request or build; `text` is untrusted."""

    id: str
    at: datetime
    service: str
    text: str
    kind: str = "app"
    level: str = ""
    instance: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of log lines, oldest first; `next_start`, `next_end` continue it while `more`."""

    entries: tuple[LogEntry, ...]
    more: bool
    next_start: datetime | None = None
    next_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """A metric's samples under one set of labels (resource, statusCode, quantile …)."""

    labels: Mapping[str, str]
    samples: tuple[Sample, ...]
    unit: str = ""
