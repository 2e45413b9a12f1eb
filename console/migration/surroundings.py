"""What belongs to columns and views and goes with them, beside their definitions: as the statements that bring it back.

Constraints of the columns; comments and rights of columns and views; the views' owners, options and own triggers. An
application that may not read its view any more has lost it as if it were gone.
"""

from console.domain.plan import Migration
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import Reader, text_or_none

_CONSTRAINTS = """
SELECT conname AS name, pg_get_constraintdef(c.oid) AS definition FROM pg_constraint c
WHERE conrelid = to_regclass(%(table)s) AND contype IN ('c', 'f', 'u', 'x') AND EXISTS (
    SELECT FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_constraint'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.conrelid AND attname = ANY (%(columns)s::text[]))
ORDER BY contype = 'f', conname
"""

_COLUMNS = """
SELECT attname AS name, col_description(attrelid, attnum) AS comment FROM pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attname = ANY (%(columns)s::text[]) AND NOT attisdropped
ORDER BY attnum
"""

_VIEWS = """
SELECT name, relkind = 'm' AS materialized, obj_description(oid, 'pg_class') AS comment,
    CASE WHEN relowner <> current_user::regrole THEN pg_get_userbyid(relowner) END AS owner,
    array_to_string(reloptions, ', ') AS options
FROM unnest(%(views)s::text[]) AS name JOIN pg_class ON oid = to_regclass(name) AND relkind IN ('v', 'm')
ORDER BY name
"""

_RIGHTS = """
SELECT name AS relation, NULL AS column, privilege_type AS right, is_grantable AS passes,
    CASE WHEN grantee = 0 THEN NULL ELSE pg_get_userbyid(grantee) END AS role
FROM unnest(%(views)s::text[]) AS name
JOIN pg_class ON oid = to_regclass(name) AND relkind IN ('v', 'm'), LATERAL aclexplode(relacl)
WHERE grantee <> relowner
UNION ALL
SELECT %(table)s, attname, privilege_type, is_grantable,
    CASE WHEN grantee = 0 THEN NULL ELSE pg_get_userbyid(grantee) END
FROM pg_attribute, LATERAL aclexplode(attacl)
WHERE attrelid = to_regclass(%(table)s) AND attname = ANY (%(columns)s::text[]) AND NOT attisdropped
ORDER BY 1, 2 NULLS FIRST, 5 NULLS FIRST, 3
"""

_VIEW_PARTS = """
SELECT pg_get_triggerdef(t.oid) AS definition FROM unnest(%(views)s::text[]) AS name
JOIN pg_trigger t ON tgrelid = to_regclass(name) AND NOT tgisinternal
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM unnest(%(views)s::text[]) AS name
JOIN pg_index ON indrelid = to_regclass(name)
ORDER BY 1
"""


async def surroundings(reader: Reader, migration: Migration, table: QualifiedName) -> tuple[str, ...]:
    """The statements, in the order in which they can be run once columns and views are there. Raises DatabaseError."""
    views = [QualifiedName.parse(name).sql for name in dict.fromkeys((*migration.views, *migration.dropped_views))]
    asked: dict[str, object] = {"table": table.sql, "columns": list(migration.removed), "views": views}
    return (
        *(await _constraints(reader, table, asked)),
        *(await _columns(reader, table, asked)),
        *(await _views(reader, asked)),
        *(str(row["definition"]) for row in await reader.fetch(_VIEW_PARTS, {"views": views})),
        *(await _rights(reader, asked)),
    )


async def _constraints(reader: Reader, table: QualifiedName, asked: dict[str, object]) -> list[str]:
    rows = await reader.fetch(_CONSTRAINTS, {"table": asked["table"], "columns": asked["columns"]})
    return [
        f"ALTER TABLE {table.sql} ADD CONSTRAINT {quote_identifier(str(row['name']))} {row['definition']}"
        for row in rows
    ]


async def _columns(reader: Reader, table: QualifiedName, asked: dict[str, object]) -> list[str]:
    rows = await reader.fetch(_COLUMNS, {"table": asked["table"], "columns": asked["columns"]})
    return [
        f"COMMENT ON COLUMN {table.sql}.{quote_identifier(str(row['name']))} IS {quote_literal(comment)}"
        for row in rows
        if (comment := text_or_none(row["comment"])) is not None
    ]


async def _views(reader: Reader, asked: dict[str, object]) -> list[str]:
    statements = []
    for row in await reader.fetch(_VIEWS, {"views": asked["views"]}):
        view = f"{'MATERIALIZED VIEW' if row['materialized'] else 'VIEW'} {row['name']}"
        if (options := text_or_none(row["options"])) is not None:
            statements.append(f"ALTER {view} SET ({options})")
        if (comment := text_or_none(row["comment"])) is not None:
            statements.append(f"COMMENT ON {view} IS {quote_literal(comment)}")
        if (owner := text_or_none(row["owner"])) is not None:
            statements.append(f"ALTER {view} OWNER TO {quote_identifier(owner)}")
    return statements


async def _rights(reader: Reader, asked: dict[str, object]) -> list[str]:
    statements = []
    for row in await reader.fetch(_RIGHTS, asked):
        column, role = text_or_none(row["column"]), text_or_none(row["role"])
        right = f"{row['right']} ({quote_identifier(column)})" if column is not None else str(row["right"])
        to = quote_identifier(role) if role is not None else "PUBLIC"
        passes = " WITH GRANT OPTION" if row["passes"] else ""
        statements.append(f"GRANT {right} ON {row['relation']} TO {to}{passes}")
    return statements
