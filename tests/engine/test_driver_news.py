"""What is told of the driver of a run that is watched: drives, left, died, resumed, taken over. The locks are real."""

import os
from pathlib import Path

import pytest

from console.domain.events import Draft, Kind
from console.engine.driver import LOCK_FILE
from console.engine.follow import JournalFollower
from console.ports import DriverStatus, Driving, TailStatus
from tests.engine.following import AT, CREATED, begun, create, note, other_driver, watched


def now(follower: JournalFollower) -> DriverStatus:
    """What a follower says when it has looked again; its clock is moved on for that."""
    follower._look_at = 0.0
    follower.catch_up()
    return follower.driver


async def test_from_the_first_moment_to_the_end_of_a_run(tmp_path: Path) -> None:
    journal = create(tmp_path)
    await journal.close()
    follower, told = watched(journal.directory)
    assert now(follower).driving is Driving.NOBODY
    assert follower.driver.text == "Nobody has driven this run yet."
    async with other_driver(journal.directory, "ops@laptop") as ops:
        status = now(follower)
        assert (status.driving, status.actor, status.pid) == (Driving.DRIVES, "ops@laptop", ops.process.pid)
        assert status.text.startswith(
            f"ops@laptop drives (process {ops.process.pid} on {os.uname().nodename}) since 20"
        )
        await ops.does("join")
        assert now(follower) == status, "joining says what the lock said already"
        await ops.does("finish")
        assert not follower.over
        await ops.does("leave")
        status = now(follower)
        assert (status.driving, follower.over) == (Driving.LEFT, True), "although the console is still open"
        assert status.text.startswith("The run is over: ops@laptop left at 20")
    assert now(follower) == status
    assert [each.driving for each in told.drivers] == [Driving.NOBODY, Driving.DRIVES, Driving.LEFT]


async def test_a_driver_that_dies_and_resumes(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    await journal.close()
    follower, _ = watched(journal.directory)
    async with other_driver(journal.directory, "ops@laptop") as ops:
        await ops.does("join", "note")
        assert now(follower).driving is Driving.DRIVES
        await ops.ends(killed=True)
        status = now(follower)
        assert (status.driving, status.actor, status.pid) == (Driving.DIED, "ops@laptop", ops.process.pid)
        assert "the console of ops@laptop on " in status.text
        assert "died; last heard of at 20" in status.text
    async with other_driver(journal.directory, "ops@laptop") as ops:
        resumed = now(follower)
        assert (resumed.driving, resumed.pid) == (Driving.DRIVES, ops.process.pid)
        assert resumed.text.endswith(": resumed after their console died.")
        await ops.does("join")
        assert now(follower) == resumed


async def test_a_driver_that_leaves_and_somebody_takes_over(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    await journal.close()
    follower, _ = watched(journal.directory)
    async with other_driver(journal.directory, "ops@laptop") as ops:
        await ops.does("join", "leave")
        status = now(follower)
        assert status.driving is Driving.LEFT, "although the lock is not given up yet"
        assert status.text.startswith("Nobody drives: ops@laptop left at 20")
        assert status.text.endswith(": the console was closed.")
        await ops.ends()
    assert now(follower) == status
    async with other_driver(journal.directory, "eve@desk") as eve:
        await eve.does("join")
        assert now(follower).text.endswith(": took over from ops@laptop, who had left.")
        await eve.ends(killed=True)
    async with other_driver(journal.directory, "ops@laptop") as ops:
        await ops.does("join")
        assert now(follower).text.endswith(": took over from eve@desk, whose console died.")
    late, _ = watched(journal.directory)
    assert now(late) == now(follower), "a late joiner is told the same"


async def test_a_driver_that_died_behind_the_end_leaves_a_run_that_is_over(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    await journal.close()
    follower, _ = watched(journal.directory)
    async with other_driver(journal.directory, "ops@laptop") as ops:
        await ops.does("join", "finish")
        follower.catch_up()
        assert not follower.over, "what its driver still has to say is waited for"
        await ops.ends(killed=True)
        assert now(follower).driving is Driving.DIED
        assert follower.over


async def test_a_lock_that_was_free_before_the_events_came_says_nothing_of_their_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes the run up between the look at the lock and the look at the journal."""
    journal = await begun(tmp_path)
    await journal.append(Draft(Kind.DRIVER_JOINED, data={"actor": "old@desk"}), at=AT, actor="old@desk")
    follower, told = watched(journal.directory)
    follower.catch_up()
    told.updates.clear()
    monkeypatch.setattr("console.engine.holding.ask_driver", lambda directory: None)
    follower._look_at = 0.0
    await note(journal, "written meanwhile")
    follower.poll()
    assert told.drivers == [], "nothing is concluded"
    monkeypatch.undo()
    follower.poll()
    assert follower.driver.driving is Driving.DRIVES
    await journal.close()


async def test_where_the_lock_cannot_be_seen_nobody_is_called_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(directory: Path) -> None:
        raise PermissionError(13, "Permission denied")

    journal = await begun(tmp_path)
    await journal.append(Draft(Kind.DRIVER_JOINED, data={"actor": "ops@laptop"}), at=AT, actor="ops@laptop")
    follower, _ = watched(journal.directory)
    monkeypatch.setattr("console.engine.holding.ask_driver", refuse)
    assert now(follower).driving is Driving.UNKNOWN
    assert follower.driver.text == "Who drives cannot be seen from here: Permission denied."
    await journal.append(Draft(Kind.DRIVER_LEFT, data={"reason": "r"}), at=AT, actor="ops@laptop")
    assert now(follower).driving is Driving.LEFT, "the journal says it"
    await journal.close()


async def test_who_drives_is_told_again_to_those_who_listen_later(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    await journal.append(Draft(Kind.RUN_FINISHED, data={"outcome": "failed"}), at=AT, actor="ops@laptop")
    await journal.close()
    follower, told = watched(journal.directory)
    follower.catch_up()
    told.updates.clear()
    await follower.follow()
    assert [type(each) for each in told.updates] == [DriverStatus, TailStatus]


async def test_a_note_of_a_driver_that_makes_no_sense_is_still_somebody(tmp_path: Path) -> None:
    journal = create(tmp_path)
    (journal.directory / LOCK_FILE).write_text('{"actor": "ops", "host": 1, "pid": "x", "since": "soon"}')
    await journal.append(CREATED, at=AT, actor="ops@laptop")
    follower, _ = watched(journal.directory)
    assert now(follower).driving is Driving.DRIVES
    await journal.close()
