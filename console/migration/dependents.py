"""What in the database names the columns that go: before the migration, and what is left afterwards.

Two sources: PostgreSQL's own dependencies (views and what reads them, rules, indexes, constraints, policies, triggers,
generated columns, defaults, statistics, publications, SQL-standard bodies), and the bodies of functions, which
PostgreSQL keeps as text and does not look into. The saved copy is exempt by its name.
"""

from collections.abc import Sequence

from console.domain.plan import Migration
from console.migration import catalog
from console.migration.function_references import function_references
from console.migration.names import QualifiedName
from console.migration.reading import Reader, text_or_none
from console.migration.references import Fate, Method, Reference, dropping_line
from console.migration.script import Script
from console.ports import Row

# deptype 'n' makes DROP COLUMN fail, 'a' and 'i' let the object go with the column, and win where an object has both.
_DIRECT = """
SELECT DISTINCT ON (3, 5, 1)
    att.attname AS column, d.deptype::text AS deptype, object.type, rel.relkind::text AS relkind,
    coalesce(rel_ns.nspname || '.' || rel.relname, idx_ns.nspname || '.' || idx.relname,
        part_ns.nspname || '.' || part.relname || '.' || coalesce(con.conname, pol.polname, trg.tgname, rw.rulename,
            gen.attname), object.identity) AS name,
    gen.attgenerated::text AS generated,
    coalesce(pg_get_constraintdef(con.oid), pg_get_triggerdef(trg.oid), pg_get_expr(def.adbin, def.adrelid),
        pg_get_indexdef(idx.oid), pg_get_statisticsobjdef(stx.oid), pg_get_expr(pol.polqual, pol.polrelid),
        pg_get_ruledef(rw.oid), object.identity) AS definition
FROM pg_attribute att
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = att.attrelid AND d.refobjsubid = att.attnum
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS object
LEFT JOIN pg_rewrite rw ON d.classid = 'pg_rewrite'::regclass AND rw.oid = d.objid
LEFT JOIN pg_class rel ON rel.oid = rw.ev_class AND rel.relkind IN ('v', 'm')
LEFT JOIN pg_namespace rel_ns ON rel_ns.oid = rel.relnamespace
LEFT JOIN pg_class idx ON d.classid = 'pg_class'::regclass AND idx.oid = d.objid
LEFT JOIN pg_namespace idx_ns ON idx_ns.oid = idx.relnamespace
LEFT JOIN pg_constraint con ON d.classid = 'pg_constraint'::regclass AND con.oid = d.objid
LEFT JOIN pg_policy pol ON d.classid = 'pg_policy'::regclass AND pol.oid = d.objid
LEFT JOIN pg_trigger trg ON d.classid = 'pg_trigger'::regclass AND trg.oid = d.objid
LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid
LEFT JOIN pg_attribute gen ON gen.attrelid = def.adrelid AND gen.attnum = def.adnum
LEFT JOIN pg_statistic_ext stx ON d.classid = 'pg_statistic_ext'::regclass AND stx.oid = d.objid
LEFT JOIN pg_class part ON part.oid = coalesce(con.conrelid, pol.polrelid, trg.tgrelid, def.adrelid, rw.ev_class)
LEFT JOIN pg_namespace part_ns ON part_ns.oid = part.relnamespace
WHERE att.attrelid = to_regclass(%(table)s) AND att.attname = ANY (%(columns)s::text[]) AND NOT att.attisdropped
ORDER BY 3, 5, 1, d.deptype
"""

# Views that read a view that names the column: they keep it from being dropped.
_INDIRECT_VIEWS = """
WITH RECURSIVE reached(oid, through, base) AS (
    SELECT to_regclass(name)::oid, NULL::oid, name FROM unnest(%(views)s::text[]) AS name
    UNION
    SELECT rw.ev_class, reached.oid, reached.base FROM reached
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reached.oid
    JOIN pg_rewrite rw ON d.classid = 'pg_rewrite'::regclass AND rw.oid = d.objid AND rw.ev_class <> reached.oid
)
SELECT DISTINCT ON (1) n.nspname || '.' || c.relname AS name, c.relkind::text AS relkind, reached.base,
    reached.through::regclass::text AS through
FROM reached JOIN pg_class c ON c.oid = reached.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE reached.through IS NOT NULL ORDER BY 1, 3
"""

_OUTPUT_COLUMNS = """
SELECT DISTINCT n.nspname || '.' || c.relname AS name, c.relkind::text AS relkind, att.attname AS column
FROM pg_depend d
JOIN pg_rewrite rw ON d.classid = 'pg_rewrite'::regclass AND rw.oid = d.objid
JOIN pg_class c ON c.oid = rw.ev_class AND c.relkind IN ('v', 'm')
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute att ON att.attrelid = c.oid AND att.attnum > 0 AND NOT att.attisdropped
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(%(table)s)
AND att.attname = ANY (%(columns)s::text[])
AND NOT EXISTS (SELECT FROM pg_attribute own WHERE own.attrelid = d.refobjid AND own.attname = att.attname
    AND NOT own.attisdropped)
ORDER BY 1, 3
"""

