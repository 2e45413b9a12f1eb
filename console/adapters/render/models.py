"""What the provider answers: models of its JSON, lenient to keys that are not used, strict on those that are.

Each model turns itself into the domain's type. Validation errors never quote what was received: an answer
may hold passwords.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from console.adapters.render.times import parsed, parsed_up
from console.domain.hosting import (
    Deploy,
    DeployStatus,
    Export,
    LogEntry,
    LogPage,
    PostgresInfo,
    RecoveryWindow,
    Sample,
    Series,
    ServiceInfo,
)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]


class Answered(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, populate_by_name=True)


class BuildFilter(Answered):
    """Which paths trigger a build, and which never do."""

    paths: tuple[str, ...] = ()
    ignored_paths: tuple[str, ...] = Field(default=(), alias="ignoredPaths")


class MaintenanceMode(Answered):
    """Whether the maintenance page is served; `uri` is empty for the provider's own page."""

    enabled: bool
    uri: str = ""


class ServiceDetails(Answered):
    """The part of a service that depends on its type; static sites know no maintenance mode."""

    url: str = ""
    maintenance: MaintenanceMode | None = Field(default=None, alias="maintenanceMode")


class ServiceModel(Answered):
    """A service. The trigger is missing from older answers, which say only whether autodeploy is on."""

    id: str
    name: str
    branch: str = ""
    repo: str = ""
    root_dir: str = Field(default="", alias="rootDir")
    auto_deploy: Literal["yes", "no"] = Field(alias="autoDeploy")
    trigger: Literal["commit", "checksPass", "off"] | None = Field(default=None, alias="autoDeployTrigger")
    suspended: Literal["suspended", "not_suspended"]
    build_filter: BuildFilter | None = Field(default=None, alias="buildFilter")
    details: ServiceDetails = Field(alias="serviceDetails")

    def domain(self) -> ServiceInfo:
        """The service in the domain's words."""
        filters = self.build_filter or BuildFilter()
        off = self.auto_deploy == "no"
        return ServiceInfo(
            id=self.id,
            name=self.name,
            branch=self.branch,
            auto_deploy="off" if off else self.trigger or "commit",
            suspended=self.suspended == "suspended",
            repository=self.repo,
            root_dir=self.root_dir,
            build_paths=filters.paths,
            ignored_paths=filters.ignored_paths,
            url=self.details.url,
            maintenance=self.details.maintenance is not None and self.details.maintenance.enabled,
        )


class CommitModel(Answered):
    """The commit of a deploy."""

    id: str = ""
    message: str = ""


class DeployModel(Answered):
    """A deploy. One of an image has no commit."""

    id: str
    status: DeployStatus
    commit: CommitModel | None = None
    trigger: str = ""
    created_at: Moment = Field(alias="createdAt")
    started_at: Moment | None = Field(default=None, alias="startedAt")
    finished_at: Moment | None = Field(default=None, alias="finishedAt")

    def domain(self, service_id: str) -> Deploy:
        """The deploy in the domain's words; the provider does not repeat the service's id in it."""
        commit = self.commit or CommitModel()
        return Deploy(
            id=self.id,
            service=service_id,
            status=self.status,
            commit=commit.id,
            commit_message=commit.message,
            trigger=self.trigger,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
        )


class DeployItem(Answered):
    """A deploy in a list."""

    deploy: DeployModel
    cursor: str


class EnvVar(Answered):
    """An environment variable of a service; its value is a secret."""

    key: str
    value: str = Field(repr=False)


class EnvVarItem(Answered):
    """An environment variable in a list."""

    variable: EnvVar = Field(alias="envVar")
    cursor: str


class ServiceEvent(Answered):
    """Something that happened to a service: a build, a deploy, a suspension, a restart …"""

    id: str
    at: Moment = Field(alias="timestamp")
    service_id: str = Field(alias="serviceId")
    type: str


class ServiceEventItem(Answered):
    """An event in a list."""

    event: ServiceEvent
    cursor: str


class PostgresModel(Answered):
    """A database instance."""

    id: str
    name: str
    status: str
    version: str
    created_at: Moment = Field(alias="createdAt")

    def domain(self) -> PostgresInfo:
        """The instance in the domain's words."""
        return PostgresInfo(
            id=self.id, name=self.name, status=self.status, version=self.version, created_at=self.created_at
        )


class PostgresItem(Answered):
    """A database instance in a list."""

    postgres: PostgresModel
    cursor: str


class AllowedAddress(Answered):
    """Addresses from outside that may connect to an instance."""

    cidr_block: str = Field(alias="cidrBlock")
    description: str = ""


