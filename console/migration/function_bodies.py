"""Which columns a function's body names, on which line, and how that is known.

Comments never count. Where PostgreSQL's grammar can read the body, a name that is one of the function's own variables
is not a column. Line 1 is the text right behind the opening quote, as in PL/pgSQL's own messages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from console.migration import grammar
from console.migration.grammar import PgQueryError, Token
from console.migration.references import Method

# A trigger function's NEW and OLD are variables that only the server declares. Given them as parameters the body
# reads the same; libpg_query's own answer for a function that returns `trigger` is not valid JSON.
_TRIGGER_HEADER = (
    "CREATE FUNCTION body(new record, old record, tg_name text, tg_when text, tg_level text, tg_op text, "
    "tg_relid oid, tg_relname text, tg_table_name text, tg_table_schema text, tg_nargs integer, tg_argv text[]) "
    "RETURNS record LANGUAGE plpgsql AS "
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function as the catalog has it. `definition` is its CREATE FUNCTION; `arguments` are the names."""

    name: str
    language: str
    body: str
    definition: str
    arguments: tuple[str, ...]
    trigger: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A column's name in a body: the line (from 1), its text, and how it is known."""

    column: str
    line: int
    text: str
    method: Method


def mentions(function: Function, columns: Sequence[str]) -> tuple[Mention, ...]:
    """Where the body names any of the columns."""
    try:
        tokens = grammar.tokens(function.body)
    except PgQueryError:
        return _words_in_text(function.body, columns)
    variables = _variables(function)
    method = Method.TEXT if variables is None else Method.PARSED
    found: list[Mention] = []
    previous = ""
    for token in tokens:
        if token.comment:
            continue
        if token.string:
            found += _in_string(function.body, token, columns)
        elif (column := _column(token, columns)) is not None and (
            previous == "." or column not in (variables or frozenset())
        ):
            found.append(_mention(function.body, column, token.start, method))
        previous = token.text
    return tuple(dict.fromkeys(found))


def words(text: str) -> frozenset[str]:
    """Every word of a body outside its comments, in lower case: names, and what stands in strings."""
    try:
        kept = " ".join(token.text for token in grammar.tokens(text) if not token.comment)
    except PgQueryError:
        kept = text
    return frozenset(re.findall(r"[\w$]+", kept.lower()))


def word_pattern(columns: Sequence[str]) -> re.Pattern[str]:
    """Any of the names, as a whole word; unquoted SQL does not mind capitals."""
    alternatives = "|".join(re.escape(column) for column in columns)
    return re.compile(rf"(?<![\w$])(?:{alternatives})(?![\w$])", re.IGNORECASE)


def _column(token: Token, columns: Sequence[str]) -> str | None:
    text = token.text
    name = text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
    return name if name in columns else None


def _mention(body: str, column: str, position: int, method: Method) -> Mention:
    line = grammar.line_at(body, position)
    return Mention(column, line, body.split("\n")[line - 1].strip(), method)


def _in_string(body: str, token: Token, columns: Sequence[str]) -> list[Mention]:
    return [
        _mention(body, _spelled(match.group(), columns), token.start + len(token.text[: match.start()].encode()), _TEXT)
        for match in word_pattern(columns).finditer(token.text)
    ]


def _words_in_text(body: str, columns: Sequence[str]) -> tuple[Mention, ...]:
    """What is left where not even the words can be told: names as words, line by line."""
    pattern = word_pattern(columns)
    return tuple(
        Mention(_spelled(match.group(), columns), number, line.strip(), _TEXT)
        for number, line in enumerate(body.split("\n"), 1)
        for match in pattern.finditer(line)
    )


def _spelled(found: str, columns: Sequence[str]) -> str:
    return next(column for column in columns if column.lower() == found.lower())


def _variables(function: Function) -> frozenset[str] | None:
    """The names that are the function's own; None when the body cannot be read."""
    try:
        if function.language == "sql":
            # In SQL functions a column wins over a parameter; only a body that reads no table has parameters alone.
            reads = any(grammar.relations(item.node) for item in grammar.statements(function.body))
            return frozenset() if reads else frozenset(function.arguments)
        if function.language == "plpgsql":
            return frozenset(function.arguments) | _declared(function)
    except (PgQueryError, ValueError):
        return None
    return None


def _declared(function: Function) -> frozenset[str]:
    """The variables of a PL/pgSQL body. Raises PgQueryError, or ValueError for what the library cannot express."""
    definition = function.definition
    if function.trigger:
        quote = "$rc$"
        while quote in function.body:
            quote = f"{quote[:-1]}_$"
        definition = f"{_TRIGGER_HEADER}{quote}{function.body}{quote}"
    names: set[str] = set()
    _collect(grammar.parse_plpgsql(definition), names)
    return frozenset(names)


def _collect(tree: object, names: set[str]) -> None:
    if isinstance(tree, list):
        for item in tree:
            _collect(item, names)
    elif isinstance(tree, dict):
        name = tree.get("refname")
        if isinstance(name, str):
            names.add(name)
        for item in tree.values():
            _collect(item, names)


_TEXT = Method.TEXT
