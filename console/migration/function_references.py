"""Functions whose bodies name a column that goes: PostgreSQL keeps bodies as text, so nothing stops the migration.

A name alone is not enough: `status` may be another table's column too. A function counts when it is a trigger of the
table, takes or returns its rows, names the table or one of its views, or when no other table has such a column.
"""

from dataclasses import dataclass

from console.domain.plan import Migration
from console.migration.kept_copy import KEPT_OPENING
from console.migration.names import QualifiedName
from console.migration.reading import Reader, texts
from console.migration.references import Fate, Reference, creating_line, dropping_line
from console.migration.saved_copy import copy_name
from console.migration.script import Script
from console.ports import Row

_FUNCTIONS = """
SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
    l.lanname AS language, p.prosrc AS body, pg_get_functiondef(p.oid) AS definition,
    coalesce(p.proargnames, '{}') AS arguments, p.prorettype = 'trigger'::regtype AS trigger,
    ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgfoid = p.oid AND tgrelid = to_regclass(%(table)s)
        AND NOT tgisinternal ORDER BY 1) AS triggers,
    EXISTS (SELECT FROM pg_trigger WHERE tgfoid = p.oid AND tgrelid <> to_regclass(%(table)s)) AS elsewhere,
    (SELECT reltype FROM pg_class WHERE oid = to_regclass(%(table)s)) = ANY (p.prorettype || p.proargtypes::oid[])
        AS rows
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND l.lanname NOT IN ('internal', 'c')
AND p.prokind <> 'a'
AND EXISTS (SELECT FROM unnest(%(columns)s::text[]) AS name WHERE strpos(lower(p.prosrc), lower(name)) > 0)
AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY 1
"""

_OTHER_OWNERS = """
SELECT DISTINCT att.attname AS column FROM pg_attribute att JOIN pg_class c ON c.oid = att.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND c.oid IS DISTINCT FROM to_regclass(%(table)s) AND att.attname = ANY (%(columns)s::text[]) AND NOT att.attisdropped
AND coalesce(strpos(obj_description(c.oid, 'pg_class'), %(kept)s), 0) = 0
"""


@dataclass(frozen=True, slots=True)
class _Subject:
    """By which words a body shows that it is about the table, and which columns others have too."""

    words: frozenset[str]
    shared: frozenset[str]


async def function_references(
    reader: Reader, migration: Migration, table: QualifiedName, script: Script | None
) -> tuple[Reference, ...]:
    """Every function that names a column which goes, a reference for each line. Raises DatabaseError.

    The saved copy is another owner of these columns: a function that reads it alone is exempt. A copy that an earlier
    way back put aside is none: no application knows it.
    """
    asked = {"table": table.sql, "columns": list(migration.removed)}
    owners = await reader.fetch(_OTHER_OWNERS, {**asked, "kept": KEPT_OPENING})
    views = (QualifiedName.parse(name).name for name in (*migration.views, *migration.dropped_views))
    subject = _Subject(
        words=frozenset(name.lower() for name in (table.name, *views)),
        shared=frozenset(str(row["column"]) for row in owners),
    )
    rows = await reader.fetch(_FUNCTIONS, asked)
    saved = copy_name(migration, table).name.lower()
    return tuple(found for row in rows for found in _of_function(row, migration, subject, saved, script))


def _of_function(
    row: Row, migration: Migration, subject: _Subject, saved: str, script: Script | None
) -> tuple[Reference, ...]:
    from console.migration.function_bodies import Function, mentions, words

    triggers = texts(row["triggers"])
    function = Function(
        name=str(row["name"]),
        language=str(row["language"]),
        body=str(row["body"]),
        definition=str(row["definition"]),
        arguments=texts(row["arguments"]),
        trigger=bool(row["trigger"]),
    )
    named = words(function.body)
    about_it = bool(triggers) or bool(row["rows"]) or bool(named & subject.words)
    about_others = bool(row["elsewhere"]) or saved in named
    fate, line = _fate(function.name, script)
    return tuple(
        Reference(
            kind="function",
            name=function.name,
            column=mention.column,
            where=mention.text,
            method=mention.method,
            fate=fate,
            line=mention.line,
            through=", ".join(f"trigger {name} on {migration.table}" for name in triggers),
            handled_on=line,
        )
        for mention in mentions(function, migration.removed)
        if about_it or not (about_others or mention.column in subject.shared)
    )


def _fate(name: str, script: Script | None) -> tuple[Fate, int | None]:
    if (line := dropping_line(script, "function", name)) is not None:
        return Fate.DROPPED, line
    if (line := creating_line(script, "function", name)) is not None:
        return Fate.REPLACED, line
    return Fate.BREAKS, None
