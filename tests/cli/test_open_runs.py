"""Which run a console takes up: never one that cannot be trusted, and never a plan that was corrected meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli.production import open_run_of, sharing_of
from console.cli.session import recorded
from console.domain.events import Draft, Kind
from console.domain.plan import Plan
from console.domain.wire import encode_plan, plan_digest
from console.engine.driver import Driver
from console.engine.journal import JOURNAL_FILE, PLAN_FILE, FileJournal
from console.errors import JournalError
from tests.domain.plans import plan, step

PLAN = plan(step("a"))
CORRECTED = replace(PLAN, title="The same release, corrected")
CREATED = Draft(Kind.RUN_CREATED, data={"plan": {"name": PLAN.name, "digest": plan_digest(PLAN)}})
STARTED = Draft(Kind.RUN_STARTED)
FINISHED = Draft(Kind.RUN_FINISHED, data={"outcome": "abandoned", "reason": "r", "production": "p"})


async def kept(folder: Path, *drafts: Draft, plan: Plan = PLAN) -> Path:
    """A run that was kept, with these events."""
    journal = FileJournal.create(folder, folder.name, encode_plan(plan), Driver.here("ops@here"))
    for draft in drafts:
        await journal.append(draft, at=datetime.now(UTC), actor="ops@here")
    await journal.close()
    return folder


async def test_the_newest_open_one_is_taken_up(tmp_path: Path) -> None:
    await kept(tmp_path / "1", CREATED, STARTED)
    newest = await kept(tmp_path / "2", CREATED, STARTED)
    await kept(tmp_path / "3", CREATED, STARTED, FINISHED)
    assert open_run_of(PLAN, tmp_path) == (newest, ())


async def test_one_that_has_begun_keeps_its_frozen_plan(tmp_path: Path) -> None:
    begun = await kept(tmp_path / "1", CREATED, STARTED)
    assert open_run_of(CORRECTED, tmp_path) == (begun, ())


@pytest.mark.parametrize("drafts", [(), (CREATED,)], ids=["no event", "created"])
async def test_one_that_has_not_begun_does_not_hold_a_mistake_fast(tmp_path: Path, drafts: tuple[Draft, ...]) -> None:
    waiting = await kept(tmp_path / "1", *drafts)
    assert open_run_of(PLAN, tmp_path) == (waiting, ())
    assert open_run_of(CORRECTED, tmp_path) == (None, ())


async def test_one_that_was_edited_is_left_alone_and_named_and_the_others_are_found(tmp_path: Path) -> None:
    good = await kept(tmp_path / "1", CREATED, STARTED)
    edited = await kept(tmp_path / "2", CREATED, STARTED) / JOURNAL_FILE
    edited.write_bytes(edited.read_bytes().replace(b"small", b"large", 1))
    unreadable = await kept(tmp_path / "3", CREATED, STARTED)
    (unreadable / PLAN_FILE).write_text('{"name": 1}')
    folder, remarks = open_run_of(PLAN, tmp_path)
    assert folder == good
    assert [remark.split()[2] for remark in remarks] == ["3", "2"]
    assert "not the one that the run began with" in remarks[0]
    assert "Line 2 of the journal is broken" in remarks[1]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: json.dumps({**json.loads(text), "title": "Another"}), "not the one that the run began with"),
        (lambda text: text[:-40], "cannot be read"),
        (lambda text: "[]", "not the one"),
    ],
    ids=["edited", "cut off", "no plan"],
)
async def test_a_frozen_plan_that_was_edited_is_not_driven(
    tmp_path: Path, edit: Callable[[str], str], said: str
) -> None:
    frozen = await kept(tmp_path / "1", CREATED, STARTED) / PLAN_FILE
    frozen.write_text(edit(frozen.read_text()))
    with pytest.raises(JournalError, match=said):
        async with recorded(tmp_path / "1", None):
            pytest.fail("it was opened")


async def test_a_record_that_was_refused_is_not_locked(tmp_path: Path) -> None:
    frozen = await kept(tmp_path / "1", CREATED) / PLAN_FILE
    whole = frozen.read_text()
    frozen.write_text("")
    with pytest.raises(JournalError):
        async with recorded(tmp_path / "1", None):
            pytest.fail("it was opened")
    frozen.write_text(whole)
    async with recorded(tmp_path / "1", None) as run:
        assert run.plan == PLAN


async def test_a_run_that_began_shared_stays_so_whatever_the_file_says_by_now(tmp_path: Path) -> None:
    """A store that is down is no reason to drive without it: somebody else may have taken the run over."""
    shared = replace(PLAN, journal_url_source="env:RELEASE_JOURNAL_URL")
    begun = await kept(tmp_path / "1", CREATED, STARTED, plan=shared)
    alone = await kept(tmp_path / "2", CREATED, STARTED)
    moved = replace(PLAN, journal_url_source="env:ANOTHER_URL")
    assert sharing_of(PLAN, begun) == shared
    assert sharing_of(moved, begun) == shared
    assert sharing_of(shared, alone) == shared
    assert sharing_of(PLAN, alone) == PLAN
    assert sharing_of(shared, None) == shared
