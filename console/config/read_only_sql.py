"""SQL that a plan may hold: queries and conditions that read.

Whatever runs them does so in a read-only transaction; this check says no earlier, with a line. Placeholders such
as `{marker}` are taken for values.
"""

import re

import postgast
from postgast.pg_query_pb2 import DeleteStmt, FuncCall, InsertStmt, MergeStmt, ParseResult, SelectStmt, UpdateStmt

_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
# A read-only transaction does not stop these: they act on other sessions, on the server or outside it.
_ACTING_FUNCTIONS = re.compile(
    r"pg_(?:terminate|cancel)_backend|pg_(?:reload_conf|rotate_logfile|promote|switch_wal|sleep\w*)"
    r"|pg_(?:try_)?advisory_\w+|pg_(?:read|write|ls|stat)_\w*file\w*|pg_notify|dblink\w*|lo_\w+|set_config|setval|nextval"
)


def check_query(sql: str) -> str:
    """The query itself; raises ValueError unless it is one statement that only reads."""
    tree = _parse(_PLACEHOLDER.sub("0", sql), sql)
    if len(tree.stmts) != 1:
        raise ValueError(f"must be one statement; these are {len(tree.stmts)}.")
    if tree.stmts[0].stmt.WhichOneof("node") != "select_stmt":
        raise ValueError("must only read: a SELECT.")
    for select in postgast.find_nodes(tree, SelectStmt):
        if select.HasField("into_clause") or select.locking_clause:
            raise ValueError("must only read: it may neither lock rows nor make a table.")
    _refuse_writing_parts(tree)
    return sql


def check_condition(condition: str) -> str:
    """The condition itself, as it stands after WHERE; raises ValueError unless it is exactly one condition."""
    # Parsed twice: in brackets, and bare with an end of its own, so that "a) OR (b" is no condition.
    for sql in (f"SELECT 1 WHERE ({condition}\n)", f"SELECT 1 WHERE {condition}\n"):
        tree = _parse(sql, condition)
        select = tree.stmts[0].stmt.select_stmt if len(tree.stmts) == 1 else SelectStmt()
        only_where = select.HasField("where_clause") and not (
            select.group_clause or select.sort_clause or select.locking_clause or select.window_clause
        )
        if not only_where or select.HasField("limit_count") or select.HasField("larg"):
            raise ValueError("must be one SQL condition, as it stands after WHERE.")
        _refuse_writing_parts(tree)
    return condition


def _parse(sql: str, shown: str) -> ParseResult:
    try:
        return postgast.parse(sql)
    except postgast.PgQueryError as error:
        words = " ".join(shown.split())
        raise ValueError(f'is not SQL ({error.message}): "{words[:60]}{"…" if len(words) > 60 else ""}".') from None


def _refuse_writing_parts(tree: ParseResult) -> None:
    for kind in (InsertStmt, UpdateStmt, DeleteStmt, MergeStmt):
        if any(True for _ in postgast.find_nodes(tree, kind)):
            raise ValueError("must only read: no INSERT, UPDATE, DELETE or MERGE inside.")
    for call in postgast.find_nodes(tree, FuncCall):
        name = call.funcname[-1].string.sval
        if _ACTING_FUNCTIONS.fullmatch(name):
            raise ValueError(f"must only read: {name}() acts.")
