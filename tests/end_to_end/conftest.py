"""The whole console against a whole world, from the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.rehearsals import Place, place

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and "here" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def here() -> Iterator[Place]:
    with place() as made:
        yield made
