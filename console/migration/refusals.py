"""Which statements a migration file may not hold, why, and what to do instead.

Two reasons only: the statement would begin, end or leave the console's transaction, or PostgreSQL refuses it (or
the connection cannot carry it) inside one. Sources: the reference page of each command, "cannot be executed inside
a transaction block".
"""

import json
from collections.abc import Callable

from console.migration.grammar import Node, PgQueryError, deparse, parse_plpgsql, pb

Reason = tuple[str, str]
"""What is wrong, and the remedy: complete sentences."""

_OWN_FILE = "Run it by hand outside the release, or as a step of its own; it cannot be rolled back with the rest."


def refusal(kind: str, node: Node) -> Reason | None:
    """Why this statement is refused; None when it may run."""
    if kind in _NEVER:
        return f"{_NEVER[kind]} cannot run inside a transaction.", _OWN_FILE
    rule = _RULES.get(kind)
    return rule(node) if rule is not None else None


def _transaction(node: Node) -> Reason:
    statement = node.transaction_stmt
    word = pb.TransactionStmtKind.Name(statement.kind).removeprefix("TRANS_STMT_").replace("_", " ")
    if statement.options:
        return (
            f"{word} with options: the console's transaction is READ COMMITTED, READ WRITE.",
            "Write a plain BEGIN, or none.",
        )
    return (
        f"{word} is transaction control: the file may only have one BEGIN as its first statement and one COMMIT as "
        "its last.",
        "Take it out; the console runs the whole file in one transaction.",
    )


def _vacuum(node: Node) -> Reason | None:
    """ANALYZE has the same tree and may run."""
    return ("VACUUM cannot run inside a transaction.", _OWN_FILE) if node.vacuum_stmt.is_vacuumcmd else None


def _setting(node: Node) -> Reason | None:
    statement = node.variable_set_stmt
    if statement.name in ("TRANSACTION", "SESSION CHARACTERISTICS", "TRANSACTION SNAPSHOT"):
        return f"SET {statement.name} changes the console's transaction.", "Take it out."
    return None


def _concurrent_index(node: Node) -> Reason | None:
    if not node.index_stmt.concurrent:
        return None
    return (
        "CREATE INDEX CONCURRENTLY cannot run inside a transaction.",
        "Create the index without CONCURRENTLY, or in a file of its own after this one.",
    )


def _concurrent_drop(node: Node) -> Reason | None:
    if not node.drop_stmt.concurrent:
        return None
    return "DROP INDEX CONCURRENTLY cannot run inside a transaction.", "Drop the index without CONCURRENTLY."


def _reindex(node: Node) -> Reason | None:
    statement = node.reindex_stmt
    whole = statement.kind in (pb.REINDEX_OBJECT_DATABASE, pb.REINDEX_OBJECT_SCHEMA, pb.REINDEX_OBJECT_SYSTEM)
    concurrent = any(param.def_elem.defname == "concurrently" for param in statement.params)
    if whole or concurrent:
        return "REINDEX of this form cannot run inside a transaction.", _OWN_FILE
    return None


def _cluster(node: Node) -> Reason | None:
    if node.cluster_stmt.relation.relname:
        return None
    return "CLUSTER without a table cannot run inside a transaction.", "Name the table."


def _detach(node: Node) -> Reason | None:
    commands = [command.alter_table_cmd for command in node.alter_table_stmt.cmds]
    concurrent = any(getattr(command, "def").partition_cmd.concurrent for command in commands)
    if concurrent or any(command.subtype == pb.AT_DetachPartitionFinalize for command in commands):
        return "DETACH PARTITION CONCURRENTLY cannot run inside a transaction.", "Detach without CONCURRENTLY."
    return None


def _copy(node: Node) -> Reason | None:
    statement = node.copy_stmt
    if statement.is_program or not statement.filename:
        return (
            "COPY from or to the client or a program: a migration file brings no stream.",
            "Write the rows as INSERT … VALUES.",
        )
    return None


def _discard(node: Node) -> Reason | None:
    if node.discard_stmt.target == pb.DISCARD_ALL:
        return "DISCARD ALL cannot run inside a transaction.", "Take it out."
    return None


def _enum_value(node: Node) -> Reason | None:
    if not node.alter_enum_stmt.new_val or node.alter_enum_stmt.old_val:
        return None
    return (
        "ALTER TYPE … ADD VALUE: the new value cannot be used in the same transaction.",
        "Add the value in an earlier migration.",
    )


def _do_block(node: Node) -> Reason | None:
    """A DO block must not end the transaction. One that cannot be read here is left to the server, which refuses it."""
    tree = pb.ParseResult(stmts=[pb.RawStmt(stmt=node)])
    try:
        text = json.dumps(parse_plpgsql(deparse(tree)))
    except (PgQueryError, ValueError):
        return None
    if '"PLpgSQL_stmt_commit"' in text or '"PLpgSQL_stmt_rollback"' in text:
        return "this DO block ends the transaction (COMMIT or ROLLBACK).", "Take the COMMIT or ROLLBACK out of it."
    return None


_NEVER = {
    "createdb_stmt": "CREATE DATABASE",
    "dropdb_stmt": "DROP DATABASE",
    "create_table_space_stmt": "CREATE TABLESPACE",
    "drop_table_space_stmt": "DROP TABLESPACE",
    "alter_system_stmt": "ALTER SYSTEM",
    "create_subscription_stmt": "CREATE SUBSCRIPTION",
    "alter_subscription_stmt": "ALTER SUBSCRIPTION",
    "drop_subscription_stmt": "DROP SUBSCRIPTION",
}

_RULES: dict[str, Callable[[Node], Reason | None]] = {
    "transaction_stmt": _transaction,
    "vacuum_stmt": _vacuum,
    "variable_set_stmt": _setting,
    "index_stmt": _concurrent_index,
    "drop_stmt": _concurrent_drop,
    "reindex_stmt": _reindex,
    "cluster_stmt": _cluster,
    "alter_table_stmt": _detach,
    "copy_stmt": _copy,
    "discard_stmt": _discard,
    "alter_enum_stmt": _enum_value,
    "do_stmt": _do_block,
}
