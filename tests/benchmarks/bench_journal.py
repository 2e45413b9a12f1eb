"""The journal: what an event costs, and what taking up a run of 10,000 events costs beside an empty one."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from console.actions.catalogue import CATALOGUE
from console.config import load
from console.domain.events import Draft, Kind
from console.domain.fold import fold
from console.domain.plan import Plan
from console.domain.wire import decode_plan, encode_plan
from console.engine.driver import Driver
from console.engine.journal import FileJournal, read
from tests.benchmarks.figures import Figure

EVENTS = 10_000
ROUNDS = 5


def measure() -> list[Figure]:
    """Milliseconds an appended event; milliseconds to read, check and fold a journal."""
    plan = load(Path("config.toml"), CATALOGUE)
    with tempfile.TemporaryDirectory() as folder:
        per_event = asyncio.run(_filled(Path(folder) / "long", plan, EVENTS))
        asyncio.run(_filled(Path(folder) / "empty", plan, 1))
        long, empty = _taken_up(Path(folder) / "long"), _taken_up(Path(folder) / "empty")
    return [
        Figure("an event: appended, flushed, synced", per_event * 1000, "ms"),
        Figure(f"read, checked and folded: {EVENTS:,} events", long * 1000, "ms"),
        Figure("read, checked and folded: an empty run", empty * 1000, "ms"),
    ]


async def _filled(folder: Path, plan: Plan, events: int) -> float:
    journal = FileJournal.create(folder, folder.name, encode_plan(plan), Driver.here("bench@here"))
    begun = time.perf_counter()
    for number in range(events):
        draft = Draft(Kind.STEP_PROGRESSED, "db.migrate", {"text": f"row {number}", "share": 0.5, "data": {}})
        await journal.append(draft, at=datetime.now(UTC), actor="bench@here")
    seconds = time.perf_counter() - begun
    await journal.close()
    return seconds / events


def _taken_up(folder: Path) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        record = read(folder)
        fold(decode_plan(record.plan_json), record.events)
        best = min(best, time.perf_counter() - begun)
    return best
