"""Which table locks a statement takes: a table of PostgreSQL 18's behaviour, read from the statement alone.

Sources: the documentation's "Explicit Locking" and the reference page of each command; for ALTER TABLE the
server's AlterTableGetLockLevel (tablecmds.c). The tests hold it against `pg_locks` of a real server. What only the
catalog knows is said in the note: DROP INDEX locks the index's table too, DROP TABLE the tables it refers to, and
a trigger or function takes what its own statements take.
"""

from collections.abc import Callable, Iterator

from console.migration.grammar import Node, find_nodes, pb, relation_name, relations
from console.migration.script import LockMode, LockTaken

_Locks = Iterator[tuple[str, LockMode, str]]

_GENTLE_ALTERATIONS = frozenset(
    {
        pb.AT_SetStatistics,
        pb.AT_ClusterOn,
        pb.AT_DropCluster,
        pb.AT_SetOptions,
        pb.AT_ResetOptions,
        pb.AT_SetRelOptions,
        pb.AT_ResetRelOptions,
        pb.AT_ValidateConstraint,
        pb.AT_AttachPartition,
    }
)
_TRIGGER_ALTERATIONS = frozenset(
    {
        pb.AT_EnableTrig,
        pb.AT_EnableAlwaysTrig,
        pb.AT_EnableReplicaTrig,
        pb.AT_EnableTrigAll,
        pb.AT_EnableTrigUser,
        pb.AT_DisableTrig,
        pb.AT_DisableTrigAll,
        pb.AT_DisableTrigUser,
    }
)
_DROPPED_RELATIONS = {
    pb.OBJECT_TABLE: "and the tables that it refers to",
    pb.OBJECT_VIEW: "",
    pb.OBJECT_MATVIEW: "",
    pb.OBJECT_SEQUENCE: "",
    pb.OBJECT_INDEX: "and the table that it belongs to",
    pb.OBJECT_FOREIGN_TABLE: "",
}
_DROPPED_PARTS = frozenset({pb.OBJECT_TRIGGER, pb.OBJECT_RULE, pb.OBJECT_POLICY})


def locks_of(kind: str, node: Node) -> tuple[LockTaken, ...]:
    """The locks, the strongest for each relation, in the order of the statement."""
    strongest: dict[str, LockTaken] = {}
    rule = _RULES.get(kind)
    for relation, mode, note in rule(node) if rule is not None else ():
        known = strongest.get(relation)
        if relation and (known is None or mode.strength > known.mode.strength):
            strongest[relation] = LockTaken(relation, mode, note)
    return tuple(strongest.values())


def _all(tree: Node, mode: LockMode) -> _Locks:
    for name in relations(tree):
        yield name, mode, ""


def _select(node: Node) -> _Locks:
    made = node.select_stmt.into_clause.rel
    if made.relname:
        yield relation_name(made), LockMode.ACCESS_EXCLUSIVE, "made by this statement"
    yield from _written_in_with(node)
    locking = bool(node.select_stmt.locking_clause)
    yield from _all(node, LockMode.ROW_SHARE if locking else LockMode.ACCESS_SHARE)


def _write(target: Node, node: Node) -> _Locks:
    yield relation_name(target), LockMode.ROW_EXCLUSIVE, ""
    yield from _written_in_with(node)
    yield from _all(node, LockMode.ACCESS_SHARE)


def _written_in_with(node: Node) -> _Locks:
    """`WITH x AS (DELETE FROM …)` writes too."""
    for cte in find_nodes(node, pb.CommonTableExpr):
        for statement in (cte.ctequery.insert_stmt, cte.ctequery.update_stmt, cte.ctequery.delete_stmt):
            yield relation_name(statement.relation), LockMode.ROW_EXCLUSIVE, ""


def _alter_table(node: Node) -> _Locks:
    statement = node.alter_table_stmt
    table = relation_name(statement.relation)
    yield from _referenced(statement)
    for command in (item.alter_table_cmd for item in statement.cmds):
        yield table, _alteration(command), _index_note(statement)
        partition = getattr(command, "def").partition_cmd.name
        if partition.relname:
            yield relation_name(partition), LockMode.ACCESS_EXCLUSIVE, ""
        if command.subtype in (pb.AT_AddInherit, pb.AT_DropInherit):
            yield relation_name(getattr(command, "def").range_var), LockMode.SHARE_UPDATE_EXCLUSIVE, ""


def _alteration(command: Node) -> LockMode:
    if command.subtype in _GENTLE_ALTERATIONS:
        return LockMode.SHARE_UPDATE_EXCLUSIVE
    if command.subtype in _TRIGGER_ALTERATIONS:
        return LockMode.SHARE_ROW_EXCLUSIVE
    constraint = getattr(command, "def").constraint
    if command.subtype == pb.AT_AddConstraint and constraint.contype == pb.CONSTR_FOREIGN:
        return LockMode.SHARE_ROW_EXCLUSIVE
    return LockMode.ACCESS_EXCLUSIVE


def _index_note(statement: Node) -> str:
    return "the index alone" if statement.objtype == pb.OBJECT_INDEX else ""


def _referenced(tree: Node) -> _Locks:
    """The tables that new foreign keys refer to."""
    for constraint in find_nodes(tree, pb.Constraint):
        if constraint.contype == pb.CONSTR_FOREIGN:
            yield relation_name(constraint.pktable), LockMode.SHARE_ROW_EXCLUSIVE, "referenced"


def _drop(node: Node) -> _Locks:
    statement = node.drop_stmt
    for item in statement.objects:
        parts = [part.string.sval for part in item.list.items]
        if statement.remove_type in _DROPPED_RELATIONS:
            yield ".".join(parts), LockMode.ACCESS_EXCLUSIVE, _DROPPED_RELATIONS[statement.remove_type]
        elif statement.remove_type in _DROPPED_PARTS:
            yield ".".join(parts[:-1]), LockMode.ACCESS_EXCLUSIVE, ""


