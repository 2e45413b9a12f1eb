"""The shape of `config.toml`: strict models, one a table. Every key stands here; any other is refused.

What holds between tables (references, order, strengths) is `console.config.rules`; what they become is
`console.config.build`.
"""

from datetime import date as Date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from console.config.fields import (
    Branch,
    Column,
    CommitHash,
    Condition,
    Count,
    Duration,
    Environment,
    EnvironmentName,
    HttpStatus,
    HttpUrl,
    Id,
    Line,
    Lines,
    MergeMessage,
    Name,
    OwnerId,
    Planned,
    Positive,
    PostgresId,
    ReadOnlyQuery,
    RepositoryPath,
    RepositoryUrl,
    Send,
    ServiceId,
    Share,
    Table,
    not_blank,
    one_of,
)


class Strict(BaseModel):
    """Frozen, exact types, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RenderTable(Strict):
    """`[render]`: the provider's API."""

    api_url: HttpUrl
    owner_id: OwnerId
    token_env: Environment | None = None
    token_file: Line | None = None
    overlapping_deploys: Annotated[str, AfterValidator(one_of("wait", "cancel", "unknown"))] = "unknown"
    answers_within: Duration = 8.0


class ServiceTable(Strict):
    """`[[services]]`."""

    key: Id
    id: ServiceId
    name: Line
    role: Annotated[str, AfterValidator(one_of("backend", "frontend"))]
    environment: EnvironmentName
    branch: Branch
    url: HttpUrl
    unbuilt: Annotated[str, AfterValidator(one_of("deploy", "unchanged"))] = "deploy"
    database_env: Environment | None = None


class DatabaseTable(Strict):
    """`[database]`: the one to be migrated."""

    name: Line
    postgres_id: PostgresId
    url_env: Environment | None = None
    url_file: Line | None = None
    tls: Annotated[str, AfterValidator(one_of("verify-full", "verify-ca", "require", "disable"))]


class BackupTable(Strict):
    """`[backup]`: how long the copy is kept, and where it can be restored for a look."""

    keep_for: Duration
    scratch_url_env: Environment | None = None
    scratch_url_file: Line | None = None


class RepositoryTable(Strict):
    """`[repository]`."""

    url: RepositoryUrl


class ReleaseTable(Strict):
    """`[release]`: what is merged into what."""

    source: Branch
    target: Branch
    fix_commit: CommitHash
    merge_message: MergeMessage
    files: Annotated[tuple[RepositoryPath, ...], Field(min_length=1)]


class RuleTable(Strict):
    """A line of the mapping."""

    value: str
    becomes: Line


class OverrideTable(Strict):
    """A condition that comes before the rules."""

    where: Condition
    becomes: Line


class MappingTable(Strict):
    """`[migration.mapping]`."""

    source: Column
    target: Column
    domain: Annotated[tuple[Line, ...], Field(min_length=1)]
    otherwise: Line
    overrides: tuple[OverrideTable, ...] = ()
    rules: Annotated[tuple[RuleTable, ...], Field(min_length=1)]


class ClaimTable(Strict):
    """`[[migration.claims]]`."""

    title: Line
    where: Condition
    promised: Line


class HistoryTableTable(Strict):
    """`[migration.history]`."""

    table: Table
    version_column: Column
    columns: dict[Column, Line] = {}


class MigrationTable(Strict):
    """`[migration]`."""

    version: Line
    file: RepositoryPath
    table: Table
    key: Column
    removed: tuple[Column, ...]
    added: tuple[Column, ...]
    views: tuple[Table, ...] = ()
    dropped_views: tuple[Table, ...] = ()
    saved_copy: Table
    lock_timeout: Duration
    statement_timeout: Duration
    code_paths: Annotated[tuple[RepositoryPath, ...], Field(min_length=1)]
    mapping: MappingTable
    claims: tuple[ClaimTable, ...] = ()
    inverse: dict[str, str] = {}
    history: HistoryTableTable


class PhaseTable(Strict):
    """`[[phases]]`."""

    id: Id
    title: Line


class StepTable(Strict):
    """`[[steps]]`."""

    id: Id
    title: Line
    phase: Line
    action: Line | None = None
    params: Annotated[dict[str, JsonValue], Field(alias="with")] = {}
    role: Line | None = None
    manual: bool = False
    after: tuple[Line, ...] | None = None
    guards: tuple[Line, ...] = ()
    reopens: tuple[Line, ...] = ()
    confirm: Annotated[str, AfterValidator(one_of("ask", "type"))] | None = None
    phrase: Line | None = None
    planned: Planned | None = None
    help: Lines = ""


