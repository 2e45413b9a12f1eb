"""The downloaded backup goes when its time is over, and not before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.cli.kept_copies import discard_expired
from console.domain.events import Draft, Kind
from console.domain.wire import encode_plan
from console.engine.driver import Driver
from console.engine.journal import FileJournal
from tests.domain.plans import plan, step

CLOSED = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)
PLAN = plan(step("a"))
KEPT = timedelta(seconds=PLAN.database.keep_backup_for)


async def a_run(folder: Path, *, finished: bool) -> Path:
    journal = FileJournal.create(folder, folder.name, encode_plan(PLAN), Driver.here("ops@laptop"))
    await journal.append(Draft(Kind.RUN_CREATED, data={"plan": {"name": "p"}}), at=CLOSED, actor="ops@laptop")
    if finished:
        await journal.append(Draft(Kind.RUN_FINISHED, data={"outcome": "completed"}), at=CLOSED, actor="ops@laptop")
    await journal.close()
    copy = folder / "artifacts" / "backup.dir.tar.gz"
    copy.write_bytes(b"dump")
    return copy


@pytest.mark.parametrize(("later", "gone"), [(KEPT - timedelta(seconds=1), False), (KEPT + timedelta(seconds=1), True)])
async def test_a_finished_run_keeps_its_copy_as_long_as_the_plan_says(
    tmp_path: Path, later: timedelta, gone: bool
) -> None:
    copy = await a_run(tmp_path / "20260204-200000-aaaa", finished=True)
    assert discard_expired(tmp_path, CLOSED + later) == ((copy,) if gone else ())
    assert copy.exists() is not gone


async def test_an_open_run_keeps_its_copy_whatever_its_age(tmp_path: Path) -> None:
    copy = await a_run(tmp_path / "20260204-200000-aaaa", finished=False)
    assert discard_expired(tmp_path, CLOSED + 100 * KEPT) == ()
    assert copy.exists()


async def test_a_plan_that_does_not_say_keeps_it(tmp_path: Path) -> None:
    copy = await a_run(tmp_path / "20260204-200000-aaaa", finished=True)
    (tmp_path / "20260204-200000-aaaa" / "plan.json").write_text("{}")
    assert discard_expired(tmp_path, CLOSED + 100 * KEPT) == ()
    assert copy.exists()
