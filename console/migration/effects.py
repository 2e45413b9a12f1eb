"""What a statement creates and drops, by kind and name, as the file names it.

`CREATE OR REPLACE` counts as creating: what stood there before is replaced. Columns, constraints, triggers, rules
and policies carry their table: `accounts.license_status`.
"""

from collections.abc import Sequence

from console.migration.grammar import Node, pb, relation_name
from console.migration.script import SchemaObject

_KINDS = {
    pb.OBJECT_TABLE: "table",
    pb.OBJECT_VIEW: "view",
    pb.OBJECT_MATVIEW: "materialized view",
    pb.OBJECT_INDEX: "index",
    pb.OBJECT_SEQUENCE: "sequence",
    pb.OBJECT_FUNCTION: "function",
    pb.OBJECT_PROCEDURE: "function",
    pb.OBJECT_ROUTINE: "function",
    pb.OBJECT_AGGREGATE: "function",
    pb.OBJECT_TRIGGER: "trigger",
    pb.OBJECT_RULE: "rule",
    pb.OBJECT_POLICY: "policy",
    pb.OBJECT_STATISTIC_EXT: "statistics",
    pb.OBJECT_TYPE: "type",
    pb.OBJECT_SCHEMA: "schema",
    pb.OBJECT_EXTENSION: "extension",
}


def created(kind: str, node: Node) -> tuple[SchemaObject, ...]:
    """What the statement creates or replaces."""
    match kind:
        case "view_stmt":
            return (SchemaObject("view", relation_name(node.view_stmt.view)),)
        case "index_stmt":
            return _index(node.index_stmt)
        case "create_stmt":
            return (SchemaObject("table", relation_name(node.create_stmt.relation)),)
        case "create_table_as_stmt":
            made = node.create_table_as_stmt
            return (SchemaObject(_KINDS.get(made.objtype, "table"), relation_name(made.into.rel)),)
        case "create_function_stmt":
            return (SchemaObject("function", _dotted(node.create_function_stmt.funcname)),)
        case "create_trig_stmt":
            trigger = node.create_trig_stmt
            return (SchemaObject("trigger", f"{relation_name(trigger.relation)}.{trigger.trigname}"),)
        case "create_policy_stmt":
            policy = node.create_policy_stmt
            return (SchemaObject("policy", f"{relation_name(policy.table)}.{policy.policy_name}"),)
        case "rule_stmt":
            return (SchemaObject("rule", f"{relation_name(node.rule_stmt.relation)}.{node.rule_stmt.rulename}"),)
        case "create_stats_stmt":
            return (SchemaObject("statistics", _dotted(node.create_stats_stmt.defnames)),)
        case "alter_table_stmt":
            return _added_columns(node.alter_table_stmt)
    return ()


def dropped(kind: str, node: Node) -> tuple[SchemaObject, ...]:
    """What the statement drops by name; what goes with it is PostgreSQL's business."""
    if kind == "drop_stmt":
        statement = node.drop_stmt
        name = _KINDS.get(statement.remove_type)
        return tuple(SchemaObject(name, _object_name(item)) for item in statement.objects) if name else ()
    if kind == "alter_table_stmt":
        return _dropped_parts(node.alter_table_stmt)
    return ()


def _index(statement: Node) -> tuple[SchemaObject, ...]:
    """An index lives in its table's schema, whatever the search path."""
    if not statement.idxname:
        return ()
    schema = f"{statement.relation.schemaname}." if statement.relation.schemaname else ""
    return (SchemaObject("index", f"{schema}{statement.idxname}"),)


def _added_columns(statement: Node) -> tuple[SchemaObject, ...]:
    table = relation_name(statement.relation)
    commands = (command.alter_table_cmd for command in statement.cmds)
    return tuple(
        SchemaObject("column", f"{table}.{getattr(command, 'def').column_def.colname}")
        for command in commands
        if command.subtype == pb.AT_AddColumn
    )


def _dropped_parts(statement: Node) -> tuple[SchemaObject, ...]:
    table = relation_name(statement.relation)
    parts = {pb.AT_DropColumn: "column", pb.AT_DropConstraint: "constraint"}
    commands = (command.alter_table_cmd for command in statement.cmds)
    return tuple(
        SchemaObject(parts[command.subtype], f"{table}.{command.name}")
        for command in commands
        if command.subtype in parts
    )


def _object_name(item: Node) -> str:
    match item.WhichOneof("node"):
        case "list":
            return _dotted(item.list.items)
        case "object_with_args":
            return _dotted(item.object_with_args.objname)
        case "type_name":
            return _dotted(item.type_name.names)
    return str(item.string.sval)


def _dotted(parts: Sequence[Node]) -> str:
    return ".".join(part.string.sval for part in parts)
