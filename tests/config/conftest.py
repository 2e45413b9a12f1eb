"""The example, and ways to change it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.actions.catalogue import CATALOGUE
from console.config import load
from console.domain.plan import Plan
from console.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config.toml"

Changed = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """Write the example with texts replaced, each of them there before; the path of the changed file."""

    def change(*replacements: tuple[str, str]) -> Path:
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text, f"the example does not hold {old!r}"
            text = text.replace(old, new, 1)
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return change


def loaded(path: Path, *overlays: Path) -> Plan:
    """The plan of a file."""
    return load(path, CATALOGUE, overlays)


def problems(path: Path, *overlays: Path) -> list[str]:
    """Why a file is refused; the folder before its name is left out."""
    with pytest.raises(ConfigError) as error:
        load(path, CATALOGUE, overlays)
    assert error.value.production == "Nothing was started."
    assert error.value.message == "\n".join(error.value.problems)
    return [problem.replace(f"{path.parent}/", "") for problem in error.value.problems]
