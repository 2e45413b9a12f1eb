"""What the preflight says of a healthy world, and of each thing that can be wrong with it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from console.domain.findings import Severity, go
from console.domain.hosting import DeployStatus, Export, RecoveryWindow
from console.domain.plan import Channel
from console.errors import DatabaseError, HostingError, RepositoryError
from console.preflight import run
from tests.preflight.world import (
    BLOCKER,
    FIX,
    MAIN,
    NOTE,
    NOW,
    STAGING,
    WARNING,
    World,
    commit,
    deploy,
    file_in_release,
    findings,
)

BACKEND = "srv-d0examplebackend0000"
STAGING_BACKEND = "srv-d0examplestagingbe00"


async def test_a_healthy_world_is_a_go(world: World) -> None:
    """What remains are the things that a person should know about this very release."""
    found = await findings(world)
    assert go(found.values())
    assert {code: finding.severity for code, finding in found.items()} == {
        "migration.otherwise": WARNING,
        "migration.claim.0": WARNING,
        "migration.claim.1": WARNING,
        "window.code_first": WARNING,
        "people.channels": WARNING,
        "backup.recovery": NOTE,
        "migration.lock": NOTE,
        "people.signatures": NOTE,
        "people.driver": NOTE,
    }
    assert list(found.values()) == sorted(found.values(), key=lambda finding: list(Severity).index(finding.severity))


async def test_the_window_is_stated_with_its_length_and_what_fails_in_it(world: World) -> None:
    window = (await findings(world))["window.code_first"]
    assert window.message == "New code is live before account_status exists: what reads it fails for 1-5 min."
    assert "services/queryBuilderService.js" in window.evidence
    assert "builds took backend 4 min" in window.evidence
    assert "Confirm the migration while the services build" in window.remedy


async def test_a_window_longer_than_the_alarm_allows_is_told(world: World) -> None:
    world.plan = replace(world.plan, thresholds=replace(world.plan.thresholds, schema_gap=120.0))
    assert (await findings(world))["window.too_long"].severity is WARNING


async def test_schema_before_code_is_told_by_the_old_code(world: World) -> None:
    steps = tuple(
        replace(step, after=("backup.record",)) if step.id in ("db.connect",) else step for step in world.plan.steps
    )
    steps = tuple(replace(step, after=("db.connect",)) if step.id == "db.migrate" else step for step in steps)
    world.plan = replace(world.plan, steps=steps)
    found = await findings(world)
    assert "old code names license_status, account_type, is_trial" in found["window.schema_first"].message
    assert "services/reportingService.js" in found["window.schema_first"].evidence


async def test_promises_that_the_sql_does_not_keep_are_counted(world: World) -> None:
    claim = (await findings(world))["migration.claim.0"]
    assert claim.message == "Promised, and not done by the SQL: Trial accounts (account_type) become on_hold."
    kept = "CASE WHEN deleted_at IS NOT NULL THEN false ELSE coalesce(license_status = 'pending', false) END"
    broken = await world.database.value(f"SELECT count(*) FROM accounts WHERE account_type = 'trial' AND NOT {kept}")
    assert claim.evidence.startswith(f"{broken} rows become ")
    assert claim.evidence.endswith("instead of on_hold")
    assert "active" in claim.evidence


def change_service(service: str, **changes: object) -> Callable[[World], None]:
    return lambda world: world.hosting.change(service, **changes)


def deploys(service: str, *statuses: DeployStatus, commit_id: str = MAIN) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.hosting.latest[service] = tuple(
            deploy(service, status, commit_id, minutes) for minutes, status in enumerate(statuses, 5)
        )

    return change


def breaks(service: str, status: int | None) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.hosting.broken[service] = HostingError("The provider answered with an error.", status=status)

    return change


@pytest.mark.parametrize(
    ("change", "code", "severity", "words"),
    [
        (
            change_service(BACKEND, branch="production"),
            "services.branch.backend",
            BLOCKER,
            "tracks production, not main",
        ),
        (change_service(BACKEND, branch=""), "services.branch.backend", BLOCKER, "tracks no branch"),
        (change_service(STAGING_BACKEND, branch="main"), "services.branch.staging-backend", WARNING, "not staging"),
        (change_service(BACKEND, suspended=True), "services.suspended.backend", BLOCKER, "deploys nothing"),
        (change_service(BACKEND, auto_deploy="off"), "services.autodeploy.backend", BLOCKER, "would deploy nothing"),
        (change_service(BACKEND, auto_deploy="checksPass"), "services.autodeploy.backend", BLOCKER, "it never does"),
        (change_service(BACKEND, maintenance=True), "services.maintenance.backend", WARNING, "maintenance"),
        (change_service(BACKEND, name="other"), "services.name.backend", WARNING, "is called other"),
        (
            change_service(BACKEND, repository="https://github.com/example/fork"),
            "services.repository.backend",
            BLOCKER,
            "another repository",
        ),
        (deploys(BACKEND, DeployStatus.BUILD, DeployStatus.LIVE), "services.deploying.backend", BLOCKER, "under way"),
        (deploys(STAGING_BACKEND, DeployStatus.QUEUED), "services.deploying.staging-backend", NOTE, "under way"),
        (
            deploys(BACKEND, DeployStatus.BUILD_FAILED, DeployStatus.LIVE),
            "services.last_deploy.backend",
            WARNING,
            "did not succeed",
        ),
        (
            deploys(BACKEND, DeployStatus.LIVE, commit_id=STAGING),
            "services.behind.backend",
            WARNING,
            "runs another commit than main holds",
        ),
        (breaks(BACKEND, 404), "services.missing.backend", BLOCKER, "does not exist"),
        (breaks(BACKEND, 500), "services.not_seen.backend", BLOCKER, "could not be looked at"),
        (breaks(STAGING_BACKEND, None), "services.not_seen.staging-backend", WARNING, "could not be looked at"),
    ],
)
async def test_services(
    world: World, change: Callable[[World], None], code: str, severity: Severity, words: str
) -> None:
    change(world)
    finding = (await findings(world))[code]
    assert finding.severity is severity
    assert words in finding.message


@pytest.mark.parametrize(
    ("at_provider", "in_plan", "same"),
    [
        ("https://github.com/Example/crm", "git@github.com:example/crm.git", True),
        ("https://github.com/example/crm/", "ssh://git@github.com/example/crm.git", True),
        ("https://github.com/example/crm", "ssh://git@github.com:22/example/crm", True),
        ("https://me@github.com:443/example/crm.git", "https://github.com/example/crm", True),
        ("file:///tmp/remote.git", "file:///tmp/remote.git", True),
        ("file:///tmp/remote.git", "/tmp/remote.git", True),
        ("file:///tmp/remote.git", "file:///tmp/other.git", False),
        ("https://github.com/example/crm", "git@gitlab.com:example/crm.git", False),
        ("https://github.com/example/crm", "git@github.com:example/crm-fork.git", False),
        ("https://git.test:8443/example/crm", "https://git.test/example/crm", False),
    ],
)
async def test_one_repository_has_many_addresses(world: World, at_provider: str, in_plan: str, same: bool) -> None:
    world.plan = replace(world.plan, release=replace(world.plan.release, repository=in_plan))
    for service in world.plan.services:
        world.hosting.change(service.id, repository=at_provider)
    found = [code for code in await findings(world) if code.startswith("services.repository")]
    assert len(found) == (0 if same else len(world.plan.services))


def missing_branch(name: str) -> Callable[[World], None]:
    return lambda world: world.repository.branches.__delitem__(name)


def merge_with(**changes: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.repository.merged = replace(world.repository.merged, **changes)  # type: ignore[arg-type]

    return change


def merged_already(world: World) -> None:
    world.repository.contains.add((STAGING, MAIN))


def without_the_fix(world: World) -> None:
    world.repository.contains.discard((FIX, STAGING))


def another_fix(world: World) -> None:
    world.plan = replace(world.plan, release=replace(world.plan.release, fix_commit="1234567"))


def one_file_fewer(world: World) -> None:
    world.repository.merged = replace(world.repository.merged, files=world.repository.merged.files[1:])


@pytest.mark.parametrize(
    ("change", "code", "severity", "words"),
    [
        (missing_branch("devtest"), "repository.branch.devtest", WARNING, "could not be found"),
        (merge_with(conflicts=("services/a.js",)), "repository.conflict", BLOCKER, "do not merge"),
        (merge_with(ahead=(commit("c" * 40),)), "repository.diverged", WARNING, "main has 1 commit that staging"),
        (one_file_fewer, "repository.unchanged", BLOCKER, "leaves files as they are"),
        (merge_with(files=()), "repository.unchanged", BLOCKER, "leaves files as they are"),
        (merged_already, "repository.nothing_new", BLOCKER, "nothing to merge"),
        (without_the_fix, "repository.fix", BLOCKER, "is not in staging"),
        (another_fix, "repository.fix", BLOCKER, "is not in the repository"),
        (
            file_in_release("database/migrations/020_other.sql", b"SELECT 1;"),
            "repository.migration_number.20",
            BLOCKER,
            "2 migration files bear the number 20",
        ),
        (
            file_in_release("database/migrations/7_other.sql", b"SELECT 1;"),
            "repository.migration_number.7",
            WARNING,
            "2 migration files bear the number 7",
        ),
    ],
)
async def test_repository(
    world: World, change: Callable[[World], None], code: str, severity: Severity, words: str
) -> None:
    change(world)
    finding = (await findings(world))[code]
    assert finding.severity is severity
    assert words in finding.message


async def test_files_that_nobody_declared_are_named(world: World) -> None:
    world.plan = replace(world.plan, release=replace(world.plan.release, files=world.plan.release.files[1:]))
    finding = (await findings(world))["repository.undeclared"]
    assert finding.severity is BLOCKER
    assert finding.evidence == "services/queryBuilderService.js"


async def test_a_repository_that_does_not_answer_is_a_no_go_for_all_that_need_it(world: World) -> None:
    world.repository.down = RepositoryError("github.com does not answer.", remedy="Try again.")
    found = await findings(world)
    for family in ("repository", "services", "migration", "window"):
        assert found[f"{family}.not_seen"].severity is BLOCKER
        assert found[f"{family}.not_seen"].evidence == "github.com does not answer."
    assert "backup.recovery" in found


async def test_backup(world: World) -> None:
    world.backups.instance = replace(world.backups.instance, status="unavailable")
    world.backups.kept = (Export("exp-2", NOW - timedelta(minutes=3)), *world.backups.kept)
    world.backups.window = RecoveryWindow("BACKUP_NOT_READY", None)
    found = await findings(world)
    assert found["backup.instance"].severity is BLOCKER
    assert found["backup.export_running"].severity is WARNING
    assert "exp-2" in found["backup.export_running"].evidence
    assert found["backup.recovery"].severity is WARNING
    assert not any("signed.example.com" in f"{finding}" for finding in found.values())


async def test_a_database_that_does_not_answer_is_a_no_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> object:
        raise DatabaseError("connection refused", remedy="Is it up?")

    monkeypatch.setattr(world.database, "fetch", refuse)
    monkeypatch.setattr(world.database, "identity", refuse)
    found = await findings(world)
    assert found["database.not_seen"].evidence == found["migration.not_seen"].evidence == "connection refused"
    assert found["database.not_seen"].remedy == "Is it up?"
    assert not go(found.values())


async def test_a_family_that_hangs_does_not_hold_up_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: str) -> object:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.backups, "postgres", hang)
    found = {finding.code: finding for finding in await run(world.plan, world, seconds=0.5)}
    assert found["backup.not_seen"].evidence == "no answer within 0 s"
    assert "people.signatures" in found


async def test_a_migration_that_hangs_on_no_backup_is_told(world: World) -> None:
    steps = tuple(replace(step, guards=()) if step.id == "db.migrate" else step for step in world.plan.steps)
    world.plan = replace(world.plan, steps=steps)
    assert (await findings(world))["backup.no_guard.db.migrate"].severity is WARNING


async def test_people(world: World) -> None:
    world.plan = replace(
        world.plan,
        signoffs=tuple(replace(signoff, required=False) for signoff in world.plan.signoffs),
        channels=(Channel("team", "env:TEAM"),),
    )
    found = await findings(world)
    assert found["people.signatures"].severity is WARNING
    assert "people.channels" not in found


async def test_four_eyes_say_who_could_not_sign(world: World) -> None:
    assert not [code for code in await findings(world) if code.startswith(("people.four", "people.by"))]
    world.plan = replace(world.plan, four_eyes=True)
    assert (await findings(world))["people.by_voice"].severity is WARNING
    logins = dict(zip(("owner", "devops", "qa", "product"), ("petra", "sam", "Ines.Cho", ""), strict=True))
    signoffs = tuple(replace(each, login=logins[each.role]) for each in world.plan.signoffs)
    plan = replace(world.plan, signoffs=signoffs)
    found = {each.code: each for each in await run(plan, world, drivers=("sam@desk", "Ines Cho"))}
    assert found["people.four_eyes.devops"].message.startswith("DevOps/Render Admin signs as sam, who drives")
    assert found["people.four_eyes.qa"].severity is BLOCKER
    assert "people.four_eyes.owner" not in found
    practised = replace(plan, environment="rehearsal")
    again = {each.code: each for each in await run(practised, world, drivers=("sam@desk",))}
    assert again["people.four_eyes.devops"].severity is WARNING
    assert found["people.by_voice"].message.endswith("these say: Product Lead.")


async def test_nothing_was_changed(own_world: World) -> None:
    """The fakes raise on every writing call; of the database every row is the very one that it was."""
    state = "SELECT md5(string_agg(a.xmin::text || a::text, ',' ORDER BY id)) FROM accounts AS a"
    before = await own_world.database.value(state)
    await findings(own_world)
    assert await own_world.database.value(state) == before
