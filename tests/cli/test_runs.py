"""`release-console runs`: every run with its state, who drives it and its age, for people and for machines."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.cli.exits import Exit
from console.cli.run_list import list_runs
from console.domain.events import Draft, Kind
from console.domain.wire import encode_plan
from console.engine.driver import Driver
from console.engine.journal import FileJournal
from tests.engine.following import CREATED, PLAN

CONFIG = Path("config.toml")


async def kept(state: Path, run: str, age: timedelta, *drafts: Draft) -> FileJournal:
    journal = FileJournal.create(state / "runs" / run, run, encode_plan(PLAN), Driver.here("ops@laptop"))
    at = datetime.now(UTC) - age
    for draft in (CREATED, *drafts):
        await journal.append(draft, at=at, actor="ops@laptop")
    return journal


async def three(state: Path) -> FileJournal:
    """One that is driven, one that nobody drives, one that is closed."""
    closed = Draft(Kind.RUN_FINISHED, data={"outcome": "rolled_back", "reason": "r", "production": "p"})
    await (await kept(state, "20260202-000000-0000", timedelta(days=3), closed)).close()
    await (await kept(state, "20260203-000000-0000", timedelta(hours=5))).close()
    return await kept(state, "20260204-000000-0000", timedelta(minutes=7, seconds=1))


async def test_people_read_state_age_and_driver(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    driven = await three(tmp_path)
    assert list_runs(CONFIG, tmp_path, json=False) is Exit.DONE
    lines = [" ".join(line.split()[1:]) for line in capsys.readouterr().out.splitlines()]
    assert [line.split(" ago")[0] for line in lines] == ["open 7 min", "open 5 h", "rolled_back 3 d"]
    assert lines[0].endswith("driven by ops@laptop")
    assert lines[1].endswith("nobody drives")
    assert lines[2].endswith(PLAN.name)
    await driven.close()


async def test_machines_read_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    driven = await three(tmp_path)
    assert list_runs(CONFIG, tmp_path, json=True) is Exit.DONE
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["state"] for row in rows] == ["open", "open", "rolled_back"]
    assert [row["driver"] for row in rows] == ["ops@laptop", None, None]
    me = Driver.here("ops@laptop")
    assert (rows[0]["driver_pid"], rows[0]["driver_host"]) == (me.pid, me.host)
    assert rows[0]["driving_since"] <= me.since
    assert [round(row["age_s"], -3) for row in rows] == [0, 18000, 259000]
    assert rows[0]["last_at"] == rows[0]["created_at"]
    await driven.close()
