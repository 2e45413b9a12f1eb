"""From a file's bytes to its statements: titles, kinds, locks, and every reason to refuse the file.

The file's one BEGIN … COMMIT is recognised and left out: the console's transaction takes its place. Whatever else
would begin, end or escape a transaction is refused, with the line and what to do.
"""

from console.migration import grammar
from console.migration.effects import created, dropped
from console.migration.grammar import ParsedStatement, PgQueryError, pb
from console.migration.locks import locks_of
from console.migration.refusals import refusal
from console.migration.script import MigrationRefused, Problem, Statement

_TITLE_LENGTH = 64
_MODIFIERS = frozenset(
    {"OR", "REPLACE", "UNIQUE", "TEMP", "TEMPORARY", "UNLOGGED", "CONSTRAINT", "RECURSIVE", "GLOBAL", "LOCAL"}
)
_FIRST_OF_TWO = frozenset({"MATERIALIZED", "FOREIGN", "EVENT", "TEXT", "DEFAULT", "ACCESS", "OPERATOR", "USER"})
_NOT_RUN = "Correct the file on the source branch; nothing of it was run."


def read_statements(path: str, content: bytes) -> tuple[tuple[Statement, ...], bool]:
    """The statements, and whether the file brought its own transaction. Raises MigrationRefused."""
    sql = _decode(path, content)
    try:
        parsed = list(grammar.statements(sql))
    except PgQueryError as error:
        raise MigrationRefused(path, (_syntax_problem(sql, error),)) from error
    inner, own_transaction = _without_transaction(parsed)
    problems = tuple(
        Problem(grammar.line_at(sql, item.start), *reason)
        for item in inner
        if (reason := refusal(item.kind, item.node)) is not None
    )
    if problems:
        raise MigrationRefused(path, problems)
    if not inner:
        raise MigrationRefused(path, (Problem(1, "the file holds no statement.", _NOT_RUN),))
    read = tuple(_statement(number, grammar.line_at(sql, item.start), item) for number, item in enumerate(inner, 1))
    return read, own_transaction


def _decode(path: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = Problem(line, f"the file is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.")
        raise MigrationRefused(path, (problem,)) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise MigrationRefused(path, (Problem(line, "the file holds a NUL character.", "Save it as plain text."),))
    return text


def _syntax_problem(sql: str, error: PgQueryError) -> Problem:
    position = max(error.cursorpos - 1, 0)
    line = sql.count("\n", 0, position) + 1
    rest = sql[position:]
    if rest.startswith("\\"):
        command = rest.split("\n", 1)[0].strip()
        return Problem(
            line,
            f"psql command `{command}`: the console speaks to the server directly and has no psql.",
            "Write it as SQL, or leave it out.",
        )
    return Problem(line, f"PostgreSQL cannot parse this: {error.message}.", _NOT_RUN)


def _without_transaction(parsed: list[ParsedStatement]) -> tuple[list[ParsedStatement], bool]:
    """Take out a plain BEGIN that comes first together with a plain COMMIT that comes last."""
    if len(parsed) < 2:
        return parsed, False
    first, last = parsed[0].node.transaction_stmt, parsed[-1].node.transaction_stmt
    begins = first.kind in (pb.TRANS_STMT_BEGIN, pb.TRANS_STMT_START) and not first.options
    commits = last.kind == pb.TRANS_STMT_COMMIT and not last.chain
    both = parsed[0].kind == parsed[-1].kind == "transaction_stmt"
    return (parsed[1:-1], True) if both and begins and commits else (parsed, False)


def _statement(number: int, line: int, item: ParsedStatement) -> Statement:
    locks = locks_of(item.kind, item.node)
    return Statement(
        number=number,
        line=line,
        text=item.text,
        kind=_kind(item),
        title=_title(item.text),
        tables=tuple(lock.relation for lock in locks),
        locks=locks,
        creates=created(item.kind, item.node),
        drops=dropped(item.kind, item.node),
        sets=item.kind == "variable_set_stmt",
    )


def _words(text: str) -> list[grammar.Token]:
    return [token for token in grammar.tokens(text) if not token.comment]


def _title(text: str) -> str:
    """The statement on one line without its comments, cut at a word."""
    source = text.encode()
    line, end = "", 0
    for token in _words(text):
        gap = " " if line and source[end : token.start].strip() != source[end : token.start] else ""
        if line and len(line) + len(gap) + len(token.text) > _TITLE_LENGTH:
            return f"{line} …"
        word = " ".join(token.text.split())
        line += gap + (word if len(word) <= _TITLE_LENGTH else word[:_TITLE_LENGTH] + "…")
        end = token.end
    return line


def _kind(item: ParsedStatement) -> str:
    """The command in its documentation's words: `ALTER TABLE`, `DROP VIEW`, `UPDATE`, `CREATE INDEX` …"""
    words = [token.text.upper() for token in _words(item.text)[:8]]
    verb = words[0]
    if verb not in ("CREATE", "ALTER", "DROP", "COMMENT", "REFRESH"):
        return verb
    modifiers = {
        "OR",
        "REPLACE",
        "UNIQUE",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "CONSTRAINT",
        "RECURSIVE",
        "GLOBAL",
        "LOCAL",
    }
    objects = [word for word in words[1:] if word not in modifiers]
    if not objects:
        return verb
    two_words = objects[0] in ("MATERIALIZED", "FOREIGN", "EVENT", "TEXT", "DEFAULT", "ACCESS", "OPERATOR", "USER")
    return " ".join([verb, *objects[: 2 if two_words else 1]])
