"""The plan: what is to be done, frozen when a run starts.

Plain data. `console.config` reads it from `config.toml` and checks it; the engine, the actions and the
screens read it from here. Nothing in a plan is secret: secrets are named, never held.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class DurationRange:
    """A planned duration in seconds, from the shortest to the longest expected."""

    low: float
    high: float

    def __add__(self, other: "DurationRange") -> "DurationRange":
        return DurationRange(self.low + other.low, self.high + other.high)


class Strength(StrEnum):
    """How a confirmation is given."""

    ASK = "ask"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person must do before a step acts: answer a question, or type `phrase`."""

    strength: Strength
    phrase: str = ""


class StepKind(StrEnum):
    """What completes a step: its action, a person's tick, or a role's signature."""

    ACTION = "action"
    MANUAL = "manual"
    SIGNOFF = "signoff"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist.

    `after` names the steps that must be over before this one starts; `guards` those among the earlier
    steps whose success this one depends on (skipped only by typing, here); `reopens` the steps that a
    failure of this one may send the run back to. `params` belong to the action.
    """

    id: str
    title: str
    phase: str
    kind: StepKind
    action: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    reopens: tuple[str, ...] = ()
    confirmation: Confirmation | None = None
    role: str | None = None
    planned: DurationRange | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """A heading of the checklist, in order."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A row of the plan's timeline: its planned range and the steps whose times make its bar."""

    phase: str
    title: str
    planned: DurationRange
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Criterion:
    """A line of the success criteria and the steps whose success proves it."""

    id: str
    title: str
    proven_by: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class SignOff:
    """A signature that the plan asks for."""

    role: str
    title: str
    required: bool = True
    login: str = ""
    """The login of the shared record by which this role signs from its own machine; empty: by voice only."""


@dataclass(frozen=True, slots=True)
class Service:
    """A hosted service of one environment.

    `unbuilt` says what happens when the release's files do not trigger a build of it: `deploy` (by
    commit) or `unchanged`. `database_env` names the environment variable that holds its connection string; empty
    for a service that uses no database itself.
    """

    key: str
    id: str
    name: str
    role: str
    environment: str
    branch: str
    url: str
    unbuilt: str = "deploy"
    database_env: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseTarget:
    """The database to be migrated; `url_source` names where its connection string comes from."""

    name: str
    postgres_id: str
    url_source: str
    tls: str
    keep_backup_for: float
    scratch_url_source: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """What is deployed: from which branch to which, which commit must be in it, which files it changes."""

    source: str
    target: str
    fix_commit: str
    merge_message: str
    files: tuple[str, ...]
    repository: str


@dataclass(frozen=True, slots=True)
class MappingRule:
    """`value` of the mapped column becomes `becomes`."""

    value: str
    becomes: str


@dataclass(frozen=True, slots=True)
class OverrideRule:
    """Rows for which the SQL condition `where` holds become `becomes`, whatever the mapped column says."""

    where: str
    becomes: str


@dataclass(frozen=True, slots=True)
class ValueMapping:
    """How the new column follows from the old one: overrides first, then rules, else `otherwise`."""

    source: str
    target: str
    rules: tuple[MappingRule, ...]
    overrides: tuple[OverrideRule, ...]
    otherwise: str
    domain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A rule that the documents promise and nobody enforces: rows `where` should have become `promised`."""

    title: str
    where: str
    promised: str


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """The table in which the application records which migrations it has had."""

    table: str
    version_column: str
    columns: Mapping[str, str]
    """Further columns to fill, by name; a value may use {file}, {checksum} and {now}."""


@dataclass(frozen=True, slots=True)
class Migration:
    """The migration and what it is expected to do. Times in seconds."""

    version: str
    file: str
    table: str
    key: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    views: tuple[str, ...]
    mapping: ValueMapping
    claims: tuple[Claim, ...]
    saved_copy: str
    history: HistoryTable
    lock_timeout: float
    statement_timeout: float
    code_paths: tuple[str, ...]
    dropped_views: tuple[str, ...] = ()
    inverse: tuple[MappingRule, ...] = ()
    """For the way back: the old value for each new one, for rows written since; a value without a rule is left to a
    person."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request of a check and what is expected of the answer.

    `service` is a service key. Strings may hold `{name}` captures of earlier requests, `{run}` and
    `{marker}`. `capture` maps a name to a dotted path into the JSON answer; `expect` maps a dotted path
    to the value (or, as `{"type": …}`, `{"min": …}`, `{"contains": …}`, a condition) found there.
    """

    method: str
    service: str
    path: str
    body: Json = None
    status: tuple[int, ...] = (200,)
    capture: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL query of a check; `expect` maps a column of its first row to the expected value."""

    sql: str
    expect: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check of the running system.

    `release` is `old`, `new` or `both`; `writes` names the tables in which it may leave rows while it
    runs; `cleanup` are the requests that remove what it made, also after a crash; `lookup` finds by the marker what was
    created before its answer came: captured name → SQL that gives its value; `leftovers` is a query
    that counts what was left, with `{marker}`.
    """

    id: str
    title: str
    release: str
    requests: tuple[Request, ...] = ()
    queries: tuple[Query, ...] = ()
    writes: tuple[str, ...] = ()
    cleanup: tuple[Request, ...] = ()
    leftovers: Query | None = None
    timeout: float = 10.0
    lookup: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When monitoring speaks up. Rates are shares (0–1) of requests, times in seconds, ratios against the baseline."""

    window: float = 1800.0
    minimum_samples: int = 5
    sample_interval: float = 15.0
    error_rate: float = 0.05
    latency_ratio: float = 3.0
    latency_floor: float = 0.5
    connections: int = 80
    longest_query: float = 30.0
    user_requests: int = 1
    schema_gap: float = 600.0


