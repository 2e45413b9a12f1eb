"""Where production stands in an incident, and the ways back from there, as they were assessed and are shown.

Plain data, journaled whole with `rollback.assessed`; moments are ISO 8601 texts in UTC. Which ways apply is decided
in `console.domain.rollback`; the figures come from the world.
"""

from dataclasses import dataclass
from enum import StrEnum

from console.domain.loss import Loss
from console.domain.outcome import Line
from console.domain.plan import DurationRange


class Runs(StrEnum):
    """What a service runs, by its tree: the release, what was live before it, or something else."""

    OLD = "old"
    NEW = "new"
    OTHER = "other"


class Code(StrEnum):
    """What production's services run, taken together."""

    OLD = "old"
    NEW = "new"
    MIXED = "mixed"


class Schema(StrEnum):
    """Whether the database has the migrated schema."""

    OLD = "old"
    NEW = "new"
    UNKNOWN = "unknown"


class Way(StrEnum):
    """A way back.

    NOTHING: nothing reached production. CODE: revert the whole release. FIX_ONLY: revert the fix commit alone, as the
    plan writes it. SCHEMA: the dropped columns rebuilt from the saved copy, and the code. DATABASE: a new instance,
    recovered to the moment before the migration, and the code. BACKUP: the same from the exported backup.
    """

    NOTHING = "nothing"
    CODE = "code"
    FIX_ONLY = "fix-only"
    SCHEMA = "schema"
    DATABASE = "database"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class ServiceStanding:
    """What one production service runs.

    `building` is the commit of a deploy under way, empty without one, and `builds` what the service runs after it.
    """

    key: str
    name: str
    commit: str
    runs: Runs
    deploy: str = ""
    building: str = ""
    maintenance: bool = False
    builds: Runs | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where production stands.

    `pushed`: the target branch holds the release, and no revert of it. `switched`: the services use another instance
    than the plan's. `split`: they use more than one instance, or one that is not known: `postgres_id` is then the one
    that was read, and the schema says nothing. `fenced`: writes to the database in use are fenced off. `saved_copy`:
    the table from which the schema can be rebuilt, empty without one. `recoverable`: the provider can recover the
    moment before the migration, now or from `reachable_at` on (empty: now). `backup`: there is a verified export.
    `fix_is_all`: reverting the fix commit alone gives the tree from before.
    """

    pushed: bool
    services: tuple[ServiceStanding, ...]
    schema: Schema
    postgres_id: str
    database: str
    switched: bool = False
    fenced: bool = False
    saved_copy: str = ""
    recoverable: bool = False
    reachable_at: str = ""
    backup: bool = False
    fix_is_all: bool = False
    remarks: tuple[Line, ...] = ()
    split: bool = False

    @property
    def code(self) -> Code:
        """What the services run, taken together, or will by a deploy under way; other commits make it mixed."""
        runs = {service.runs for service in self.services}
        # A deploy under way of the old code takes nothing back until it is live; one of other code soon brings it.
        runs |= {each.builds for each in self.services if each.builds not in (None, Runs.OLD)}
        if runs == {Runs.NEW}:
            return Code.NEW
        return Code.OLD if runs <= {Runs.OLD} else Code.MIXED


@dataclass(frozen=True, slots=True)
class WayBack:
    """A way as it is offered: its verdict and its price.

    `applies`: it can be gone from here. `restores`: it brings service back. `why` gives the reason of the verdict in
    a sentence. `price` is one sentence, `loss` its figures where rows would be lost. `reachable_at`: before then it
    cannot begin. `steps` are the titles of its steps, in order; `lines` the details of the price.
    """

    way: Way
    title: str
    applies: bool
    restores: bool
    recommended: bool
    why: str
    price: str = ""
    loss: Loss | None = None
    duration: DurationRange | None = None
    reachable_at: str = ""
    steps: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Where production stood at `at`, and the ways back from there, the recommended one first."""

    at: str
    standing: Standing
    ways: tuple[WayBack, ...]

    def offer(self, way: Way) -> WayBack | None:
        """The way as it was offered; None when it was not."""
        return next((each for each in self.ways if each.way is way), None)
