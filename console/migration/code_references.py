"""Mentions of the dropped columns in source files: whole words, told apart by whether they are code or comment.

What strings hold counts as code: SQL stands in strings. Migration files are history and never counted. The lexer
knows just enough of each language to find its comments; for others every mention is code.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

_MIGRATIONS = ("database/migrations/", "migrations/")
_BINARY_PROBE = 8000


class Place(StrEnum):
    """Where in a file a mention stands."""

    CODE = "code"
    STRING = "string"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class CodeReference:
    """A mention: the path, the line (from 1), the column's name, the line's text, and where it stands."""

    path: str
    line: int
    column: str
    text: str
    place: Place

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


# One alternative a kind of passage, tried from left to right: a comment sign inside a string is no comment.
_C_LIKE = r"""
    (?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>'(?:\\.|[^'\\\n])*'?|"(?:\\.|[^"\\\n])*"?|`(?:\\.|[^`\\])*`?)
  | (?P<regex>(?<=[=(,:;!&|?{}\n])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/)
"""
_HASH_COMMENTS = r"""
    (?P<string>'{3}.*?(?:'{3}|\Z)|"{3}.*?(?:"{3}|\Z)|'(?:\\.|[^'\\\n])*'?|"(?:\\.|[^"\\\n])*"?)
  | (?P<comment>\#[^\n]*)
"""
_SQL = r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>'(?:''|[^'])*'?)
"""
_MARKUP = r"(?P<comment><!--.*?(?:-->|\Z))"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | re.DOTALL)


_LEXERS = {
    suffix: lexer
    for lexer, suffixes in (
        (_compiled(_C_LIKE), (".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", ".java", ".go", ".css", ".scss", ".php")),
        (_compiled(_HASH_COMMENTS), (".py", ".rb", ".sh", ".yml", ".yaml", ".toml")),
        (_compiled(_SQL), (".sql",)),
        (_compiled(_MARKUP), (".html", ".vue", ".md", ".xml")),
    )
    for suffix in suffixes
}


def code_references(
    files: Mapping[str, bytes], columns: Sequence[str], *, ignore: Sequence[str] = _MIGRATIONS
) -> tuple[CodeReference, ...]:
    """Every mention of the columns in the files (path → content), in the order of path and line.

    `ignore`: folders, as the beginning of a path or of a part of it, whose files are not looked at.
    """
    if not columns:
        return ()
    alternatives = "|".join(re.escape(column) for column in columns)
    pattern = re.compile(rf"(?<![\w$])(?:{alternatives})(?![\w$])")
    found: list[CodeReference] = []
    for path in sorted(files):
        content = files[path]
        if (
            any(path.startswith(folder) or f"/{folder}" in path for folder in ignore)
            or b"\0" in content[:_BINARY_PROBE]
        ):
            continue
        found += _in_file(path, content.decode("utf-8", errors="replace"), pattern)
    return tuple(found)


def _in_file(path: str, text: str, pattern: re.Pattern[str]) -> Iterator[CodeReference]:
    passages: list[tuple[int, int, Place]] | None = None
    lines = text.split("\n")
    for match in pattern.finditer(text):
        if passages is None:
            passages = list(_passages(PurePosixPath(path).suffix, text))
        number = text.count("\n", 0, match.start()) + 1
        yield CodeReference(path, number, match.group(), lines[number - 1].strip(), _place(passages, match.start()))


def _passages(suffix: str, text: str) -> Iterator[tuple[int, int, Place]]:
    lexer = _LEXERS.get(suffix)
    for match in lexer.finditer(text) if lexer is not None else ():
        if match.lastgroup in (Place.COMMENT, Place.STRING):
            yield match.start(), match.end(), Place(match.lastgroup)


def _place(passages: Sequence[tuple[int, int, Place]], position: int) -> Place:
    return next((place for start, end, place in passages if start <= position < end), Place.CODE)
