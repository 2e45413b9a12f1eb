"""What the stand-in is born with: the workspace, its services and its databases.

A seed counts only the first time; afterwards the durable state in the stand-in's folder does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from console.sandbox.contracts import EnvironmentName, Role

AutoDeployTrigger = Literal["commit", "checksPass", "off"]
Overlap = Literal["cancel", "wait"]


@dataclass(frozen=True, slots=True)
class BuildFilter:
    """Glob patterns, relative to the repository's root, that decide whether a push triggers a build."""

    paths: tuple[str, ...] = ()
    ignored_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceSeed:
    """One web service.

    `public_port` is the loopback port under which users reach it, whatever instance is live behind it;
    `build_seconds` the planned duration of a build (the pace divides it).
    """

    id: str
    name: str
    environment: EnvironmentName
    role: Role
    branch: str
    public_port: int
    build_seconds: float
    env: Mapping[str, str] = field(default_factory=dict)
    root_dir: str = ""
    build_filter: BuildFilter = BuildFilter()
    autodeploy: AutoDeployTrigger = "commit"
    health_check_path: str = "/health"


@dataclass(frozen=True, slots=True)
class PostgresSeed:
    """One PostgreSQL instance; `id` names a real server of the world's `Databases`."""

    id: str
    name: str
    environment: EnvironmentName


@dataclass(frozen=True, slots=True)
class WorldSeed:
    """The whole workspace; `overlap` is its policy for a deploy that begins while another one builds."""

    owner_id: str
    token: str = field(repr=False)
    services: tuple[ServiceSeed, ...]
    postgres: tuple[PostgresSeed, ...]
    owner_name: str = "CRM team"
    owner_email: str = "ops@crm.invalid"
    overlap: Overlap = "cancel"
