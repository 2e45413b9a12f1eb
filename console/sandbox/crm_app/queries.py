r"""The named queries and constants of a release's JavaScript modules.

The modules are the truth of what a release does: `name: `SQL`` in an object is a named query with `$1`
placeholders, `const NAME = 'text'` and `const NAME = ['a', 'b']` are constants. Nothing else is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")

_QUERY = re.compile(r"^ +(\w+): `([^`]*)`,$", re.MULTILINE)
_TEXT = re.compile(r"^const ([A-Z_]+) = '([^']*)';$", re.MULTILINE)
_LIST = re.compile(r"^const ([A-Z_]+) = \[([^\]]*)\];$", re.MULTILINE)
_ITEM = re.compile(r"'([^']*)'")


class BrokenRelease(Exception):
    """A module of the release is missing, or lacks a name that the server needs."""


@dataclass(frozen=True, slots=True)
class Module:
    """What one JavaScript file of the release defines."""

    path: str
    queries: dict[str, str]
    texts: dict[str, str]
    lists: dict[str, tuple[str, ...]]

    def query(self, name: str) -> str:
        """The SQL of a named query. Raises `BrokenRelease` when there is none."""
        return _named(self.queries, name, self.path)

    def text(self, name: str) -> str:
        """A constant string. Raises `BrokenRelease` when there is none."""
        return _named(self.texts, name, self.path)

    def items(self, name: str) -> tuple[str, ...]:
        """A constant list of strings. Raises `BrokenRelease` when there is none."""
        return _named(self.lists, name, self.path)


def load_module(root: Path, path: str) -> Module:
    """Read the module `path` of the checkout `root`. Raises `BrokenRelease` when it is not there."""
    try:
        source = (root / path).read_text()
    except FileNotFoundError as missing:
        raise BrokenRelease(f"{path}: no such file in the release") from missing
    return Module(
        path,
        queries={name: sql.strip() for name, sql in _QUERY.findall(source)},
        texts=dict(_TEXT.findall(source)),
        lists={name: tuple(_ITEM.findall(items)) for name, items in _LIST.findall(source)},
    )


def _named(values: Mapping[str, Value], name: str, path: str) -> Value:
    try:
        return values[name]
    except KeyError:
        raise BrokenRelease(f"{path}: {name} is not defined") from None
