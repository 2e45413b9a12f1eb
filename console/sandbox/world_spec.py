"""What a world was asked to be, and the names, ports and secrets it was given once: kept in `spec.json` (0600).

What always holds: a restart on the same folder finds every id, port and secret as they were.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from console.errors import ConfigError
from console.sandbox.contracts import EnvironmentName, Role
from console.sandbox.faults import parse_fault
from console.sandbox.loopback import free_port
from console.sandbox.private_files import write_private
from console.sandbox.render.identity import new_id

MOST_PACE = 100_000
MOST_ACCOUNTS = 10_000_000

_SPEC_FILE = "spec.json"
_PLANNED_BUILD_S: dict[Role, float] = {"backend": 240.0, "frontend": 210.0}
_BRANCHES: dict[EnvironmentName, str] = {"production": "main", "staging": "staging", "devtest": "devtest"}


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service: its id, the name it bears, and the public port it keeps."""

    id: str
    environment: EnvironmentName
    role: Role
    port: int

    @property
    def key(self) -> str:
        """The name that the plan uses: the role, with the environment before it outside of production."""
        return self.role if self.environment == "production" else f"{self.environment}-{self.role}"

    @property
    def name(self) -> str:
        """The service's name at the provider."""
        return f"crm-{self.role}" + ("" if self.environment == "production" else f"-{self.environment}")

    @property
    def branch(self) -> str:
        """The branch that the service is meant to track."""
        return _BRANCHES[self.environment]

    @property
    def url(self) -> str:
        """The public address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def build_seconds(self) -> float:
        """How long a build is planned to take."""
        return _PLANNED_BUILD_S[self.role]


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """The whole order.

    `faults` as on the command line; `pace` divides invented waits; `accounts` to seed; `plan` is the absolute
    path of the configuration that the overlay extends, None for an overlay alone; `shared`: with a server for a shared
    record.
    """

    faults: tuple[str, ...] = ()
    pace: float = 1.0
    accounts: int = 449
    plan: str | None = None
    shared: bool = False
    owner_id: str = field(default_factory=lambda: new_id("tea"))
    postgres_id: str = field(default_factory=lambda: f"{new_id('dpg')}-a")
    shared_postgres_id: str = field(default_factory=lambda: f"{new_id('dpg')}-a")
    render_token: str = field(default_factory=lambda: f"rnd_{secrets.token_urlsafe(24)}", repr=False)
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    control_port: int = field(default_factory=free_port)
    messages_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    messages_port: int = field(default_factory=free_port)
    services: tuple[ServiceSpec, ...] = field(default_factory=lambda: tuple(_new_services()))

    def service(self, environment: EnvironmentName, role: Role) -> ServiceSpec:
        """The service of a role in an environment."""
        return next(one for one in self.services if (one.environment, one.role) == (environment, role))

    @property
    def channel_url(self) -> str:
        """The stakeholders' address, as Apprise takes it; secret."""
        return f"json://127.0.0.1:{self.messages_port}/{self.messages_token}"

    def save(self, state_dir: Path) -> None:
        """Write the order into the world's folder."""
        write_private(state_dir / _SPEC_FILE, json.dumps(asdict(self), indent=1))


def load_spec(state_dir: Path) -> WorldSpec | None:
    """The order of the world in `state_dir`, or None when there is none yet."""
    file = state_dir / _SPEC_FILE
    if not file.exists():
        return None
    fields = json.loads(file.read_text())
    services = tuple(ServiceSpec(**service) for service in fields.pop("services"))
    return WorldSpec(**{**fields, "faults": tuple(fields["faults"]), "services": services})


def new_spec(
    *, faults: Sequence[str], pace: float, accounts: int, plan: Path | None = None, shared: bool = False
) -> WorldSpec:
    """A new order, with ids, ports and secrets of its own.

    Raises `ConfigError` for a fault that does not exist, a pace that is not positive, or no accounts at all.
    """
    for fault in faults:
        parse_fault(fault)
    if not 0 < pace <= MOST_PACE:
        raise ConfigError([f"The pace must lie above 0 and at most at {MOST_PACE:,}, not {pace:g}."])
    if not 1 <= accounts <= MOST_ACCOUNTS:
        raise ConfigError([f"A world has between 1 and {MOST_ACCOUNTS:,} accounts, not {accounts}."])
    path = str(plan.resolve()) if plan is not None else None
    return WorldSpec(faults=tuple(faults), pace=pace, accounts=accounts, plan=path, shared=shared)


def _new_services() -> list[ServiceSpec]:
    return [
        ServiceSpec(new_id("srv"), environment, role, free_port())
        for environment in _BRANCHES
        for role in ("backend", "frontend")
    ]
