"""`sandbox down` ends every world that stands, also when one of them cannot be ended."""

from pathlib import Path

import pytest

from console.cli import sandbox
from console.cli.exits import Exit
from console.errors import SandboxError


class Worlds:
    """Worlds that stand in folders; those in `stuck` do not end."""

    def __init__(self, *stuck: str) -> None:
        self.stuck = stuck
        self.ended: list[str] = []

    async def attach(self, place: Path) -> "Standing":
        return Standing(self, place.name)


class Standing:
    def __init__(self, worlds: Worlds, name: str) -> None:
        self._worlds, self._name = worlds, name

    async def down(self) -> None:
        if self._name in self._worlds.stuck:
            raise SandboxError(f"The world {self._name} did not end.")
        self._worlds.ended.append(self._name)


def standing(monkeypatch: pytest.MonkeyPatch, state: Path, *stuck: str) -> Worlds:
    for name in ("one", "two", "three"):
        (state / "sandboxes" / name).mkdir(parents=True)
    worlds = Worlds(*stuck)
    monkeypatch.setattr("console.sandbox.client.attach", worlds.attach)
    monkeypatch.setattr("console.sandbox.client.is_owned", lambda place: True)
    return worlds


async def test_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = standing(monkeypatch, tmp_path)
    assert await sandbox.sandbox_down(None, tmp_path) is Exit.DONE
    assert sorted(worlds.ended) == ["one", "three", "two"]


async def test_the_others_too_when_one_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worlds = standing(monkeypatch, tmp_path, "one")
    assert await sandbox.sandbox_down(None, tmp_path) is Exit.FAILED
    assert sorted(worlds.ended) == ["three", "two"]
    assert "The world one did not end." in capsys.readouterr().err


async def test_where_none_stands_there_is_nothing_to_do_but_a_named_one_is_missed(tmp_path: Path) -> None:
    assert await sandbox.sandbox_down(None, tmp_path) is Exit.DONE
    assert await sandbox.sandbox_down(tmp_path / "named", tmp_path) is Exit.FAILED
