"""SQL that a plan may hold: queries and conditions that read.

Whatever runs them does so in a read-only transaction; this check says no earlier, with a line. Placeholders such
as `{marker}` are taken for values.
"""

import re

from console.migration.grammar import Node, ParsedStatement, PgQueryError, find_nodes, pb, statements, tokens

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
# A read-only transaction does not stop these: they act on other sessions, on the server or outside it.
_ACTING_FUNCTIONS = re.compile(
    r"pg_(?:terminate|cancel)_backend|pg_(?:reload_conf|rotate_logfile|promote|switch_wal|sleep\w*)"
    r"|pg_(?:try_)?advisory_\w+|pg_(?:read|write|ls|stat)_\w*file\w*|pg_notify|dblink\w*|lo_\w+|set_config|setval|nextval"
)


def check_query(sql: str) -> str:
    """The query itself; raises ValueError unless it is one statement that only reads."""
    found = _parse(_PLACEHOLDER.sub("0", sql), sql)
    if len(found) != 1:
        raise ValueError(f"must be one statement; these are {len(found)}.")
    if found[0].kind != "select_stmt":
        raise ValueError("must only read: a SELECT.")
    for select in find_nodes(found[0].node, pb.SelectStmt):
        if select.HasField("into_clause") or select.locking_clause:
            raise ValueError("must only read: it may neither lock rows nor make a table.")
    _refuse_acting_parts(found[0].node)
    return sql


def check_condition(condition: str) -> str:
    """The condition itself, as it stands after WHERE; raises ValueError unless it is exactly one condition."""
    # Parsed in brackets and bare: "a) OR (b" and "a ORDER BY b" are each a condition in one of them only.
    for sql in (f"SELECT 1 WHERE ({condition}\n)", f"SELECT 1 WHERE {condition}\n"):
        found = _parse(sql, condition)
        if len(found) != 1 or not _is_condition(found[0].node.select_stmt):
            raise ValueError("must be one SQL condition, as it stands after WHERE.")
        if any(token.comment for token in tokens(condition)):
            raise ValueError("must not hold a comment: what follows it would be lost.")
        _refuse_acting_parts(found[0].node)
    return condition


def _is_condition(select: Node) -> bool:
    more = (select.group_clause, select.sort_clause, select.locking_clause, select.window_clause)
    return select.HasField("where_clause") and not any(more) and not select.HasField("limit_count")


def _parse(sql: str, shown: str) -> list[ParsedStatement]:
    try:
        return list(statements(sql))
    except PgQueryError as error:
        words = " ".join(shown.split())
        raise ValueError(f'is not SQL ({error.message}): "{words[:60]}{"…" if len(words) > 60 else ""}".') from None


def _refuse_acting_parts(tree: Node) -> None:
    for kind in (pb.InsertStmt, pb.UpdateStmt, pb.DeleteStmt, pb.MergeStmt):
        if any(True for _ in find_nodes(tree, kind)):
            raise ValueError("must only read: no INSERT, UPDATE, DELETE or MERGE inside.")
    for call in find_nodes(tree, pb.FuncCall):
        name = call.funcname[-1].string.sval
        if _ACTING_FUNCTIONS.fullmatch(name):
            raise ValueError(f"must only read: {name}() acts.")
