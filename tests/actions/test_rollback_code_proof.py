"""The last look of a rollback, and the old release's checks on the way: what was promised is so, or each difference."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.actions.checks import ChecksRun
from console.actions.databases import Databases
from console.actions.production import state_of_production
from console.actions.rollback.code import code_actions
from console.actions.rollback.prove import RollbackProve
from console.domain.hosting import DeployStatus, PostgresInfo
from console.domain.outcome import Evidence, NotDone
from console.domain.plan import Check, Query
from console.domain.standing import Schema, Way
from console.errors import StepFailed, VerificationFailed
from tests.actions.fakes import START, FakeDatabase, FakeWeb
from tests.actions.rolling_back import OLD, REPORT, SERVICE, Back, columns

PROVE = "back.prove"


def proving(back: Back) -> RollbackProve:
    return RollbackProve(back.hosting, back.repository, back.switches, Databases(back.database, back.instances))


async def gone_back(way: Way = Way.CODE, *, schema: Schema = Schema.OLD) -> Back:
    """The way was gone to its end: the revert is live on both services, the settings are given back."""
    back = Back(way, schema=schema)
    back.database.answers.update(columns(Schema.OLD))
    reverted = back.fix if way is Way.FIX_ONLY else back.merge
    commit = (await back.repository.revert([reverted], back.merge)).id
    back.repository.branches["main"] = commit
    differs = [] if reverted == back.merge else [SERVICE, REPORT]
    back.left("back.revert", {"commit": commit, "base": back.merge, "identical": not differs, "differs": [*differs]})
    back.left("back.push", {"commit": commit, "branch": "main"})
    for service in back.base.services_in("production"):
        deploy = back.hosting.add(service.id, commit, trigger="api")
        back.left(f"back.deploy.{service.key}", {"service": service.key, "deploy": deploy.id, "commit": commit})
    settings = {"backend": "commit", "frontend": "commit"}
    back.left("back.hold", {"settings": settings})
    back.left("back.restore_settings", {"settings": settings})
    return back


async def proof(back: Back) -> Evidence:
    return await proving(back).perform(back.context(PROVE), back.reports)


async def test_all_is_as_before_and_the_revert_is_left_to_be_reverted() -> None:
    back = await gone_back()
    evidence = await proof(back)
    data = evidence.data
    revert = back.repository.branches["main"]
    services = data["services"]
    assert isinstance(services, dict)
    assert {key: (v["commit"], v["identical"]) for key, v in services.items()} == {  # type: ignore[index, call-overload]
        "backend": (revert, True),
        "frontend": (revert, True),
    }
    assert (data["schema"], data["differs"], data["before"]) == ("old", [], back.old)
    assert data["databases"] == {"backend": {"place": f"{back.home}:5432/crm", "postgres_id": back.home}}
    assert data["settings"] == {"backend": "commit", "frontend": "commit"}
    assert f"Revert the revert {revert[:7]} before {back.merge[:7]} can be released again" in str(data["by_hand"])
    assert evidence.summary.startswith("the code from before, the schema from before")
    await proving(back).verify(back.context(PROVE), evidence)
    assert isinstance(await proving(back).probe(back.context(PROVE)), NotDone)
    assert "Reads only." in str((await proving(back).preview(back.context(PROVE))).consequences)


async def test_the_fix_alone_says_what_stays_and_does_not_call_that_a_failure() -> None:
    evidence = await proof(await gone_back(Way.FIX_ONLY))
    assert evidence.data["differs"] == [SERVICE, REPORT]
    assert "2 files differ from before" in evidence.summary
    assert f"2 files on main still differ from before the release: {SERVICE} and {REPORT}" in str(
        evidence.data["by_hand"]
    )


async def test_a_revert_by_hand_is_told_from_the_branch() -> None:
    back = await gone_back()
    for step in ("back.revert", "back.push", "back.deploy.backend", "back.deploy.frontend"):
        back.left(step)
    evidence = await proof(back)
    assert evidence.data["reverts"] == [back.repository.branches["main"]]
    assert "Revert the revert" in str(evidence.data["by_hand"])


def another_commit(back: Back) -> None:
    back.hosting.add(back.frontend, back.merge, message="Merge staging")


def nothing_live(back: Back) -> None:
    back.hosting.all[back.backend] = []


def still_off(back: Back) -> None:
    back.hosting.setting(back.backend, "off")


def half_a_schema(back: Back) -> None:
    back.database.answers.update(columns(Schema.UNKNOWN))


def another_database(back: Back) -> None:
    back.instances.known["dpg-9"] = PostgresInfo("dpg-9", "other", "available", "16", START)
    back.switches.points[back.backend, "DATABASE_URL"] = "dpg-9"


def released_again(back: Back) -> None:
    git = back.repository
    git.branches["main"] = git.holds("again", git.files[back.merge], git.branches["main"], message="Bring it again")
    again = git.known[git.branches["main"]]
    git.known[again.id] = replace(again, message=f"This reverts commit {again.parents[0]}.")


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (another_commit, r"crm-frontend runs .{7}, not "),
        (nothing_live, "crm-backend does not say which commit it runs"),
        (still_off, "autodeploy of crm-backend is off, not commit as before"),
        (half_a_schema, "column account_type of accounts is missing"),
        (another_database, "DATABASE_URL of crm-backend leads to dpg-9:5432/crm, not to dpg-"),
        (released_again, "still holds the release"),
    ],
)
async def test_whatever_is_not_as_promised_fails_by_name(happens: Callable[[Back], None], words: str) -> None:
    back = await gone_back()
    happens(back)
    with pytest.raises(StepFailed, match=f"not what the rollback promised: .*{words}") as failed:
        await proof(back)
    assert failed.value.production
    assert failed.value.remedy
    with pytest.raises(VerificationFailed, match=words):
        await proving(back).verify(back.context(PROVE), Evidence("by hand"))


async def test_every_difference_is_listed() -> None:
    back = await gone_back()
    for happens in (another_commit, still_off, half_a_schema):
        happens(back)
    with pytest.raises(StepFailed, match=r"\(and 4 more\)") as failed:
        await proof(back)
    assert len(failed.value.lines) == 5


async def test_a_schema_that_the_way_left_alone_is_said_and_left_to_a_person() -> None:
    back = await gone_back(Way.CODE, schema=Schema.NEW)
    back.database.answers.update(columns(Schema.NEW))
    evidence = await proof(back)
    assert evidence.data["schema"] == "new"
    assert "accounts has the migrated schema: the old code needs" in str(evidence.data["by_hand"])


async def test_the_schema_built_back_names_its_rows_and_the_copy() -> None:
    back = await gone_back(Way.SCHEMA, schema=Schema.NEW)
    back.left("back.schema", {"undecided": [{"key": "7"}, {"key": "9"}], "committed_at": "2026-02-04T20:00:00+00:00"})
    by_hand = str((await proof(back)).data["by_hand"])
    assert "Decide 2 rows of accounts" in by_hand
    assert "accounts_before_020 is kept" in by_hand


async def test_after_a_switch_the_new_instance_is_read_and_the_old_one_is_named() -> None:
    back = await gone_back(Way.DATABASE, schema=Schema.NEW)
    another_database(back)
    back.database.answers.update(columns(Schema.NEW))
    back.instances.databases["dpg-9"] = FakeDatabase(columns(Schema.OLD))
    back.left("back.switch", {"postgres_id": "dpg-9", "old_postgres_id": back.home})
    evidence = await proof(back)
    assert evidence.data["databases"] == {"backend": {"place": "dpg-9:5432/crm", "postgres_id": "dpg-9"}}
    assert f"The old instance {back.home} is kept" in str(evidence.data["by_hand"])
    back.switches.points[back.backend, "DATABASE_URL"] = back.home
    with pytest.raises(StepFailed, match="not to dpg-9"):
        await proof(back)


async def test_where_nothing_was_released_the_code_from_before_is_all_that_is_asked() -> None:
    back = Back(Way.NOTHING)
    back.steps.clear()
    back.repository.branches["main"] = back.old
    for service_id in (back.backend, back.frontend):
        release = next(d for d in back.hosting.all[service_id] if d.commit == back.old)
        back.hosting.turn(release, DeployStatus.LIVE)
    evidence = await proof(back)
    assert evidence.data["by_hand"] == []
    assert back.repository.files[back.old] == OLD


async def test_checks_of_the_way_back_are_those_of_the_old_release_in_the_database_in_use() -> None:
    back = await gone_back(Way.DATABASE, schema=Schema.NEW)
    back.left("back.switch", {"postgres_id": "dpg-9", "switched_at": START.isoformat()})
    query = Check("old", "Old", "old", queries=(Query("SELECT 1 AS right", {"right": 1}),))
    steps = tuple(replace(s, params={"checks": ["old"]}) if s.id == "back.checks" else s for s in back.plan.steps)
    back.plan = replace(back.plan, checks=(query,), steps=steps)
    back.instances.databases["dpg-9"] = FakeDatabase({"AS right": [{"right": 1}]})
    action = ChecksRun(FakeWeb(), Databases(back.database, back.instances))
    preview = await action.preview(back.context("back.checks"))
    evidence = await action.perform(back.context("back.checks", preview.before), back.reports)
    assert evidence.data["release"] == "old"


async def test_a_check_of_the_new_release_has_no_place_on_the_way_back() -> None:
    back = await gone_back()
    steps = tuple(replace(s, params={"checks": ["new"]}) if s.id == "back.checks" else s for s in back.plan.steps)
    back.plan = replace(back.plan, checks=(Check("new", "New", "new"),), steps=steps)
    with pytest.raises(StepFailed, match="meant for another release than the old one"):
        await ChecksRun(FakeWeb(), Databases(back.database, back.instances)).preview(back.context("back.checks"))


async def test_errors_on_the_way_say_what_the_way_has_done() -> None:
    back = await gone_back(Way.SCHEMA, schema=Schema.NEW)
    del back.steps["back.deploy.frontend"]
    back.left("back.schema", {"committed_at": "2026-02-04T20:00:00+00:00"})
    said = state_of_production(back.context(PROVE))
    revert = back.repository.branches["main"][:7]
    assert said == (
        f"main holds the revert {revert}; backend runs it; frontend not (or not yet). "
        "Migration 020 was taken back: the schema is the one from before."
    )


def test_every_action_of_the_way_is_there() -> None:
    assert set(code_actions(Back().ports())) == {
        *("rollback.hold_deploys", "rollback.revert", "rollback.push", "rollback.previous_build", "rollback.deploy"),
        *("rollback.restore_deploys", "rollback.prove", "rollback.reapply_branch"),
    }