@dataclass(frozen=True, slots=True)
class RollbackStep:
    """A line of the plan's own rollback section. `part` says what it covers: code, database or communication."""

    title: str
    planned: DurationRange | None
    lines: tuple[str, ...]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where the provider is reached; `token_source` names where its key comes from (`env:NAME` or `file:/path`).

    `overlapping_deploys` is what the workspace does when a push meets a running deploy: wait, cancel, unknown.
    `answers_within` is how many wall seconds its answer to a question is waited for before it is asked again.
    """

    api_url: str
    owner_id: str
    token_source: str
    overlapping_deploys: str = "unknown"
    answers_within: float = 8.0


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach the stakeholders; `url_source` names where its address, a secret, comes from."""

    name: str
    url_source: str


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """Words for the stakeholders at a turn of an incident (`console.domain.messages.Turn`), with {placeholders}."""

    turn: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is to be done, and against what. See the module's docstring."""

    name: str
    title: str
    environment: str
    declared_total: DurationRange
    phases: tuple[Phase, ...]
    steps: tuple[Step, ...]
    timeline: tuple[TimelineRow, ...]
    criteria: tuple[Criterion, ...]
    signoffs: tuple[SignOff, ...]
    rollback: tuple[RollbackStep, ...]
    hosting: Hosting
    services: tuple[Service, ...]
    database: DatabaseTarget
    release: Release
    migration: Migration
    checks: tuple[Check, ...]
    thresholds: Thresholds = Thresholds()
    description: str = ""
    hosts: tuple[str, ...] = ()
    date: str = ""
    """The plan's own date, `2026-02-04`; empty when it has none."""
    risk: str = ""
    channels: tuple[Channel, ...] = ()
    messages: tuple[MessageTemplate, ...] = ()
    """Templates that replace the console's own."""
    journal_directory: str = ""
    """Where its runs are kept; empty: under the user's state directory."""
    readable_by: str = "owner"
    """Who may read the record of its runs: `owner` alone, or the `group` of the folder in which they are kept."""
    journal_url_source: str = ""
    """Where the address of the shared record comes from (`env:NAME` or `file:/path`); empty: nothing is shared."""
    journal_tls: str = "verify-full"
    """How the line to the shared record is protected: as `DatabaseTarget.tls`."""
    four_eyes: bool = False
    """Whether nobody who drives may sign."""

    def step(self, step_id: str) -> Step:
        """The step with this id. Raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def steps_of(self, phase_id: str) -> tuple[Step, ...]:
        """The steps of a phase, in order."""
        return tuple(step for step in self.steps if step.phase == phase_id)

    def check(self, check_id: str) -> Check:
        """The check with this id. Raises KeyError."""
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)

    def service(self, key: str) -> Service:
        """The service with this key. Raises KeyError."""
        for service in self.services:
            if service.key == key:
                return service
        raise KeyError(key)

    def services_in(self, environment: str) -> tuple[Service, ...]:
        """The services of one environment; the plan's own environment is called `production`."""
        return tuple(service for service in self.services if service.environment == environment)
