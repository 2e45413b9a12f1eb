"""What it means that something in the database names a column: the words, and what will become of it."""

from dataclasses import dataclass
from enum import StrEnum

from console.migration.names import QualifiedName
from console.migration.script import SchemaObject, Script


class Method(StrEnum):
    """How a reference is known.

    CATALOG: PostgreSQL's own record of dependencies. PARSED: the body was read with PostgreSQL's grammar, and the name
    is code. TEXT: the name stands there as a word: in a string (dynamic SQL, a JSON key) or in a body that could not
    be read.
    """

    CATALOG = "catalog"
    PARSED = "parsed"
    TEXT = "text"


class Fate(StrEnum):
    """What becomes of it when the file runs.

    BLOCKS: DROP COLUMN fails because of it. CASCADES: it would be dropped silently, by CASCADE. GOES: PostgreSQL
    drops it with the column. DROPPED and REPLACED: the file says so itself. BREAKS: nothing stops the migration, and
    it fails when it is next used. NAMES: it still uses the name, of a column that is gone, and works.
    """

    BLOCKS = "blocks"
    CASCADES = "cascades"
    GOES = "goes"
    DROPPED = "dropped"
    REPLACED = "replaced"
    BREAKS = "breaks"
    NAMES = "names"


HARMLESS = frozenset({Fate.GOES, Fate.DROPPED, Fate.REPLACED})


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that names a column.

    `name` is `schema.name`, for parts of a table `table.part`, for functions with their argument types. `where` is the
    line or definition; `line` counts in a function's body, as PL/pgSQL's own messages do. `through` says how it comes
    to matter: the trigger that calls it, the view that it reads. `handled_on` is the file's line that drops or
    replaces it.
    """

    kind: str
    name: str
    column: str
    where: str
    method: Method
    fate: Fate
    line: int | None = None
    through: str = ""
    handled_on: int | None = None

    def __str__(self) -> str:
        place = f", line {self.line}" if self.line is not None else ""
        through = f" ({self.through})" if self.through else ""
        return f"{self.kind} {self.name}{through}{place} names {self.column}: {self.where.strip()}"


_PARTS_OF_A_TABLE = frozenset({"trigger", "policy", "rule", "constraint", "column"})


def dropping_line(script: Script | None, kind: str, name: str) -> int | None:
    """The line of the file that drops this object by name; None when none does."""
    return _line_of(script, kind, name, drops=True)


def creating_line(script: Script | None, kind: str, name: str) -> int | None:
    """The line of the file that creates or replaces this object; None when none does."""
    return _line_of(script, kind, name, drops=False)


def _line_of(script: Script | None, kind: str, name: str, *, drops: bool) -> int | None:
    for statement in script.statements if script is not None else ():
        named = statement.drops if drops else statement.creates
        if any(item.kind == kind and _same(item, name) for item in named):
            return statement.line
    return None


def _same(item: SchemaObject, name: str) -> bool:
    """Names in a file may leave the schema out, and functions their arguments."""
    name = name.partition("(")[0]
    if item.kind not in _PARTS_OF_A_TABLE:
        return QualifiedName.parse(item.name).matches(QualifiedName.parse(name))
    table, _, part = item.name.rpartition(".")
    own_table, _, own_part = name.rpartition(".")
    return part == own_part and QualifiedName.parse(table).matches(QualifiedName.parse(own_table))
