"""Going back from a release that failed: each way ends where the release began, with its price paid as it was stated.

Everything is read from the world: its servers, its repository, its databases and what its users had confirmed.
"""

import random

import pytest

from tests.end_to_end.rehearsals import Console, Line, Place, Result

pytestmark = pytest.mark.slow

OLD_STATUSES = {"active", "cancelled", "expired", "pending", "suspended"}


def go_back(here: Place, way: str, *faults: str) -> Console:
    """Start a rehearsal that fails by these faults and goes back."""
    named = [argument for fault in faults for argument in ("--fault", fault)]
    return here.rehearse("--on-failure", "rollback", "--rollback", way, *named)


def as_before(result: Result, way: str) -> Line:
    """The world of a run that was rolled back, held against the world before the release."""
    failed = [(line["step"], line["data"]["message"]) for line in result.events if line["kind"] == "step.failed"]
    assert result.code == 4, (failed, result)
    summary = result.summary
    assert summary["outcome"] == "rolled_back"
    chosen = [line["data"]["way"] for line in result.events if line["kind"] == "rollback.chosen"]
    assert chosen in ([way], [])
    world: Line = summary["world"]
    assert world["tree_of_main_equals_before"] is True
    assert world["autodeploy_as_before"] is True
    assert world["old_checks_pass"] is True
    assert world["old_values_equal_before"]["differ"] == []
    assert {live["commit"] for live in world["deploys_live"]} == {world["head_of_main"]}
    assert world["exports"] == 1
    assert world["migrations_applied"] == 0
    assert set(world["account_status"]) >= OLD_STATUSES
    return world


def test_a_build_that_fails_is_answered_by_the_code(here: Place) -> None:
    world = as_before(go_back(here, "recommended", "build-fails").end(), "code")
    assert world["pushes_to_main"] == 2, "the release and its revert"
    assert world["loss"] == {"stated": None, "counted": None}
    assert world["messages_sent"] == 4
    assert len(world["database_in_use"]) == 1


def test_what_breaks_after_the_migration_is_answered_by_the_schema_and_nothing_is_lost(here: Place) -> None:
    """Nobody can be told meanwhile; that keeps nothing from going on."""
    result = go_back(here, "recommended", "kpi-breaks", "notify-down").end()
    world = as_before(result, "schema")
    kept = world["rows_written_since_kept"]
    assert kept["written"] == kept["kept"] > 0
    assert world["loss"] == {"stated": None, "counted": None}
    assert world["messages_sent"] == 0
    errors = {line["data"]["error"] for line in result.events if line["kind"] == "message.sent"}
    assert errors
    assert "" not in errors


def test_another_database_costs_what_was_stated(here: Place) -> None:
    result = go_back(here, "database", "kpi-breaks").end()
    world = as_before(result, "database")
    assert world["loss"]["stated"] == world["loss"]["counted"] > 0
    (used,) = world["database_in_use"]
    recovered = next(
        line for line in result.events if line["kind"] == "step.succeeded" and line["step"] == "back.recover"
    )
    assert used["postgres_id"] == recovered["data"]["evidence"]["data"]["postgres_id"]
    journal = "".join(path.read_text() for path in here.run_folder.rglob("*.jsonl"))
    assert "postgresql://" not in journal


def test_what_fails_on_the_way_back_stops_there_and_is_gone_on_with(here: Place) -> None:
    """The recovery fails, then a foreign deploy comes in: each time it says where production stands, and goes on."""
    stopped = go_back(here, "database", "kpi-breaks", "restore-fails", "autodeploy-refires").end()
    assert_stopped(stopped, "back.recover", "Users see the maintenance page and nothing is written.")
    again = here.resume().end()
    assert_stopped(again, "back.restore_settings", "")
    world = as_before(here.resume().end(), "database")
    assert world["loss"]["stated"] == world["loss"]["counted"] > 0


def test_a_revert_that_does_not_build_the_first_time(here: Place) -> None:
    stopped = go_back(here, "code", "build-fails=frontend", "rollback-build-fails").end()
    assert stopped.code == 3, stopped
    world = as_before(here.resume().end(), "code")
    assert world["pushes_to_main"] == 2


@pytest.mark.parametrize("way", ["schema", "database"])
def test_killed_again_and_again_on_the_way_back(here: Place, way: str) -> None:
    chance = random.Random(f"{way} 26c5a9f")
    console = go_back(here, way, "kpi-breaks")
    console.until("rollback.chosen")
    for _ in range(5):
        console.events(chance.randrange(2, 14))
        console.kill()
        console = here.resume()
    world = as_before(console.end(), way)
    assert world["pushes_to_main"] == 2
    if way == "schema":
        assert world["rows_written_since_kept"]["written"] == world["rows_written_since_kept"]["kept"]
    else:
        assert world["loss"]["stated"] == world["loss"]["counted"]
    chosen = [line for line in here.journal if line["kind"] == "rollback.chosen"]
    assert len(chosen) == 1
    verified = here.run("verify", "last", "--directory", str(here.state))
    assert verified.code == 0, verified


def assert_stopped(result: Result, step: str, says: str) -> None:
    """The run stays open at a step of the way back, and says what state production is in."""
    assert result.code == 3, result
    assert result.summary["outcome"] == "open"
    failed = [line for line in result.events if line["kind"] == "step.failed"]
    assert failed[-1]["step"] == step, failed
    assert says in failed[-1]["data"]["production"]
    assert failed[-1]["data"]["remedy"]
