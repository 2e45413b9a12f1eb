"""`release-console journal send`: what a run that was left has here for the shared record gets there."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.cli.exits import Exit
from console.cli.journal import send
from console.domain.events import Draft, Kind
from console.domain.wire import encode_plan
from console.engine.branching import lines_of
from console.engine.shared_opening import create_shared
from console.errors import ConfigError, DrivenElsewhere
from tests.adapters.journal.conftest import RUN, SINCE, Store
from tests.adapters.journal.conftest import driver as rival
from tests.domain.plans import plan, step
from tests.engine.shared_driving import driver
from tests.engine.shared_store import MemoryDriver, Record

SHARED = replace(plan(step("a")), journal_url_source="env:RC_TEST_STORE", journal_tls="disable")


async def recorded_apart(directory: Path, texts: str) -> Path:
    """A run whose store was never reached; its folder."""
    folder = directory / "runs" / RUN
    line = MemoryDriver(Record())
    line.wire.cut()
    journal = await create_shared(folder, encode_plan(SHARED), line, driver("ann"))
    for text in texts:
        await journal.append(Draft(Kind.NOTE_ADDED, data={"text": text}), at=SINCE, actor="ann@ann-laptop")
    await journal.close()
    return folder


async def test_it_is_sent_once_and_again_is_harmless(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RC_TEST_STORE", store.url("alice").reveal())
    folder = await recorded_apart(tmp_path, "abc")
    for _ in range(2):
        assert await send(tmp_path / "config.toml", tmp_path, RUN) is Exit.DONE
        assert await store.driver().lines(RUN, 0) == lines_of(folder)
    assert capsys.readouterr().out.splitlines() == [f"✔ The shared record has all 3 events of {RUN}."] * 2


async def test_where_the_store_is_not_reached_it_says_what_waits(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RC_TEST_STORE", "postgresql://alice:secret-word@127.0.0.1:1/record")
    await recorded_apart(tmp_path, "ab")
    assert await send(tmp_path / "config.toml", tmp_path, RUN) is Exit.FAILED
    said = capsys.readouterr().out
    assert said.startswith(f"✗ 2 events of {RUN} still wait here: ")
    assert "secret-word" not in said


async def test_a_run_that_somebody_else_drives_now_is_left_to_them(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RC_TEST_STORE", store.url("alice").reveal())
    await recorded_apart(tmp_path, "ab")
    other = store.driver("bob")
    await other.create(RUN, encode_plan(SHARED))
    await other.claim(RUN, rival("bob@desk"), expected=0)
    with pytest.raises(DrivenElsewhere, match="bob@desk"):
        await send(tmp_path / "config.toml", tmp_path, RUN)


async def test_a_run_that_is_not_shared_is_said_to_be_complete(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / RUN
    journal = await create_shared(folder, encode_plan(plan(step("a"))), MemoryDriver(Record()), driver("ann"))
    await journal.close()
    with pytest.raises(ConfigError, match="is not shared"):
        await send(tmp_path / "config.toml", tmp_path, RUN)
