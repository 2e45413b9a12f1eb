"""A migration file as a list of statements that the console runs one by one inside its own transaction.

What always holds of a `Script`: it is complete and in the file's order, PostgreSQL's own grammar has read it,
no statement in it begins or ends a transaction, and none of them is refused inside one.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from console.errors import StepFailed


class LockMode(StrEnum):
    """PostgreSQL's table locks, weakest first (documentation, "Explicit Locking", table-level locks)."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def strength(self) -> int:
        """The lock's place in the order, 1 to 8, as PostgreSQL numbers them."""
        return list(LockMode).index(self) + 1

    @property
    def blocks(self) -> str:
        """Whom it keeps waiting, in a word for the screen."""
        if self is LockMode.ACCESS_EXCLUSIVE:
            return "blocks readers and writers"
        return "blocks writers" if self.strength >= LockMode.SHARE.strength else "blocks schema changes"


@dataclass(frozen=True, slots=True)
class LockTaken:
    """A lock that a statement takes on a relation, named as the file names it; `note` says what else is locked."""

    relation: str
    mode: LockMode
    note: str = ""


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """Something that a statement creates or drops: `view`, `index`, `function`, `column` …, and its name.

    Triggers, policies, rules, constraints and columns carry their table: `accounts.idx`. A name is as written:
    without a schema where the file gives none.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text without the semicolon, the line on which it begins, what it touches and locks."""

    number: int
    line: int
    text: str
    kind: str
    title: str
    tables: tuple[str, ...]
    locks: tuple[LockTaken, ...]
    creates: tuple[SchemaObject, ...] = ()
    drops: tuple[SchemaObject, ...] = ()
    sets: bool = False
    """It changes settings of the session (SET, RESET), and may have changed the console's time-outs."""


@dataclass(frozen=True, slots=True)
class Script:
    """A migration file that can be run. `checksum` is the SHA-256 of its bytes, as hex."""

    path: str
    checksum: str
    statements: tuple[Statement, ...]
    own_transaction: bool
    """The file brought its own BEGIN … COMMIT, which the console's transaction replaces."""

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.path.rpartition("/")[2]

    @property
    def locks(self) -> tuple[LockTaken, ...]:
        """The strongest lock for each relation, in the order of first touch."""
        strongest: dict[str, LockTaken] = {}
        for lock in (lock for statement in self.statements for lock in statement.locks):
            known = strongest.get(lock.relation)
            if known is None or lock.mode.strength > known.mode.strength:
                strongest[lock.relation] = lock
        return tuple(strongest.values())

    @property
    def creates(self) -> tuple[SchemaObject, ...]:
        """Everything that the file creates, in order."""
        return tuple(item for statement in self.statements for item in statement.creates)

    @property
    def drops(self) -> tuple[SchemaObject, ...]:
        """Everything that the file drops by name, in order."""
        return tuple(item for statement in self.statements for item in statement.drops)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be run, on which line (counted from 1), and what to do about it."""

    line: int
    message: str
    remedy: str


class MigrationRefused(StepFailed):
    """The file cannot be run as it is; `problems` hold every reason, in the file's order."""

    def __init__(self, path: str, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            f"{path}:{first.line}: {first.message}{more}",
            production="Nothing was changed: the file was only read.",
            remedy=first.remedy,
            lines=tuple(f"{path}:{problem.line}: {problem.message} {problem.remedy}" for problem in problems),
        )
        self.path = path
        self.problems = problems


def checksum(content: bytes) -> str:
    """SHA-256 of the file's bytes, as hex."""
    return hashlib.sha256(content).hexdigest()


def parse_script(path: str, content: bytes) -> Script:
    """Read a migration file. Raises MigrationRefused with every reason found."""
    from console.migration.parsing import read_statements

    statements, own_transaction = read_statements(path, content)
    return Script(path, checksum(content), statements, own_transaction)
