"""Each fault to practise on: where the run stops, what it says of production, and that the world shows no more damage.

The faults of the API and of the log subscription stop nothing: those runs complete.
"""

from dataclasses import dataclass

import httpx
import pytest

from tests.end_to_end import worlds
from tests.end_to_end.rehearsals import PLAN, Line, Place, Result
from tests.end_to_end.test_killed import assert_same_end
from tests.openapi_contract import Contract

pytestmark = pytest.mark.slow

UNTOUCHED = "Production is untouched"
OLD, NEW = "old", "new"


@dataclass(frozen=True)
class Stop:
    """Where a fault stops the run.

    `says`, `production` and `remedy` are words of the failure; `pushes`, `migrated`, `exports` what the world shows;
    `live` which release backend and frontend run; None when somebody else's push decides that.
    """

    fault: str
    step: str
    says: tuple[str, ...]
    production: tuple[str, ...]
    remedy: tuple[str, ...]
    exports: int = 1
    pushes: int = 0
    migrated: bool = False
    live: tuple[str, str] | None = (OLD, OLD)


@dataclass(frozen=True)
class NoGo:
    """A fault that the preflight finds: the run does not begin. `says` are words of the blocker's finding."""

    fault: str
    code: str
    says: tuple[str, ...]
    remedy: str


NO_GOS = (
    NoGo("wrong-branch", "services.branch.backend", ("crm-backend tracks release, not main",), "branch to main"),
    NoGo(
        "merge-conflict", "repository.conflict", ("do not merge", "services/reportingService.js"), "solve the conflicts"
    ),
    NoGo("migration-error", "migration.dependent", ("sales_trial_overview", "is_trial"), "drop it"),
)

STOPS = (
    Stop("export-stalls", "backup.export", ("export",), (UNTOUCHED,), ("provider",)),
    Stop("backup-corrupt", "backup.verify", ("corrupt",), ("could not be used to restore",), ("reopen the backup",)),
    Stop(
        "push-race",
        "code.push",
        ("main moved", "nothing was pushed"),
        ("Nothing of this release was pushed",),
        ("reopen the merge",),
        live=None,
    ),
    Stop("build-fails", "code.backend", ("failed",), ("28c7327", "not migrated"), ("log",), pushes=1),
    Stop(
        "build-fails=backend",
        "code.backend",
        ("failed",),
        ("28c7327", "not migrated"),
        ("log",),
        pushes=1,
        live=(OLD, NEW),
    ),
    Stop(
        "build-fails=frontend",
        "code.frontend",
        ("failed",),
        ("28c7327", "not migrated"),
        ("log",),
        pushes=1,
        live=(NEW, OLD),
    ),
    Stop(
        "deploys-other-commit",
        "code.backend",
        ("another commit",),
        ("not the release", "not migrated"),
        ("branch",),
        pushes=1,
    ),
    Stop(
        "foreign-deploy",
        "code.backend",
        ("somebody else",),
        ("not the release", "not migrated"),
        ("who deployed",),
        pushes=1,
        live=(OLD, NEW),
    ),
    Stop(
        "lock-blocked",
        "db.migrate",
        ("lock timeout",),
        ("rolled back", "backend and frontend run it"),
        ("retry",),
        pushes=1,
        live=(NEW, NEW),
    ),
    Stop(
        "kpi-breaks",
        "test.kpis",
        ("/api/dashboard/kpis answered 500",),
        ("Migration 020 is in the database",),
        ("roll back",),
        pushes=1,
        migrated=True,
        live=(NEW, NEW),
    ),
    Stop(
        "error-spike",
        "monitor.errors",
        ("answered 5xx",),
        ("Migration 020 is in the database",),
        ("incident",),
        pushes=1,
        migrated=True,
        live=(NEW, NEW),
    ),
)


@pytest.mark.parametrize("no_go", NO_GOS, ids=lambda no_go: no_go.fault)
def test_it_is_a_no_go_and_nothing_begins(here: Place, no_go: NoGo) -> None:
    result = here.rehearse("--fault", no_go.fault).end()
    assert result.code == 3, result
    assert result.stderr.count("✗") == 1, result
    assert "stays open" in result.stderr
    found = [e["data"] for e in result.events if e["kind"] == "finding.recorded" and e["data"]["severity"] == "blocker"]
    assert len(found) == 1, found
    assert found[0]["code"].startswith(no_go.code)
    assert all(words in found[0]["message"] + found[0]["evidence"] for words in no_go.says), found[0]
    assert no_go.remedy in found[0]["remedy"]
    summary = result.summary
    assert (summary["outcome"], summary["steps"]["succeeded"]) == ("open", 0)
    assert UNTOUCHED in summary["production"]
    world = summary["world"]
    assert (world["exports"], world["pushes_to_main"], world["migrations_applied"]) == (0, 0, 0)
    worlds.assert_untouched(here.world_info["database_url"])


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.fault)
def test_it_stops_and_the_world_has_no_more_damage(here: Place, stop: Stop) -> None:
    console = here.rehearse("--fault", stop.fault)
    console.until("run.created")
    old = worlds.git(here, "rev-parse", "main")
    result = console.end()
    assert result.code == 3, result
    assert result.stderr == ""
    _assert_says(result, stop)
    _assert_world(here, result, stop, old)
    worlds.assert_contract_kept(here, Contract.load())


