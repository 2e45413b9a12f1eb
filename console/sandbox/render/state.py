"""The stand-in's durable state: records of what exists, and the file that keeps them.

The file is written atomically (a reader or a restart sees the state before or after a change, never a
half of it) and holds environment variables, so it is its owner's alone.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from console.sandbox.contracts import CommitInfo, EnvironmentName, Role
from console.sandbox.render.seed import AutoDeployTrigger, BuildFilter

JsonObject = dict[str, object]

DeployStatus = Literal[
    "created",
    "queued",
    "build_in_progress",
    "update_in_progress",
    "live",
    "deactivated",
    "build_failed",
    "update_failed",
    "canceled",
]
DeployTrigger = Literal["api", "new_commit", "rollback", "service_resumed", "deployed_by_render"]
PostgresStatus = Literal["creating", "available", "suspended", "recovery_failed"]

BUILDING: frozenset[DeployStatus] = frozenset({"created", "build_in_progress"})
UNFINISHED: frozenset[DeployStatus] = BUILDING | {"queued", "update_in_progress"}


@dataclass(slots=True)
class Service:
    """A web service; `seen_head` is the tip of its branch that autodeploy has already dealt with."""

    id: str
    name: str
    environment: EnvironmentName
    role: Role
    branch: str
    root_dir: str
    build_filter: BuildFilter
    autodeploy: AutoDeployTrigger
    env: dict[str, str] = field(repr=False)
    public_port: int
    build_seconds: float
    health_check_path: str
    created_at: datetime
    updated_at: datetime
    suspended: bool = False
    maintenance: bool = False
    maintenance_uri: str = ""
    seen_head: str | None = None
    live_deploy: str | None = None
    unbuildable_commit: str | None = None


@dataclass(slots=True)
class Deploy:
    """One deploy of a service.

    `env` are the variables it runs with, `checkout` the folder of its build; `unlucky`: its build fails, and another
    one of the same commit need not.
    """

    id: str
    service_id: str
    commit: CommitInfo
    trigger: DeployTrigger
    created_at: datetime
    updated_at: datetime
    status: DeployStatus = "created"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    env: dict[str, str] | None = field(default=None, repr=False)
    checkout: str | None = None
    built_by: str | None = None
    initial: bool = False
    unlucky: bool = False


@dataclass(slots=True)
class Postgres:
    """A PostgreSQL instance as the API shows it; `database` and `user` of one that was made through the API."""

    id: str
    name: str
    environment: EnvironmentName
    created_at: datetime
    updated_at: datetime
    status: PostgresStatus = "available"
    recovered_from: str | None = None
    restore_time: datetime | None = None
    database: str = ""
    user: str = ""


@dataclass(slots=True)
class Export:
    """One logical backup; it can be downloaded once `file` is set."""

    id: str
    postgres_id: str
    created_at: datetime
    token: str = field(repr=False)
    file: str | None = None
    failed: bool = False


@dataclass(slots=True)
class Event:
    """Something that happened to a service."""

    id: str
    at: datetime
    service_id: str
    type: str
    details: JsonObject


@dataclass(slots=True)
class State:
    """Everything that outlives the process. Dictionaries keep the order of creation."""

    owner_id: str
    project_id: str
    created_at: datetime
    environments: dict[EnvironmentName, str]
    api_port: int | None = None
    services: dict[str, Service] = field(default_factory=dict)
    deploys: dict[str, Deploy] = field(default_factory=dict)
    postgres: dict[str, Postgres] = field(default_factory=dict)
    exports: dict[str, Export] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    api_requests: dict[str, int] = field(default_factory=dict)

    def deploys_of(self, service_id: str) -> Iterator[Deploy]:
        """A service's deploys, newest first."""
        return (deploy for deploy in reversed(self.deploys.values()) if deploy.service_id == service_id)

    def live_deploy(self, service: Service) -> Deploy | None:
        """The deploy whose instance serves the users, or None."""
        return self.deploys.get(service.live_deploy) if service.live_deploy else None


class StateFile:
    """Keeps one `State` in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._adapter = TypeAdapter(State)
        self._written = b""

    def load(self) -> State | None:
        """The state as last saved, or None where nothing was ever saved."""
        if not self._path.exists():
            return None
        return self._adapter.validate_json(self._path.read_bytes())

    def save(self, state: State) -> None:
        """Replace the file's content, unless nothing changed; the file is never seen half written."""
        content = self._adapter.dump_json(state)
        if content == self._written:
            return
        draft = self._path.with_suffix(".draft")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.replace(self._path)
        self._written = content