class TimelineTable(Strict):
    """`[[timeline]]`."""

    phase: Line
    title: Line
    planned: Planned
    steps: Annotated[tuple[Line, ...], Field(min_length=1)]


class CriterionTable(Strict):
    """`[[criteria]]`."""

    id: Id
    title: Line
    proven_by: Annotated[tuple[Line, ...], Field(min_length=1)]
    required: bool = True


class SignOffTable(Strict):
    """`[[signoffs]]`."""

    role: Id
    title: Line
    required: bool = True
    login: Line | None = None


class RollbackTable(Strict):
    """`[[rollback]]`."""

    title: Line
    part: Annotated[str, AfterValidator(one_of("code", "database", "communication"))] | None = None
    planned: Planned | None = None
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]


class ChannelTable(Strict):
    """`[[channels]]`: who hears of a rollback."""

    name: Line
    url_env: Environment | None = None
    url_file: Line | None = None


class MessageTable(Strict):
    """`[[messages]]`: the words for a turn of an incident, in place of the console's own."""

    turn: Annotated[str, AfterValidator(one_of("declared", "chosen", "turned", "closed"))]
    subject: Line
    text: Annotated[Lines, AfterValidator(not_blank)]


class RequestTable(Strict):
    """`[[checks.requests]]` and `[[checks.cleanup]]`."""

    send: Send
    service: Line | None = None
    body: JsonValue = None
    status: Annotated[tuple[HttpStatus, ...], Field(min_length=1)] = (200,)
    capture: dict[Name, Line] = {}
    expect: dict[str, JsonValue] = {}


class QueryTable(Strict):
    """`[[checks.queries]]` and `[checks.leftovers]`."""

    sql: ReadOnlyQuery
    expect: Annotated[dict[str, JsonValue], Field(min_length=1)]


class CheckTable(Strict):
    """`[[checks]]`."""

    id: Id
    title: Line
    release: Annotated[str, AfterValidator(one_of("old", "new", "both"))]
    service: Line | None = None
    timeout: Duration = 10.0
    requests: tuple[RequestTable, ...] = ()
    queries: tuple[QueryTable, ...] = ()
    writes: tuple[Table, ...] = ()
    cleanup: tuple[RequestTable, ...] = ()
    lookup: dict[str, ReadOnlyQuery] = {}
    leftovers: QueryTable | None = None


class ThresholdsTable(Strict):
    """`[thresholds]`."""

    window: Duration = 1800.0
    minimum_samples: Count = 5
    sample_interval: Duration = 15.0
    error_rate: Share = 0.05
    latency_ratio: Positive = 3.0
    latency_floor: Duration = 0.5
    connections: Count = 80
    longest_query: Duration = 30.0
    user_requests: Count = 1
    schema_gap: Duration = 600.0


class JournalTable(Strict):
    """`[journal]`: where the runs are kept, when not under the user's state directory, and who may watch them."""

    directory: Line | None = None
    readable_by: Annotated[str, AfterValidator(one_of("owner", "group"))] = "owner"
    url_env: Environment | None = None
    url_file: Line | None = None
    tls: Annotated[str, AfterValidator(one_of("verify-full", "verify-ca", "require", "disable"))] = "verify-full"


class PolicyTable(Strict):
    """`[policy]`: what holds for the people of a run."""

    four_eyes: bool = False


class PlanFile(Strict):
    """The whole file."""

    name: Id
    title: Line
    date: Date | None = None
    risk: Line | None = None
    environment: Annotated[str, AfterValidator(one_of("production", "rehearsal"))]
    declared_total: Planned
    description: Lines = ""
    render: RenderTable
    services: Annotated[tuple[ServiceTable, ...], Field(min_length=1)]
    database: DatabaseTable
    backup: BackupTable
    repository: RepositoryTable
    release: ReleaseTable
    migration: MigrationTable
    phases: Annotated[tuple[PhaseTable, ...], Field(min_length=1)]
    steps: Annotated[tuple[StepTable, ...], Field(min_length=1)]
    timeline: Annotated[tuple[TimelineTable, ...], Field(min_length=1)]
    criteria: Annotated[tuple[CriterionTable, ...], Field(min_length=1)]
    signoffs: tuple[SignOffTable, ...] = ()
    rollback: tuple[RollbackTable, ...] = ()
    channels: tuple[ChannelTable, ...] = ()
    messages: tuple[MessageTable, ...] = ()
    checks: tuple[CheckTable, ...] = ()
    thresholds: ThresholdsTable = ThresholdsTable()
    journal: JournalTable = JournalTable()
    policy: PolicyTable = PolicyTable()
