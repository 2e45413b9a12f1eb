"""A wrong mapping in the plan, or wrong SQL in the file: the run fails before COMMIT, with the rows that differ."""

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end import worlds
from tests.end_to_end.rehearsals import PLAN, Line, Place, Result

pytestmark = pytest.mark.slow

MIGRATION = "database/migrations/020_consolidate_account_status.sql"
ON_HOLD = 44
"""Of the seed's 449 accounts, those that are pending and not deleted."""


def assert_failed_before_commit(here: Place, result: Result) -> Line:
    """The failure of the migration; the database is as it was before it."""
    assert result.code == 3, result
    failed: Line = next(event for event in result.events if event["kind"] == "step.failed")
    assert failed["step"] == "db.migrate", failed
    assert not any("committing" in str(event["data"]) for event in result.events if event["step"] == "db.migrate")
    worlds.assert_untouched(here.world_info["database_url"])
    world = result.summary["world"]
    assert (world["migrations_applied"], world["pushes_to_main"]) == (0, 1)
    assert "rolled back" in result.summary["production"]
    assert "backend and frontend run it" in result.summary["production"]
    return failed


def assert_names_rows(here: Place, failed: Line, *, total: int, licence: str, expected: str, found: str) -> None:
    """The message counts them all; some are shown with key, old value, what the plan and what the file makes of it."""
    data = failed["data"]
    assert f"{total} rows differ" in data["message"]
    assert "plan's mapping" in data["remedy"]
    shown = [line for line in data["lines"] if licence in line]
    assert len(shown) >= min(total, 10)
    assert all(expected in line and found in line for line in shown)
    query = f"SELECT id FROM accounts WHERE license_status = '{licence}' AND deleted_at IS NULL"
    differing = {str(key) for (key,) in worlds.fetch(here.world_info["database_url"], query)}
    assert len(differing) == total
    assert any(key in shown[0].replace(":", " ").replace("=", " ").split() for key in differing), shown[0]


def test_a_wrong_mapping_in_the_plan(here: Place) -> None:
    """The plan says that pending accounts become suspended; the file puts them on hold."""
    plan = here.base / "wrong.toml"
    rules = {"active": "active", "pending": "suspended", "expired": "inactive", "suspended": "suspended"}
    lines = [
        f'{{ value = "{value}", becomes = "{new}" }},' for value, new in {**rules, "cancelled": "cancelled"}.items()
    ]
    plan.write_text(f'extends = "{PLAN}"\n[migration.mapping]\nrules = [\n{chr(10).join(lines)}\n]\n')
    result = here.rehearse("--config", str(plan)).end()
    failed = assert_failed_before_commit(here, result)
    assert_names_rows(here, failed, total=ON_HOLD, licence="pending", expected="suspended", found="on_hold")


def test_wrong_sql_in_the_file(here: Place) -> None:
    """A further commit on staging makes pending accounts active; the plan puts them on hold."""
    console = here.rehearse()
    console.until("run.started")
    change_on_staging(here, "THEN 'on_hold'", "THEN 'active'")
    result = console.end()
    failed = assert_failed_before_commit(here, result)
    assert_names_rows(here, failed, total=ON_HOLD, licence="pending", expected="on_hold", found="active")


def test_sql_that_does_not_parse_stops_before_the_push(here: Place) -> None:
    """What would fail after the code is live is found while production is untouched."""
    console = here.rehearse()
    console.until("run.started")
    change_on_staging(here, "ADD COLUMN account_status", "AD COLUMN account_status")
    result = console.end()
    assert result.code == 3, result
    failed = next(event for event in result.events if event["kind"] == "step.failed")
    assert failed["step"] == "code.push", failed
    assert MIGRATION.rpartition("/")[2] in failed["data"]["message"]
    assert "syntax error" in failed["data"]["message"] + " ".join(failed["data"]["lines"])
    assert "untouched" in failed["data"]["production"]
    assert result.summary["world"]["pushes_to_main"] == 0
    worlds.assert_untouched(here.world_info["database_url"])


def change_on_staging(here: Place, old: str, new: str) -> None:
    """A colleague's commit on staging that changes the migration file."""
    clone = here.base / "colleague"
    origin = f"file://{here.world / 'crm.git'}"
    person = ("-c", "user.name=Tom", "-c", "user.email=tom@crm.example.com")
    _git(here.base, "clone", "--quiet", "--branch", "staging", origin, str(clone))
    file = clone / MIGRATION
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    _git(clone, *person, "commit", "--quiet", "--all", "--message", "Change the migration")
    _git(clone, "push", "--quiet", "origin", "staging")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)
