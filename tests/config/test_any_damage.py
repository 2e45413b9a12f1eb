"""Whatever is put in place of whatever: a file is loaded or refused in sentences with file and line, never worse."""

import copy
import datetime
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.actions.catalogue import CATALOGUE
from console.config import load
from console.errors import ConfigError
from tests.config.conftest import EXAMPLE

BASE = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
DAY = datetime.date(2026, 1, 1)
VALUES = [3, -1, 1.5, float("inf"), "", "x", "a\nb", [], [1], ["x"], {}, {"x": 1}, True, DAY, [{}], [[]], [{"id": "x"}]]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path of the example but the whole."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


PLACES = list(places(BASE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), value=st.sampled_from([*VALUES, None]))
def test_damage_is_told_with_file_and_line(folder: Path, place: tuple[str | int, ...], value: object) -> None:
    data = copy.deepcopy(BASE)
    table = data
    for key in place[:-1]:
        table = table[key]  # type: ignore[index]
    if value is None:
        del table[place[-1]]  # type: ignore[arg-type]
    else:
        table[place[-1]] = value  # type: ignore[index]
    path = folder / "config.toml"
    path.write_text(tomlkit.dumps(data), encoding="utf-8")
    told: list[str] | None = None
    try:
        load(path, CATALOGUE)
    except ConfigError as error:
        told = error.problems
    assert told is None or told
    for problem in told or ():
        assert re.match(rf"{re.escape(str(path))}:\d+: \S", problem)