class PostgresSettings(PostgresModel):
    """A database instance with what it takes to create another of its kind."""

    plan: str
    region: str
    database: str = Field(alias="databaseName")
    user: str = Field(alias="databaseUser")
    environment: str = Field(default="", alias="environmentId")
    disk_gb: int | None = Field(default=None, alias="diskSizeGB")
    disk_grows: bool = Field(default=False, alias="diskAutoscalingEnabled")
    highly_available: bool = Field(default=False, alias="highAvailabilityEnabled")
    allowed: tuple[AllowedAddress, ...] = Field(default=(), alias="ipAllowList")


class ConnectionInfo(Answered):
    """How a database is reached; all of it is secret."""

    password: str = Field(repr=False)
    internal: str = Field(repr=False, alias="internalConnectionString")
    external: str = Field(repr=False, alias="externalConnectionString")


class ExportModel(Answered):
    """A logical backup; without `url` it is not ready yet."""

    id: str
    created_at: Moment = Field(alias="createdAt")
    url: str | None = Field(default=None, repr=False)

    def domain(self) -> Export:
        """The export in the domain's words."""
        return Export(id=self.id, created_at=self.created_at, url=self.url or None)


class RecoveryModel(Answered):
    """The point-in-time recovery window."""

    status: str = Field(alias="recoveryStatus")
    starts_at: Moment | None = Field(default=None, alias="startsAt")

    def domain(self) -> RecoveryWindow:
        """The window in the domain's words."""
        return RecoveryWindow(status=self.status, starts_at=self.starts_at)


class MetricLabel(Answered):
    """What tells one series from another."""

    field: str
    value: str


class MetricValue(Answered):
    """One value of a series."""

    at: Moment = Field(alias="timestamp")
    value: float


class SeriesModel(Answered):
    """A metric's values under one set of labels."""

    labels: tuple[MetricLabel, ...] = ()
    values: tuple[MetricValue, ...] = ()
    unit: str = ""

    def domain(self) -> Series:
        """The series in the domain's words."""
        return Series(
            labels={label.field: label.value for label in self.labels},
            samples=tuple(Sample(value.at, value.value) for value in self.values),
            unit=self.unit,
        )


class LogLabel(Answered):
    """What tells where a line comes from."""

    name: str
    value: str


class LogLine(BaseModel):
    """One line of the log. Made a hundred thousand times: no more is configured than is needed."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: str
    message: str
    timestamp: AwareDatetime
    labels: list[LogLabel]

    def domain(self) -> LogEntry:
        """The line in the domain's words."""
        labels = {label.name: label.value for label in self.labels}
        at = self.timestamp
        return LogEntry(
            id=self.id,
            at=_utc(at) if at.utcoffset() else at,
            service=labels.get("resource", ""),
            text=self.message,
            kind=labels.get("type", "app"),
            level=labels.get("level", ""),
            instance=labels.get("instance", ""),
            labels=labels,
        )


class LogPageModel(Answered):
    """A page of the log and the window that continues it, whose ends may be finer than a microsecond."""

    more: bool = Field(alias="hasMore")
    next_start: str = Field(default="", alias="nextStartTime")
    next_end: str = Field(default="", alias="nextEndTime")
    logs: list[LogLine]

    @field_validator("next_start", "next_end")
    @classmethod
    def _is_moment(cls, text: str) -> str:
        if text:
            parsed(text)
        return text

    def domain(self, *, newest_first: bool) -> LogPage:
        """The page in the domain's words, oldest line first."""
        entries = [line.domain() for line in self.logs]
        if newest_first:
            entries.reverse()
        return LogPage(
            entries=tuple(sorted(entries, key=lambda entry: entry.at)),
            more=self.more,
            next_start=parsed(self.next_start) if self.next_start else None,
            next_end=parsed_up(self.next_end) if self.next_end else None,
        )


class Complaint(Answered):
    """The provider's own words with an error."""

    message: str = ""


SERVICE = TypeAdapter(ServiceModel)
DEPLOY = TypeAdapter(DeployModel)
DEPLOYS = TypeAdapter(list[DeployItem])
ENV_VAR = TypeAdapter(EnvVar)
ENV_VARS = TypeAdapter(list[EnvVarItem])
EVENTS = TypeAdapter(list[ServiceEventItem])
POSTGRES = TypeAdapter(PostgresModel)
POSTGRES_LIST = TypeAdapter(list[PostgresItem])
POSTGRES_SETTINGS = TypeAdapter(PostgresSettings)
CONNECTION_INFO = TypeAdapter(ConnectionInfo)
EXPORTS = TypeAdapter(list[ExportModel])
RECOVERY = TypeAdapter(RecoveryModel)
SERIES = TypeAdapter(list[SeriesModel])
LOG_LINE = TypeAdapter(LogLine)
LOG_PAGE = TypeAdapter(LogPageModel)
