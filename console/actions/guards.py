"""What must hold before the push, because afterwards it is too late: the database, its history, the file.

Each guard is looked at in the world and says what it found; a broken one says what to do. All are looked at,
so that a person mends everything at once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from console.actions.wording import listed, short
from console.domain.databases import DatabaseIdentity
from console.domain.outcome import Fact, Line, Section, Tone
from console.domain.plan import Plan
from console.errors import DatabaseError, RepositoryError, StepFailed
from console.migration.catalog import history_row, resolve
from console.migration.names import QualifiedName
from console.migration.saved_copy import copy_name, refuse_existing
from console.migration.script import MigrationRefused, Script, parse_script
from console.ports import Context, Database, Repository

_WEAK_TLS = frozenset({"", "none", "off", "no", "disable", "disabled"})
_RELATIONS = """
SELECT wanted.name AS name, pg_has_role(current_user, c.relowner, 'USAGE') AS owns,
       has_schema_privilege(current_user, c.relnamespace, 'CREATE') AS creates,
       has_table_privilege(current_user, c.oid, 'INSERT') AS inserts
FROM unnest(%(names)s::text[]) AS wanted (name)
JOIN pg_class AS c ON c.oid = to_regclass(wanted.name)
"""


@dataclass(frozen=True, slots=True)
class Guard:
    """One condition: what was found, and, where it does not hold, what is wrong, the remedy, and details."""

    label: str
    found: str
    problem: str = ""
    remedy: str = ""
    details: tuple[str, ...] = ()

    @property
    def fact(self) -> Fact:
        """The guard as a fact of the preview."""
        return Fact(self.label, self.found, Tone.DANGER if self.problem else Tone.GOOD)

    @property
    def line(self) -> Line:
        """The guard as a line of the preview."""
        if self.problem:
            return Line(f"{self.label}: {self.problem}", note=self.remedy, tone=Tone.DANGER)
        return Line(f"{self.label}: {self.found}", tone=Tone.GOOD)


def guard_section(guards: Sequence[Guard]) -> Section:
    """The guards as a section of a preview."""
    return Section("What must hold for what follows", tuple(guard.line for guard in guards))


def require(guards: Sequence[Guard], what: str) -> None:
    """Raise StepFailed, with every broken guard, unless all hold. `what` names what does not happen."""
    broken = [guard for guard in guards if guard.problem]
    if broken:
        raise StepFailed(
            f"{what}: {broken[0].problem}." + (f" And {len(broken) - 1} more: see below." if len(broken) > 1 else ""),
            remedy=" ".join(dict.fromkeys(guard.remedy for guard in broken)),
            lines=tuple(line for g in broken for line in (f"{g.label}: {g.problem}", *g.details)),
        )


def identity_guard(plan: Plan, identity: DatabaseIdentity) -> Guard:
    """The line is protected as the plan wants it, and the server takes writes."""
    weak = identity.tls.strip().lower() in _WEAK_TLS
    found = f"{identity.database} at {identity.host}:{identity.port} as {identity.role}, PostgreSQL {identity.version}"
    found += ", without TLS" if weak else f", {identity.tls}"
    if weak and plan.database.tls != "disable":
        return Guard(
            "database",
            found,
            f"the connection is not protected, and the plan asks for {plan.database.tls}",
            "Use the external connection string with TLS, or allow it in the plan by name (tls).",
        )
    if identity.in_recovery:
        return Guard(
            "database",
            found,
            "the server is in recovery: it is a replica and takes no writes",
            "Name the primary in the connection string.",
        )
    return Guard("database", found)


async def database_guards(plan: Plan, database: Database) -> list[Guard]:
    """Reachable, protected, with the rights that the migration needs, and without its version in the history."""
    try:
        identity = await database.identity()
        rights = await _rights(plan, database)
        history = await history_guard(plan, database)
        copy = await _saved_copy_guard(plan, database)
    except DatabaseError as error:
        remedy = error.remedy or "Look at the connection string and the database's access list."
        return [Guard("database", "not reached", f"it cannot be asked: {error.message}", remedy)]
    return [identity_guard(plan, identity), rights, history, copy]


async def history_guard(plan: Plan, database: Database) -> Guard:
    """The history table is there, may be written, and does not know this version."""
    history, version = plan.migration.history, plan.migration.version
    table = QualifiedName.parse(history.table)
    remedy = f"Create {history.table}, or name the right table in the plan."
    found = {row["name"]: row for row in await database.fetch(_RELATIONS, {"names": [table.sql]})}
    if table.sql not in found:
        return Guard("history", "no table", f"there is no table {history.table}", remedy)
    if found[table.sql]["inserts"] is not True:
        return Guard("history", "read only", f"{history.table} cannot be written by this role", "Grant INSERT on it.")
    if await history_row(database, plan.migration) is not None:
        return Guard(
            "history",
            f"{version} is recorded",
            f"migration {version} is already in {history.table}",
            "If it was applied by hand, mark the step as done by hand; else find out who recorded it.",
        )
    return Guard("history", f"{history.table} does not know {version}")


async def _saved_copy_guard(plan: Plan, database: Database) -> Guard:
    """The name under which the migration saves what it drops is free: an older copy may be the only way back."""
    table = await resolve(database, plan.migration.table)
    if table is None:
        return Guard("saved copy", f"{plan.migration.saved_copy}, beside a table that is not there")
    try:
        await refuse_existing(database, plan.migration, copy_name(plan.migration, table))
    except StepFailed as taken:
        return Guard("saved copy", "the name is taken", taken.message.rstrip("."), taken.remedy)
    return Guard("saved copy", f"{plan.migration.saved_copy} will be made")


async def migration_guards(ctx: Context, repository: Repository, commit: str) -> tuple[list[Guard], Script | None]:
    """The migration file at a commit: it is there, it parses, its number is its own."""
    path = ctx.plan.migration.file
    try:
        content = await repository.read(commit, path)
        script = parse_script(path, content)
    except RepositoryError as error:
        remedy = "See that the file is in the release under the plan's name."
        return [Guard("migration file", "missing", f"{path} is not in {short(commit)}: {error.message}", remedy)], None
    except MigrationRefused as error:
        return [Guard("migration file", "refused", error.message, error.remedy)], None
    guards = [Guard("migration file", f"{script.name}, {len(script.statements)} statements, {script.checksum[:12]}")]
    rivals = _same_number(path, await repository.paths(commit))
    if rivals:
        guards.append(
            Guard(
                "migration number",
                f"shared by {len(rivals) + 1} files",
                f"{listed(rivals)} bear{'s' if len(rivals) == 1 else ''} the same number as {script.name}",
                "Renumber one of them on the source branch.",
            )
        )
    return guards, script


def _same_number(path: str, paths: Sequence[str]) -> list[str]:
    folder, _, name = path.rpartition("/")
    number = re.match(r"\d+", name)
    if number is None:
        return []
    rivals: list[str] = []
    for other in paths:
        other_folder, _, other_name = other.rpartition("/")
        other_number = re.match(r"\d+", other_name)
        if other_folder == folder and other != path and other_number and int(other_number[0]) == int(number[0]):
            rivals.append(other_name)
    return rivals


async def _rights(plan: Plan, database: Database) -> Guard:
    migration = plan.migration
    table = QualifiedName.parse(migration.table).sql
    views = [QualifiedName.parse(name).sql for name in (*migration.views, *migration.dropped_views)]
    found = {str(row["name"]): row for row in await database.fetch(_RELATIONS, {"names": [table, *views]})}
    if table not in found:
        return Guard("rights", "no table", f"there is no table {migration.table}", "Name the right database.")
    foreign = [name for name, row in found.items() if row["owns"] is not True]
    if foreign:
        problem = f"this role does not own {listed(foreign)} and cannot change it"
        return Guard("rights", "not the owner", problem, "Use the owner's connection string, or grant its role.")
    if found[table]["creates"] is not True:
        problem = f"this role may not create tables beside {migration.table}: nowhere to save what is dropped"
        return Guard("rights", "may not create", problem, "Grant CREATE on the schema.")
    return Guard("rights", f"owns {listed([migration.table, *migration.views])}, may create beside it")
