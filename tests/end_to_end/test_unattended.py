"""`rehearse --auto --pace 600 --json`: the whole plan, from an empty machine to four signatures."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.end_to_end import worlds
from tests.end_to_end.rehearsals import Line, Place, Result, place
from tests.openapi_contract import Contract

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("unattended")]

STEPS = 31
CRITERIA = {"fixes", "migrated", "logs", "kpis", "leads", "orphans", "accounts"}


@dataclass(frozen=True)
class Rehearsed:
    """A finished rehearsal, and what its world was before."""

    here: Place
    result: Result
    expected_statuses: dict[str, int]
    main_before: str


@pytest.fixture(scope="module")
def rehearsed() -> Iterator[Rehearsed]:
    with place() as here:
        console = here.rehearse()
        console.until("run.created")
        expected = worlds.expected_statuses(here.world_info["database_url"])
        before = worlds.git(here, "rev-parse", "main")
        yield Rehearsed(here, console.end(), expected, before)


def test_it_completes_with_every_step_and_every_criterion(rehearsed: Rehearsed) -> None:
    result = rehearsed.result
    assert result.code == 0, result
    assert result.summary["outcome"] == "completed"
    assert result.summary["steps"] == {
        "total": STEPS,
        "succeeded": STEPS,
        "skipped": 0,
        "failed": 0,
        "uncertain": 0,
    }
    assert result.summary["criteria"] == dict.fromkeys(CRITERIA, "met")
    assert result.summary["pace"] == 600
    assert 5 < result.summary["elapsed_s"] < 200


def test_it_says_nothing_but_json_and_nothing_on_standard_error(rehearsed: Rehearsed) -> None:
    assert rehearsed.result.stderr == ""
    assert [set(line) >= {"seq", "kind"} for line in rehearsed.result.lines[:-1]].count(False) == 0


def test_the_world_had_everything_done_once(rehearsed: Rehearsed) -> None:
    world = rehearsed.result.summary["world"]
    assert (world["exports"], world["pushes_to_main"], world["migrations_applied"]) == (1, 1, 1)


def test_both_services_run_the_merge_that_is_the_head_of_main(rehearsed: Rehearsed) -> None:
    here, world = rehearsed.here, rehearsed.result.summary["world"]
    head = worlds.git(here, "rev-parse", "main")
    assert world["head_of_main"] == head != rehearsed.main_before
    assert {live["service"]: live["commit"] for live in world["deploys_live"]} == {
        "crm-backend": head,
        "crm-frontend": head,
    }
    parents = worlds.git(here, "show", "--no-patch", "--format=%P", head).split()
    assert parents == [rehearsed.main_before, worlds.git(here, "rev-parse", "staging")]
    assert parents[1].startswith("26c5a9f")


def test_the_new_statuses_are_the_mapping_of_the_old_ones(rehearsed: Rehearsed) -> None:
    world = rehearsed.result.summary["world"]
    assert world["accounts"] == 449
    assert world["account_status"] == rehearsed.expected_statuses


def test_the_printed_events_are_the_journal(rehearsed: Rehearsed) -> None:
    kept = [{key: line[key] for key in line if key not in ("prev", "v")} for line in rehearsed.here.journal]
    printed = rehearsed.result.events
    # The last line is written when the run is let go of, after the summary's own fold.
    assert printed == kept
    assert [line["seq"] for line in kept] == list(range(1, len(kept) + 1))


def test_signatures_are_shown_to_be_a_rehearsals(rehearsed: Rehearsed) -> None:
    names = [e["data"]["name"] for e in rehearsed.result.events if e["kind"] == "signoff.given"]
    assert names == ["rehearsal:owner", "rehearsal:devops", "rehearsal:qa", "rehearsal:product"]


def test_its_journal_verifies_until_somebody_edits_it(rehearsed: Rehearsed) -> None:
    here = rehearsed.here
    directory = ("--directory", str(here.state))
    sound = here.run("verify", "last", *directory)
    assert (sound.code, sound.stderr) == (0, ""), sound
    assert f"{len(here.journal)} events" in sound.stdout
    journal = here.run_folder / "journal.jsonl"
    written = journal.read_bytes()
    try:
        journal.write_bytes(written.replace(b'"name":"rehearsal:qa"', b'"name":"rehearsal:QA"'))
        edited = here.run("verify", "last", *directory)
    finally:
        journal.write_bytes(written)
    assert edited.code == 1
    signed = next(line["seq"] for line in here.journal if line["data"].get("role") == "qa")
    assert re.search(rf"line {signed}\b|line {signed + 1}\b", edited.stdout), edited


def test_its_record_is_the_plans_document_filled_in(rehearsed: Rehearsed) -> None:
    report = rehearsed.here.run("report", "last", "--directory", str(rehearsed.here.state))
    assert report.code == 0
    for wanted in (
        "Account Status Consolidation",
        "Production database backup initiated",
        "| Migrate | Run database migration | 2–5 min |",
        "**Total**",
        "- [x] **Database Owner:** rehearsal:owner",
        "- [x] Dashboard KPIs load successfully",
    ):
        assert wanted in report.stdout, f"{wanted!r} is missing in\n{report.stdout}"
    assert "- [ ]" not in report.stdout
    assert "PENDING" not in report.stdout


def test_it_is_listed_as_completed(rehearsed: Rehearsed) -> None:
    listed = rehearsed.here.run("runs", "--json", "--directory", str(rehearsed.here.state))
    (line,) = listed.lines
    assert (line["state"], line["rehearsal"]) == ("completed", True)
    assert line["run"] == rehearsed.result.summary["run"]


def test_no_secret_lies_outside_of_the_worlds_own_files(rehearsed: Rehearsed) -> None:
    here, result = rehearsed.here, rehearsed.result
    secrets = worlds.secrets_of(here)
    assert worlds.files_with(here.base, secrets, except_below=here.world) == []
    assert not any(secret in result.stdout + result.stderr for secret in secrets)


def test_its_files_are_the_owners_alone(rehearsed: Rehearsed) -> None:
    folder = rehearsed.here.run_folder
    open_to_others = [
        str(path.relative_to(folder))
        for path in (folder, *folder.iterdir(), *(folder / "artifacts").iterdir())
        if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_every_exchange_with_the_provider_keeps_its_contract(rehearsed: Rehearsed) -> None:
    worlds.assert_contract_kept(rehearsed.here, Contract.load())


def test_the_log_was_heard_without_a_gap(rehearsed: Rehearsed) -> None:
    worlds.assert_log_heard_exactly_once(rehearsed.here)


def test_nothing_of_the_worlds_servers_is_left(rehearsed: Rehearsed) -> None:
    world = rehearsed.here.world
    assert not (world / "world.json").exists()
    assert (world / "ended").exists()
    down = rehearsed.here.run("sandbox", "down", "--directory", str(rehearsed.here.state))
    assert down.code == 0


def test_the_checks_left_nothing_behind(rehearsed: Rehearsed) -> None:
    """What they made is journaled before it is made, and cleaned up."""

    def texts(words: str) -> list[Line]:
        return [e for e in rehearsed.result.events if words in json.dumps(e["data"].get("text", ""))]

    assert len({e["data"]["data"]["check"] for e in texts("cleaned up")}) == 3
    assert rehearsed.result.summary["world"]["accounts"] == 449
