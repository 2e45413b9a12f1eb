"""What a migration will meet: the table's shape and rows, the expected outcome, what depends on the columns that go.

The shape of the catalog and the plan's mapping are facts: if they change after the yes, the yes is void. Counts,
sizes and sessions move under traffic and are readings.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from console.actions.guards import Guard, require
from console.actions.wording import counted, listed, quoted
from console.domain.outcome import Fact, Line, Reading, Section, Tone
from console.domain.plan import Migration
from console.migration import catalog, mapping
from console.migration.dependents import find_dependents
from console.migration.names import QualifiedName
from console.migration.references import HARMLESS, Fate, Method, Reference
from console.migration.script import Script
from console.ports import Database

_OLDEST_TRANSACTION = 1.0
_REFUSED = frozenset({Fate.BLOCKS, Fate.CASCADES, Fate.BREAKS})


@dataclass(frozen=True, slots=True)
class MigrationOutlook:
    """The parts of the preview that come from the database."""

    facts: tuple[Fact, ...]
    readings: tuple[Reading, ...]
    sections: tuple[Section, ...]


async def look_ahead(database: Database, migration: Migration, script: Script) -> MigrationOutlook:
    """Look at everything that the migration will meet. Raises StepFailed when it would fail or break something."""
    table = await catalog.resolve_table(database, migration.table)
    references = await find_dependents(database, migration, script)
    require([_guard(migration, script, references)], f"Migration {migration.version} cannot run")
    columns = await catalog.table_columns(database, table)
    indexes = await catalog.index_definitions(database, table, migration.removed)
    old = await catalog.value_counts(database, table, migration.mapping.source)
    expected = await mapping.transitions(database, migration, table)
    claims = await mapping.claim_counts(database, migration, table)
    shape = [f"{c.name} {c.type}{' NOT NULL' if c.not_null else ''} {c.default or ''}".strip() for c in columns]
    return MigrationOutlook(
        facts=(
            Fact(f"shape of {table}", f"{len(columns)} columns, {_digest([*shape, *indexes])}"),
            Fact("mapping", _digest([json.dumps(asdict(migration.mapping), sort_keys=True)])),
            Fact("depends on the columns", _digest(sorted(f"{r.kind} {r.name} {r.column}" for r in references))),
        ),
        readings=(*await _table_readings(database, table), *(await _old_transactions(database))),
        sections=tuple(
            section
            for section in (
                Section("Statements", _statement_lines(script)),
                Section(
                    "Locks", tuple(Line(f"{k.relation}: {k.mode}", note=k.note or k.mode.blocks) for k in script.locks)
                ),
                Section("Values now", tuple(Line(f"{quoted(v)}: {n:,}") for v, n in old)),
                Section("Expected", tuple(Line(f"{quoted(t.old)} → {quoted(t.new)}: {t.rows:,}") for t in expected)),
                Section("Promised, and not done by the file", _claim_lines(claims)),
                Section("Depends on the columns that go", tuple(map(_reference_line, references))),
            )
            if section.lines
        ),
    )


async def unhandled(database: Database, migration: Migration, script: Script) -> Guard:
    """What needs the columns that go, and would break or block, because the file does not deal with it.

    A mere word in a text may mean something else: it is shown elsewhere, and not refused.
    """
    return _guard(migration, script, await find_dependents(database, migration, script))


def _guard(migration: Migration, script: Script, references: Sequence[Reference]) -> Guard:
    left = [r for r in references if r.fate in _REFUSED and r.method is not Method.TEXT]
    if not left:
        return Guard("dependents", "the file deals with everything that needs the columns that go")
    names = listed(dict.fromkeys(f"{reference.kind} {reference.name}" for reference in left))
    return Guard(
        "dependents",
        names,
        f"{names} {'needs' if len(left) == 1 else 'need'} {listed(dict.fromkeys(r.column for r in left))}, and "
        f"{script.name} does not deal with {'it' if len(left) == 1 else 'them'}",
        "Drop, replace or change what is listed, in the migration file or before it, then retry.",
        tuple(f"{reference.fate}: {reference}" for reference in left),
    )


async def _table_readings(database: Database, table: QualifiedName) -> tuple[Reading, ...]:
    rows = await database.fetch(
        "SELECT greatest(reltuples, 0)::bigint AS rows, pg_size_pretty(pg_total_relation_size(oid)) AS size "
        "FROM pg_class WHERE oid = to_regclass(%(table)s)",
        {"table": table.sql},
    )
    row = rows[0] if rows else {"rows": 0, "size": "unknown"}
    return (Reading(f"rows of {table}, estimated", f"{row['rows']:,}"), Reading("size", str(row["size"])))


async def _old_transactions(database: Database) -> tuple[Reading, ...]:
    """Sessions in a long transaction: any of them may keep the lock from us."""
    old = [b for b in await database.backends() if b.transaction_seconds > _OLDEST_TRANSACTION]
    return tuple(
        Reading(
            "in a transaction",
            f"pid {b.pid} ({b.application or b.user}) for {b.transaction_seconds:.0f} s",
            Tone.WARNING,
        )
        for b in old
    )


def _statement_lines(script: Script) -> tuple[Line, ...]:
    return tuple(
        Line(f"{s.number}. {s.title}", note=", ".join(f"{lock.relation}: {lock.mode}" for lock in s.locks))
        for s in script.statements
    )


def _claim_lines(claims: Iterable[mapping.ClaimCount]) -> tuple[Line, ...]:
    return tuple(
        Line(f"{claim.title}: {counted(claim.rows, 'row')} will be {listed(claim.instead)} instead", tone=Tone.WARNING)
        for claim in claims
        if claim.rows
    )


def _reference_line(reference: Reference) -> Line:
    handled = f", line {reference.handled_on} of the file" if reference.handled_on is not None else ""
    tone = Tone.PLAIN if reference.fate in HARMLESS else Tone.WARNING
    return Line(str(reference), note=f"{reference.fate}{handled}", tone=tone)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
