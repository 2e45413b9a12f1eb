"""The faults to practise on: their names, what each does, and which of a world's have already happened.

Each is a thing that happens in the world; the console is told of none. What always holds: a fault that comes
once has come once also after the world was restarted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from console.errors import ConfigError
from console.sandbox.private_files import write_private


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault by name, what it does in one line, and the targets that may be named after `=`."""

    name: str
    description: str
    targets: tuple[str, ...] = ()


KINDS = tuple(
    FaultKind(*fields)
    for fields in (
        ("wrong-branch", "production's backend tracks another branch than the one that is pushed"),
        (
            "build-fails",
            "the release's commit does not build (both services, or =backend, =frontend)",
            ("backend", "frontend"),
        ),
        ("deploys-other-commit", "the push is followed by a deploy of the old commit"),
        ("foreign-deploy", "somebody deploys the old commit while the release builds"),
        ("push-race", "a colleague pushes to main a moment before the console does"),
        ("merge-conflict", "main holds a colleague's change that conflicts with the release"),
        ("export-stalls", "the provider's export never becomes ready"),
        ("backup-corrupt", "the exported backup is damaged inside"),
        ("migration-error", "a report made by hand depends on a column that the migration drops"),
        ("lock-blocked", "a reporting session holds a lock on accounts once the release is live"),
        ("kpi-breaks", "after the migration a nightly job breaks what the new dashboard needs"),
        ("error-spike", "once the release is live, users run into a report that it broke"),
        ("api-429", "the provider's API refuses some requests: too many"),
        ("api-500", "the provider's API answers some requests with an error"),
        ("api-timeout", "the provider's API lets some requests hang"),
        ("ws-drop", "the log subscription breaks again and again"),
        (
            "restore-fails",
            "the first new database instance ends as failed (a recovery or an empty one); a second works",
        ),
        (
            "rollback-build-fails",
            "the build of the revert fails the first time (both services, or =backend, =frontend)",
            ("backend", "frontend"),
        ),
        (
            "autodeploy-refires",
            "autodeploy, switched on again, deploys the release once more though nothing was pushed",
        ),
        ("notify-down", "the receiver of the stakeholders' messages answers 503"),
    )
)
_BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Fault:
    """A chosen fault; without a target it falls upon all that it can fall upon."""

    name: str
    target: str | None = None

    def __str__(self) -> str:
        return self.name if self.target is None else f"{self.name}={self.target}"


def parse_fault(text: str) -> Fault:
    """`NAME` or `NAME=target`. Raises `ConfigError` that names the nearest fault or the targets there are."""
    name, separator, target = text.partition("=")
    kind = _BY_NAME.get(name)
    if kind is None:
        near = get_close_matches(name, _BY_NAME, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError([f"There is no fault {name!r}.{hint}"], remedy=f"Faults: {', '.join(_BY_NAME)}.")
    if not separator:
        return Fault(name)
    if target not in kind.targets:
        can = f"one of {', '.join(kind.targets)}" if kind.targets else "no target"
        raise ConfigError([f"The fault {name!r} takes {can}, not {target!r}."])
    return Fault(name, target)


class WorldFaults:
    """The faults of one world; `taken` is the file that keeps which have happened."""

    def __init__(self, chosen: Sequence[Fault], taken: Path) -> None:
        self._chosen = frozenset(chosen)
        self._file = taken
        self._taken: set[str] = set(json.loads(taken.read_text())) if taken.exists() else set()

    def active(self, name: str, target: str | None = None) -> bool:
        """Whether fault `name` was chosen, for `target` or for all."""
        if name not in _BY_NAME:
            raise ValueError(f"there is no fault {name!r}")
        return Fault(name) in self._chosen or (target is not None and Fault(name, target) in self._chosen)

    def take(self, name: str, target: str | None = None) -> bool:
        """Like `active`, but true only the first time over the life of this world."""
        key = str(Fault(name, target))
        if not self.active(name, target) or key in self._taken:
            return False
        self._taken.add(key)
        write_private(self._file, json.dumps(sorted(self._taken)))
        return True