def _assert_says(result: Result, stop: Stop) -> None:
    summary = result.summary
    assert (summary["outcome"], summary["steps"]["uncertain"]) == ("open", 0)
    failures = [event for event in result.events if event["kind"] == "step.failed"]
    failed = next((event for event in failures if event["step"] == stop.step), None)
    assert failed is not None, f"not where it should: {failures or result}"
    _assert_words(failed, "message", stop.says)
    _assert_words(failed, "production", stop.production)
    _assert_words(failed, "remedy", stop.remedy)
    assert all(words in summary["production"] for words in stop.production), summary["production"]


def _assert_words(failed: Line, key: str, words: tuple[str, ...]) -> None:
    text = failed["data"][key] + (" ".join(failed["data"]["lines"]) if key == "message" else "")
    missing = [word for word in words if word.lower() not in text.lower()]
    assert not missing, f"{key} lacks {missing}: {text}"


def _assert_world(here: Place, result: Result, stop: Stop, old: str) -> None:
    world, url = result.summary["world"], here.world_info["database_url"]
    counters = (world["exports"], world["pushes_to_main"], world["migrations_applied"])
    assert counters == (stop.exports, stop.pushes, int(stop.migrated))
    assert world["accounts"] == 449
    if stop.migrated:
        assert sum(world["account_status"].values()) == 449
        assert "account_status" in worlds.columns(url)
    else:
        worlds.assert_untouched(url)
    if stop.live is None:
        return
    live = {each["service"]: each["commit"] for each in world["deploys_live"]}
    new = worlds.git(here, "rev-parse", "main")
    assert (live["crm-backend"], live["crm-frontend"]) == tuple(new if each == NEW else old for each in stop.live)


@pytest.mark.parametrize("fault", ["api-429", "api-500", "api-timeout", "ws-drop"])
def test_it_completes_all_the_same(here: Place, fault: str) -> None:
    # Every request that hangs is waited for in full: this plan's provider is known to answer sooner than most.
    plan = here.base / "prompt.toml"
    plan.write_text(f'extends = "{PLAN}"\n[render]\nanswers_within = "2 s"\n')
    result = here.rehearse("--config", str(plan), "--fault", fault).end(within=600)
    assert_same_end(here, result)
    worlds.assert_log_heard_exactly_once(here)
    worlds.assert_contract_kept(here, Contract.load())
    statuses = {line["status"] for line in worlds.recorded_requests(here)}
    seen = {"api-429": {429}, "api-500": {500}, "api-timeout": {None}, "ws-drop": {200}}[fault]
    assert seen <= statuses, "the fault did not happen"


def test_it_goes_on_when_the_cause_is_gone(here: Place) -> None:
    """The session that held the lock ends; the same run, resumed, completes."""
    stopped = here.rehearse("--fault", "lock-blocked").end()
    assert stopped.code == 3, stopped
    blockers = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'monthly-report'"
    assert worlds.fetch(here.world_info["database_url"], blockers) == [(True,)]
    assert_same_end(here, here.resume().end())


def test_somebody_elses_commit_on_main_is_merged_with_after_a_push_race(here: Place) -> None:
    """The refused push reopens the merge, which is made anew on the new tip; nothing is forced."""
    stopped = here.rehearse("--fault", "push-race").end()
    assert stopped.code == 3, stopped
    colleague = worlds.git(here, "rev-parse", "main")
    result = here.resume().end()
    assert_same_end(here, result, done_twice=frozenset({"code.merge"}))
    history = worlds.git(here, "rev-list", result.summary["world"]["head_of_main"]).split()
    assert colleague in history


def test_a_service_that_is_turned_to_another_branch_after_the_go(here: Place) -> None:
    """The push looks for itself, a moment before: an old preflight proves nothing."""
    console = here.rehearse()
    console.until("run.started")
    info = here.world_info
    backend = next(service["id"] for service in info["services"] if service["key"] == "backend")
    headers = {"Authorization": f"Bearer {info['render_token']}"}
    answer = httpx.patch(
        f"{info['render_url']}/services/{backend}", json={"branch": "staging"}, headers=headers, timeout=10
    )
    assert answer.status_code == 200, answer.text
    assert_refused_before_the_push(here, console.end(), ("crm-backend", "staging"))


def test_a_view_that_is_made_on_a_dropped_column_after_the_go(here: Place) -> None:
    console = here.rehearse()
    console.until("run.started")
    worlds.execute(here.world_info["database_url"], "CREATE VIEW trials AS SELECT id FROM accounts WHERE is_trial")
    assert_refused_before_the_push(here, console.end(), ("trials", "is_trial"))


def assert_refused_before_the_push(here: Place, result: Result, says: tuple[str, ...]) -> None:
    assert result.code == 3, result
    failed = next(event for event in result.events if event["kind"] == "step.failed")
    assert failed["step"] == "code.push", failed
    _assert_words(failed, "message", says)
    _assert_words(failed, "production", (UNTOUCHED,))
    world = result.summary["world"]
    assert (world["pushes_to_main"], world["migrations_applied"]) == (0, 0)
    worlds.assert_untouched(here.world_info["database_url"])


def test_several_at_once(here: Place) -> None:
    result = here.rehearse("--fault", "api-500", "--fault", "ws-drop", "--fault", "api-429").end(within=600)
    assert_same_end(here, result)
    worlds.assert_log_heard_exactly_once(here)