_KINDS = {"table constraint": "constraint", "statistics object": "statistics", "default value": "default"}
_VIEW_KINDS = {"v": "view", "m": "materialized view"}


async def find_dependents(reader: Reader, migration: Migration, script: Script | None = None) -> tuple[Reference, ...]:
    """Everything that names a column which the migration drops, and what becomes of it when `script` runs.

    Raises StepFailed when the table does not exist, DatabaseError.
    """
    table = await catalog.resolve_table(reader, migration.table)
    direct = await _direct(reader, migration, table, script)
    views = await _indirect_views(reader, direct, script)
    return (*direct, *views, *await function_references(reader, migration, table, script))


async def leftovers(reader: Reader, migration: Migration) -> tuple[Reference, ...]:
    """What still names a dropped column after the migration. Empty is what the plan promises."""
    table = await catalog.resolve_table(reader, migration.table)
    direct = await _direct(reader, migration, table, None)
    outputs = await _named_outputs(reader, migration, table)
    return (*direct, *outputs, *await function_references(reader, migration, table, None))


async def _direct(
    reader: Reader, migration: Migration, table: QualifiedName, script: Script | None
) -> tuple[Reference, ...]:
    rows = await reader.fetch(_DIRECT, {"table": table.sql, "columns": list(migration.removed)})
    return tuple(_reference(row, script, table, migration) for row in rows)


def _reference(row: Row, script: Script | None, table: QualifiedName, migration: Migration) -> Reference:
    name, kind = str(row["name"]), _kind(row)
    line = dropping_line(script, kind, name)
    fate = Fate.GOES if row["deptype"] in ("a", "i") else Fate.BLOCKS
    if line is not None or (kind == "generated column" and name.rpartition(".")[2] in migration.removed):
        fate = Fate.DROPPED
    elif fate is Fate.BLOCKS and _cascades(script, table, str(row["column"])):
        fate = Fate.CASCADES
    return Reference(
        kind=kind,
        name=name,
        column=str(row["column"]),
        where=" ".join(str(row["definition"]).split()),
        method=Method.CATALOG,
        fate=fate,
        handled_on=line,
    )


def _kind(row: Row) -> str:
    relkind = text_or_none(row["relkind"])
    if relkind is not None:
        return _VIEW_KINDS[relkind]
    if row["type"] == "default value" and row["generated"]:
        return "generated column"
    return _KINDS.get(str(row["type"]), str(row["type"]))


def _cascades(script: Script | None, table: QualifiedName, column: str) -> bool:
    """Whether the file drops this column with CASCADE."""
    for statement in script.statements if script is not None else ():
        for item in statement.drops:
            owner, _, name = item.name.rpartition(".")
            if item.kind == "column" and name == column and QualifiedName.parse(owner).matches(table):
                return statement.text.rstrip().upper().endswith("CASCADE")
    return False


async def _indirect_views(reader: Reader, direct: Sequence[Reference], script: Script | None) -> tuple[Reference, ...]:
    views = {
        QualifiedName.parse(reference.name).sql: reference.column
        for reference in direct
        if reference.kind in _VIEW_KINDS.values()
    }
    rows = await reader.fetch(_INDIRECT_VIEWS, {"views": list(views)}) if views else []
    return tuple(_indirect_view(row, views[str(row["base"])], script) for row in rows)


def _indirect_view(row: Row, column: str, script: Script | None) -> Reference:
    kind, name = _VIEW_KINDS.get(str(row["relkind"]), "view"), str(row["name"])
    line = dropping_line(script, kind, name)
    return Reference(
        kind=kind,
        name=name,
        column=column,
        where=f"reads {row['through']}",
        method=Method.CATALOG,
        fate=Fate.BLOCKS if line is None else Fate.DROPPED,
        through=f"through {row['through']}",
        handled_on=line,
    )


async def _named_outputs(reader: Reader, migration: Migration, table: QualifiedName) -> tuple[Reference, ...]:
    """Views over the table that call one of their own columns like a dropped one."""
    rows = await reader.fetch(_OUTPUT_COLUMNS, {"table": table.sql, "columns": list(migration.removed)})
    return tuple(
        Reference(
            kind=_VIEW_KINDS[str(row["relkind"])],
            name=str(row["name"]),
            column=str(row["column"]),
            where=f"gives a column of its own the name {row['column']}",
            method=Method.CATALOG,
            fate=Fate.NAMES,
        )
        for row in rows
    )
