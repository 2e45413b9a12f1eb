"""PostgreSQL's own grammar (libpg_query), as the rest of this package needs it.

Positions are bytes of the UTF-8 text, as libpg_query counts them; only its errors count characters. Importing this
module loads the library, so the modules that are needed early import it inside their functions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    # The library's stubs hold a syntax error at which mypy gives up on the whole project, so it never sees them.
    Node: TypeAlias = Any
    pb: Any
    parse: Callable[[str], Any]
    scan: Callable[[str], Any]
    deparse: Callable[[Any], str]
    parse_plpgsql: Callable[[str], list[dict[str, object]]]
    find_nodes: Callable[[Any, type], Iterator[Any]]

    class PgQueryError(Exception):
        """What PostgreSQL's parser says, and where: a character of the text, counted from 1, 0 when unknown."""

        message: str
        cursorpos: int
else:
    from google.protobuf.message import Message as Node
    from postgast import PgQueryError, deparse, find_nodes, parse, parse_plpgsql, scan
    from postgast import pg_query_pb2 as pb

_COMMENTS = frozenset({pb.SQL_COMMENT, pb.C_COMMENT})
_STRINGS = frozenset({pb.SCONST, pb.USCONST})


@dataclass(frozen=True, slots=True)
class Token:
    """A word of SQL: where it stands (bytes, end exclusive), its text, and whether it is a comment or a string."""

    start: int
    end: int
    text: str
    comment: bool = False
    string: bool = False


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """One statement of a text: its tree, where it begins, and its text without semicolon and outer comments."""

    node: Node
    start: int
    text: str

    @property
    def kind(self) -> str:
        """The name of the tree's root, such as `alter_table_stmt`."""
        return str(self.node.WhichOneof("node"))


def tokens(sql: str) -> tuple[Token, ...]:
    """The words of a text. Raises PgQueryError when it cannot even be scanned (an open string, say)."""
    source = sql.encode()
    return tuple(
        Token(
            token.start,
            token.end,
            source[token.start : token.end].decode(),
            comment=token.token in _COMMENTS,
            string=token.token in _STRINGS,
        )
        for token in scan(sql).tokens
    )


def statements(sql: str) -> Iterator[ParsedStatement]:
    """The statements of a text, in order. Raises PgQueryError when it does not parse."""
    source = sql.encode()
    for raw in parse(sql).stmts:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(source)
        text = source[raw.stmt_location : end].decode()
        leading = len(text) - len(text.lstrip())
        yield ParsedStatement(raw.stmt, raw.stmt_location + len(text[:leading].encode()), text.strip())


def line_at(sql: str, position: int) -> int:
    """The line (from 1) on which the byte at `position` stands."""
    return sql.encode().count(b"\n", 0, max(position, 0)) + 1


def relations(tree: Node) -> tuple[str, ...]:
    """Every relation that a tree names, once each, as written; common table expressions are not among them."""
    local = {cte.ctename for cte in find_nodes(tree, pb.CommonTableExpr)}
    names = (relation_name(node) for node in find_nodes(tree, pb.RangeVar))
    return tuple(dict.fromkeys(name for name in names if name not in local))


def relation_name(node: Node) -> str:
    """The relation as written: `schema.name`, or the name alone."""
    return f"{node.schemaname}.{node.relname}" if node.schemaname else str(node.relname)


def columns(tree: Node) -> tuple[tuple[str, ...], ...]:
    """The column references of a tree, each as its parts: `("accounts", "deleted_at")`; a star ends in `*`."""
    return tuple(
        tuple(part.string.sval if part.WhichOneof("node") == "string" else "*" for part in node.fields)
        for node in find_nodes(tree, pb.ColumnRef)
    )


__all__ = [
    "Node",
    "ParsedStatement",
    "PgQueryError",
    "Token",
    "columns",
    "deparse",
    "find_nodes",
    "line_at",
    "parse_plpgsql",
    "pb",
    "relation_name",
    "relations",
    "statements",
    "tokens",
]