def _create_table(node: Node) -> _Locks:
    statement = node.create_stmt
    yield relation_name(statement.relation), LockMode.ACCESS_EXCLUSIVE, "made by this statement"
    yield from _referenced(statement)
    for parent in statement.inh_relations:
        # A new partition makes the parent's default partition check itself, which needs the stronger lock there.
        yield relation_name(parent.range_var), LockMode.SHARE_UPDATE_EXCLUSIVE, "and its default partition"
    for like in find_nodes(statement, pb.TableLikeClause):
        yield relation_name(like.relation), LockMode.ACCESS_SHARE, ""


def _create_table_as(node: Node) -> _Locks:
    statement = node.create_table_as_stmt
    yield relation_name(statement.into.rel), LockMode.ACCESS_EXCLUSIVE, "made by this statement"
    yield from _all(statement.query, LockMode.ACCESS_SHARE)


def _view(node: Node) -> _Locks:
    statement = node.view_stmt
    note = "replaced" if statement.replace else "made by this statement"
    yield relation_name(statement.view), LockMode.ACCESS_EXCLUSIVE, note
    yield from _all(statement.query, LockMode.ACCESS_SHARE)


def _trigger(node: Node) -> _Locks:
    yield relation_name(node.create_trig_stmt.relation), LockMode.SHARE_ROW_EXCLUSIVE, ""


def _rename(node: Node) -> _Locks:
    statement = node.rename_stmt
    gentle = statement.rename_type == pb.OBJECT_INDEX
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE if gentle else LockMode.ACCESS_EXCLUSIVE
    yield relation_name(statement.relation), mode, ""


def _lock(node: Node) -> _Locks:
    mode = list(LockMode)[node.lock_stmt.mode - 1]
    yield from _all(node.lock_stmt, mode)


def _comment(node: Node) -> _Locks:
    statement = node.comment_stmt
    parts = [part.string.sval for part in statement.object.list.items]
    if statement.objtype in (pb.OBJECT_TABLE, pb.OBJECT_VIEW, pb.OBJECT_MATVIEW, pb.OBJECT_INDEX):
        yield ".".join(parts), LockMode.SHARE_UPDATE_EXCLUSIVE, ""
    elif statement.objtype == pb.OBJECT_COLUMN:
        yield ".".join(parts[:-1]), LockMode.SHARE_UPDATE_EXCLUSIVE, ""


def _reindex(node: Node) -> _Locks:
    statement = node.reindex_stmt
    if statement.kind == pb.REINDEX_OBJECT_INDEX:
        yield relation_name(statement.relation), LockMode.ACCESS_EXCLUSIVE, "and SHARE on the table it belongs to"
    else:
        yield relation_name(statement.relation), LockMode.SHARE, "and ACCESS EXCLUSIVE on its indexes"


def _refresh(node: Node) -> _Locks:
    statement = node.refresh_mat_view_stmt
    mode = LockMode.EXCLUSIVE if statement.concurrent else LockMode.ACCESS_EXCLUSIVE
    yield relation_name(statement.relation), mode, "and ACCESS SHARE on what it reads"


def _copy(node: Node) -> _Locks:
    statement = node.copy_stmt
    mode = LockMode.ROW_EXCLUSIVE if statement.is_from else LockMode.ACCESS_SHARE
    yield relation_name(statement.relation), mode, ""


_RULES: dict[str, Callable[[Node], _Locks]] = {
    "select_stmt": _select,
    "insert_stmt": lambda node: _write(node.insert_stmt.relation, node),
    "update_stmt": lambda node: _write(node.update_stmt.relation, node),
    "delete_stmt": lambda node: _write(node.delete_stmt.relation, node),
    "merge_stmt": lambda node: _write(node.merge_stmt.relation, node),
    "alter_table_stmt": _alter_table,
    "alter_object_schema_stmt": lambda node: _all(node.alter_object_schema_stmt, LockMode.ACCESS_EXCLUSIVE),
    "rename_stmt": _rename,
    "drop_stmt": _drop,
    "create_stmt": _create_table,
    "create_table_as_stmt": _create_table_as,
    "view_stmt": _view,
    "index_stmt": lambda node: iter(((relation_name(node.index_stmt.relation), LockMode.SHARE, ""),)),
    "create_trig_stmt": _trigger,
    "rule_stmt": lambda node: iter(((relation_name(node.rule_stmt.relation), LockMode.ACCESS_EXCLUSIVE, ""),)),
    "create_policy_stmt": lambda node: _all(node.create_policy_stmt, LockMode.ACCESS_EXCLUSIVE),
    "alter_policy_stmt": lambda node: _all(node.alter_policy_stmt, LockMode.ACCESS_EXCLUSIVE),
    "create_stats_stmt": lambda node: _all(node.create_stats_stmt, LockMode.SHARE_UPDATE_EXCLUSIVE),
    "vacuum_stmt": lambda node: _all(node.vacuum_stmt, LockMode.SHARE_UPDATE_EXCLUSIVE),
    "truncate_stmt": lambda node: _all(node.truncate_stmt, LockMode.ACCESS_EXCLUSIVE),
    "lock_stmt": _lock,
    "cluster_stmt": lambda node: _all(node.cluster_stmt, LockMode.ACCESS_EXCLUSIVE),
    "reindex_stmt": _reindex,
    "refresh_mat_view_stmt": _refresh,
    "comment_stmt": _comment,
    "copy_stmt": _copy,
}
