"""Every key of the example is misspelt once: each is refused with its own line and the right word."""

import re
import tomllib
from pathlib import Path

import pytest

from console.actions.catalogue import CATALOGUE
from console.config import load
from console.config.toml_lines import lines_of
from console.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config.toml"
TEXT = CONFIG.read_text(encoding="utf-8")
LINES = TEXT.splitlines()

# Below these the keys are the person's own: columns, captured names, places in answers, bodies of requests, values.
FREE = {"columns", "capture", "expect", "body", "inverse", "lookup"}


def keys() -> list[tuple[int, str]]:
    """Line and name of every key whose spelling the console knows; a key on a line of its own comes once each."""
    found: dict[tuple[int, str], None] = {}
    for path, line in lines_of(TEXT).items():
        if path and isinstance(path[-1], str) and not FREE & set(path[:-1]):
            found[(line, path[-1])] = None
    # The tables that a dotted header only passes through stand on that header's line too.
    return [(line, key) for line, key in found if re.search(rf"(?<![\w\"]){key}(?![\w\"-])", LINES[line - 1])]


def misspellings(key: str) -> list[str]:
    """A letter left out and two swapped, or, in short keys, one doubled: the slips of a keyboard."""
    middle = len(key) // 2
    if len(key) <= 3:
        return [key[:middle] + key[middle] + key[middle:]]
    slips = (key[:middle] + key[middle + 1 :], key[:1] + key[2] + key[1] + key[3:])
    return [slip for slip in slips if slip != key]


def refused(tmp_path: Path, text: str) -> list[str]:
    """The problems of a changed example."""
    changed = tmp_path / "config.toml"
    changed.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(changed, CATALOGUE)
    return error.value.problems


def with_line(number: int, line: str) -> str:
    """The example with one line changed."""
    return "\n".join([*LINES[: number - 1], line, *LINES[number:]]) + "\n"


@pytest.mark.parametrize("key", sorted({key for _, key in keys()}))
def test_a_misspelt_key_is_named_with_line_and_nearest_match(key: str, tmp_path: Path) -> None:
    """The first place of a key takes every slip; its other places one slip each, in a file where all stand at once."""
    place = next(line for line, name in keys() if name == key)
    for wrong in misspellings(key):
        changed = re.sub(rf"(?<![\w\"]){key}(?![\w\"-])", wrong, LINES[place - 1], count=1)
        text = with_line(place, changed)
        tomllib.loads(text)
        problems = refused(tmp_path, text)
        wanted = f'"{wrong}" is not'
        hits = [p for p in problems if f"config.toml:{place}: " in p and wanted in p and f'Did you mean "{key}"?' in p]
        assert hits, f"{wrong} for {key} on line {place}: {problems}"


def test_every_key_of_the_example_is_refused_where_it_is_misspelt(tmp_path: Path) -> None:
    """All of them, place by place: a file has one slip in every key of its leaf lines at once."""
    places = [(line, key) for line, key in keys() if re.match(rf"\s*{key}\s*=", LINES[line - 1])]
    assert len(places) > 350
    lines = list(LINES)
    for line, key in places:
        lines[line - 1] = re.sub(rf"{key}", key + key[-1], lines[line - 1], count=1)
    problems = refused(tmp_path, "\n".join(lines) + "\n")
    for line, key in places:
        wanted = f'"{key + key[-1]}" is not a key'
        hits = [p for p in problems if f"config.toml:{line}: " in p and wanted in p and f'Did you mean "{key}"?' in p]
        assert hits, f"{key} on line {line}"
    numbers = [int(match[1]) for p in problems if (match := re.search(r"config\.toml:(\d+): ", p))]
    assert numbers == sorted(numbers)
    assert len(numbers) == len(problems)
