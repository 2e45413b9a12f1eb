"""Where every value of a TOML document stands: a map from its path to its line.

`tomllib` says what a document means and forgets where it stood; this scanner says where and nothing else. It
takes only documents that `tomllib` has accepted, so it need not reject anything, and its paths are exactly
those of the parsed document.
"""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_VALUE = re.compile(r"[^,\]}#\r\n]+")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}(?!")', re.DOTALL),
    re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, from 1, of every table, key and array item of a valid TOML document; `()` is line 1.

    A key of several dotted parts gives each of its tables the line on which it first appears; an array of
    tables has the line of its first header.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[Path, int] = {(): 1}
        self._lengths: dict[Path, int] = {}

    def scan(self) -> Mapping[Path, int]:
        table: Path = ()
        self._skip(_FILLER)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_FILLER)
        return self._lines

    def _header(self) -> Path:
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        self._skip(_SPACE)
        names = self._key()
        self._at += 2 if array else 1
        parent = self._descend((), names[:-1])
        path = self._entered((*parent, names[-1]))
        if not array:
            return path
        position = self._lengths.get((*parent, names[-1]), 0)
        self._lengths[(*parent, names[-1])] = position + 1
        return self._noted((*parent, names[-1], position))

    def _pair(self, table: Path) -> None:
        names = self._key()
        self._at += 1  # the equals sign
        parent = self._descend(table, names[:-1])
        self._value(self._noted((*parent, names[-1])))

    def _descend(self, table: Path, names: list[str]) -> Path:
        """The table that dotted names lead to; an array of tables on the way means its last table."""
        for name in names:
            table = self._entered((*table, name))
            if length := self._lengths.get(table):
                table = (*table, length - 1)
        return table

    def _entered(self, path: Path) -> Path:
        self._lines.setdefault(path, self._line)
        return path

    def _noted(self, path: Path) -> Path:
        self._lines[path] = self._line
        return path

    def _key(self) -> list[str]:
        names = [self._name()]
        self._skip(_SPACE)
        while self._text.startswith(".", self._at):
            self._at += 1
            self._skip(_SPACE)
            names.append(self._name())
            self._skip(_SPACE)
        return names

    def _name(self) -> str:
        quote = self._text[self._at]
        if quote == '"':
            return _ESCAPE.sub(_unescaped, self._take(_STRINGS[2])[1:-1])
        if quote == "'":
            return self._take(_STRINGS[3])[1:-1]
        return self._take(_BARE_KEY)

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        first = self._text[self._at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            string = next((s for s in _STRINGS if s.match(self._text, self._at)), None)
            self._skip(string or _PLAIN_VALUE)

    def _array(self, path: Path) -> None:
        position = 0
        self._open()
        while self._text[self._at] != "]":
            self._value(self._noted((*path, position)))
            position += 1
            self._next_item()
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._open()
        while self._text[self._at] != "}":
            self._pair(path)
            self._next_item()
        self._at += 1

    def _open(self) -> None:
        self._at += 1
        self._skip(_FILLER)

    def _next_item(self) -> None:
        self._skip(_FILLER)
        if self._text[self._at] == ",":
            self._open()

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"line {self._line}: not a TOML document")
        self._line += match.group().count("\n")
        self._at = match.end()
        return match.group()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)


def _unescaped(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    return chr(int(short or long, 16)) if short or long else _ESCAPED.get(letter, letter)
