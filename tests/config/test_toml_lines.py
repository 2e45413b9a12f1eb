"""The scanner's paths are exactly those of the parsed document, and its lines are those of the file."""

import tomllib
from collections.abc import Iterator

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from console.config.toml_lines import Path, lines_of
from tests.config.conftest import EXAMPLE

TRICKY = '''# a comment with [brackets] = "and more"
title = "one # no comment" # one [comment]
"quoted key" = 1
'literal "key"' = 2
"esc\\u0041ped\\t" = 3
a.b . "c.d" = { x = 1, y.z = [ 1, 2 ] }
text = """
[not.a.table]
key = "no key" \\""" still
"""""
raw = \'\'\'
[[nor.this]]\'\'\'
empty = ""
none = []
many = [ # comment ]
  1,
  "two, ]", # more ] }
  { three = 3 },
  [ [ 4 ],
    5 ],
]
when = 2026-02-04 10:00:00Z
inf = -inf

[table]
key = 0x1F
[table.sub]
key = true
[[list]]
[[list.inner]]
key = 1
[list.inner.deep]
key = 2
[[list]]
[[list.inner]]
[[list.inner]]
[ spaced . "header" ]
key = 1.5e3
'''


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Every path of parsed data."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from paths(item, (*path, place))


@pytest.mark.parametrize("text", [TRICKY, EXAMPLE.read_text(encoding="utf-8"), "", "# only a comment"])
def test_paths_are_those_of_the_parsed_document(text: str) -> None:
    assert set(lines_of(text)) == set(paths(tomllib.loads(text)))


def test_lines_are_those_of_the_file() -> None:
    lines = lines_of(TRICKY)
    texts = TRICKY.splitlines()
    for path, start in {
        ("title",): "title",
        ("quoted key",): '"quoted key"',
        ("escAped\t",): '"esc',
        ("a", "b", "c.d", "y", "z", 1): "a.b",
        ("raw",): "raw",
        ("empty",): "empty",
        ("many", 1): '  "two, ]"',
        ("many", 2, "three"): "  { three",
        ("many", 3, 0, 0): "  [ [ 4 ]",
        ("many", 3, 1): "    5 ]",
        ("table", "sub"): "[table.sub]",
        ("list", 0, "inner", 0, "deep"): "[list.inner.deep]",
        ("list", 1): "[[list]]",
        ("list", 1, "inner", 1): "[[list.inner]]",
        ("spaced", "header", "key"): "key = 1.5e3",
    }.items():
        assert texts[lines[path] - 1].startswith(start), path
    assert lines[("list", 1)] > lines[("list", 0, "inner", 0, "deep", "key")]


LETTERS = "ab1_-. \"'\\#=[]{},\n\t\x7fé☃"
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.text(LETTERS, max_size=12),
    st.floats(allow_nan=False),
    st.datetimes(),
    st.dates(),
)
KEYS = st.text(LETTERS, min_size=1, max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_document_is_scanned_whole(data: dict[str, object]) -> None:
    text = tomlkit.dumps(data)
    assert set(lines_of(text)) == set(paths(tomllib.loads(text)))
