"""The push: nothing leaves before every guard holds, nothing is pushed twice, and who moved the branch is named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.actions.push import SourcePush
from console.actions.triggers import Outlook, concerning, outlook
from console.domain.hosting import DeployStatus, ServiceInfo
from console.domain.outcome import Done, Evidence, NotDone
from console.errors import DatabaseError, RepositoryError, StepFailed, VerificationFailed
from console.ports import Context
from tests.actions.fakes import IDENTITY, Lost, the_plan
from tests.actions.releasing import MIGRATION, OWNED, Release

STEP = "code.push"


def action_of(release: Release) -> SourcePush:
    return SourcePush(release.repository, release.hosting, release.database)


async def started(release: Release) -> Context:
    preview = await action_of(release).preview(release.run.context(STEP))
    return release.run.context(STEP, preview.before)


def service(**changes: object) -> Callable[[Release], None]:
    def arrange(release: Release) -> None:
        info = release.hosting.services[release.backend]
        release.hosting.services[release.backend] = replace(info, **changes)  # type: ignore[arg-type]

    return arrange


def database(key: str, *rows: dict[str, object]) -> Callable[[Release], None]:
    return lambda release: release.database.answers.__setitem__(key, list(rows))


def tree(files: dict[str, bytes]) -> Callable[[Release], None]:
    return lambda release: release.repository.trees.__setitem__("", files)


def unreachable(release: Release) -> None:
    async def identity() -> None:
        raise DatabaseError("connection refused")

    release.database.identity = identity  # type: ignore[assignment, method-assign]


def identity(**changes: object) -> Callable[[Release], None]:
    return lambda release: setattr(release.database, "who", replace(IDENTITY, **changes))  # type: ignore[arg-type]


FILE = the_plan().migration.file


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (service(branch="release"), "crm-backend tracks release, not main"),
        (service(auto_deploy="off"), "autodeploy of crm-backend is off"),
        (service(auto_deploy="checksPass"), "only after checks passed"),
        (service(suspended=True), "crm-backend is suspended"),
        (unreachable, "cannot be asked: connection refused"),
        (identity(tls=""), "not protected, and the plan asks for verify-full"),
        (identity(in_recovery=True), "in recovery"),
        (database("AS creates", {"name": '"schema_migrations"', **OWNED}), "there is no table accounts"),
        (
            database(
                "AS creates",
                {"name": '"schema_migrations"', **OWNED},
                {"name": '"accounts"', **OWNED, "owns": False},
            ),
            "does not own",
        ),
        (
            database(
                "AS creates",
                {"name": '"schema_migrations"', **OWNED},
                {"name": '"accounts"', **OWNED, "creates": False},
            ),
            "may not create tables",
        ),
        (database("AS creates", {"name": '"accounts"', **OWNED}), "there is no table schema_migrations"),
        (database('WHERE "version" =', {"version": 20}), "migration 020 is already in schema_migrations"),
        (database("obj_description", {"comment": None}), "already exists and the console did not make it"),
        (tree({}), "database/migrations/020_consolidate_account_status.sql is not in"),
        (tree({FILE: b"ALTER TABEL accounts"}), "cannot parse"),
        (tree({FILE: MIGRATION, "database/migrations/020_other.sql": b""}), "020_other.sql bears the same number"),
    ],
)
async def test_a_broken_guard_stops_the_push_while_production_is_untouched(
    arrange: Callable[[Release], None], message: str
) -> None:
    release = Release()
    release.merged()
    arrange(release)
    with pytest.raises(StepFailed, match=message) as failed:
        await action_of(release).preview(release.run.context(STEP))
    assert failed.value.production.startswith("Production is untouched")
    assert failed.value.remedy
    assert release.repository.pushes == []


async def test_all_broken_guards_are_told_at_once() -> None:
    release = Release()
    release.merged()
    service(branch="release")(release)
    identity(in_recovery=True)(release)
    with pytest.raises(StepFailed, match="And 1 more") as failed:
        await action_of(release).preview(release.run.context(STEP))
    assert len(failed.value.lines) == 2


async def test_the_preview_says_what_the_push_does_and_is_digested_alike() -> None:
    release = Release()
    release.merged()
    preview = await action_of(release).preview(release.run.context(STEP))
    assert [section.title for section in preview.sections] == [
        "Services",
        "Commits",
        "Files",
        "What must hold for what follows",
    ]
    assert preview.sections[0].lines[0].text.endswith("the push builds it")
    await release.run.clock.sleep(60)
    release.database.sessions = ()
    assert (await action_of(release).preview(release.run.context(STEP))).digest == preview.digest
    release.repository.changed = (*release.repository.changed, "README.md")
    assert (await action_of(release).preview(release.run.context(STEP))).digest != preview.digest


async def test_the_push_leaves_what_later_steps_need() -> None:
    release = Release()
    commit = release.merged()
    context = await started(release)
    evidence = await action_of(release).perform(context, release.reports)
    assert release.repository.pushes == [commit]
    assert evidence.data["commit"] == commit
    assert evidence.data["old_tip"] == release.old
    assert evidence.data["services"] == {"backend": "build", "frontend": "build"}
    assert evidence.data["deploys_before"] == {
        "backend": [release.hosting.all[release.backend][0].id],
        "frontend": [release.hosting.all[release.frontend][0].id],
    }
    await action_of(release).verify(context, evidence)
    assert isinstance(await action_of(release).probe(context), Done)


async def test_a_colleagues_push_in_between_is_named() -> None:
    release = Release()
    release.merged()
    context = await started(release)

    def overtake() -> None:
        tip = release.repository.commit("Say where to ask", release.old, author="Tom Okafor")
        release.repository.branches["main"] = tip

    release.repository.before_push = overtake
    with pytest.raises(StepFailed, match="main moved since the merge") as failed:
        await action_of(release).perform(context, release.reports)
    assert "Tom Okafor" in failed.value.lines[0]
    assert "Nothing of this release was pushed" in failed.value.production
    assert "reopen the merge" in failed.value.remedy
    with pytest.raises(StepFailed, match="main moved since the merge"):
        await action_of(release).preview(release.run.context(STEP))


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_push_whose_answer_was_lost_is_looked_for(arrived: bool) -> None:
    release = Release()
    commit = release.merged()
    context = await started(release)
    if arrived:
        release.repository.lose_push = RepositoryError("the connection broke off")
        evidence = await action_of(release).perform(context, release.reports)
        assert evidence.data["commit"] == commit
        return

    def refuse() -> None:
        raise RepositoryError("no route to host")

    release.repository.before_push = refuse
    with pytest.raises(RepositoryError, match="no route"):
        await action_of(release).perform(context, release.reports)
    assert isinstance(await action_of(release).probe(context), NotDone)


def only_backend(release: Release) -> None:
    """The frontend has a root directory that the release does not touch."""
    info = release.hosting.services[release.frontend]
    release.hosting.services[release.frontend] = replace(info, root_dir="frontend")


@pytest.mark.parametrize("fates", [[], [Lost(done=True)], [Lost(500)]])
async def test_a_service_that_the_push_does_not_build_is_deployed_once_by_commit(fates: list[Lost]) -> None:
    release = Release()
    commit = release.merged()
    only_backend(release)
    release.hosting.trouble = fates
    context = await started(release)
    evidence = await action_of(release).perform(context, release.reports)
    assert evidence.data["services"] == {"backend": "build", "frontend": "deploy"}
    assert release.hosting.started == [(release.frontend, commit)]
    assert isinstance(await action_of(release).probe(context), Done)


async def test_pushed_but_not_deployed_is_not_done_and_the_next_attempt_only_deploys() -> None:
    release = Release()
    commit = release.merged()
    only_backend(release)
    context = await started(release)
    release.repository.branches["main"] = commit
    release.triggered(commit)
    release.hosting.all[release.frontend].pop(0)
    found = await action_of(release).probe(context)
    assert isinstance(found, NotDone)
    assert "frontend" in found.why
    evidence = await action_of(release).perform(await started(release), release.reports)
    assert release.repository.pushes == []
    assert release.hosting.started == [(release.frontend, commit)]
    assert evidence.data["commit"] == commit


async def test_reopened_after_a_failed_build_the_push_deploys_the_commit_by_name() -> None:
    release = Release()
    commit = release.merged()
    release.repository.branches["main"] = commit
    release.triggered(commit)
    release.hosting.turn(release.hosting.all[release.backend][0], DeployStatus.BUILD_FAILED)
    release.hosting.turn(release.hosting.all[release.frontend][0], DeployStatus.LIVE)
    context = await started(release)
    evidence = await action_of(release).perform(context, release.reports)
    assert release.hosting.started == [(release.backend, commit)]
    assert evidence.data["services"] == {"backend": "deploy", "frontend": "build"}


async def test_verify_looks_at_the_remote() -> None:
    release = Release()
    commit = release.merged()
    with pytest.raises(VerificationFailed, match="does not contain"):
        await action_of(release).verify(release.run.context(STEP), Evidence("by hand", {"commit": commit}))


INFO = ServiceInfo("srv-1", "web", "main", "commit", False, "")


@pytest.mark.parametrize(
    ("settings", "files", "triggering"),
    [
        ({}, ["a.js"], ["a.js"]),
        ({"root_dir": "api"}, ["web/a.js", "api/b.js"], ["api/b.js"]),
        ({"root_dir": "./api/"}, ["apis/b.js"], []),
        ({"build_paths": ("src/**",)}, ["src/x/y.js", "doc.md"], ["src/x/y.js"]),
        ({"build_paths": ("*.js",)}, ["a.js", "src/b.js"], ["a.js"]),
        ({"build_paths": ("**/*.js",)}, ["a.js", "src/b.js"], ["a.js", "src/b.js"]),
        ({"ignored_paths": ("docs/**", "*.md")}, ["docs/a.js", "README.md", "b.js"], ["b.js"]),
        ({"build_paths": ("src/**",), "ignored_paths": ("src/**/*.test.js",)}, ["src/a.test.js"], []),
        ({"build_paths": ("file?.[jt]s",)}, ["file1.js", "file2.ts", "file3.cs"], ["file1.js", "file2.ts"]),
    ],
)
def test_what_triggers_a_build(settings: dict[str, object], files: list[str], triggering: list[str]) -> None:
    assert concerning(replace(INFO, **settings), files) == triggering  # type: ignore[arg-type]


@pytest.mark.parametrize(("unbuilt", "expected"), [("deploy", Outlook.DEPLOY), ("unchanged", Outlook.UNCHANGED)])
def test_the_plan_says_what_becomes_of_an_unbuilt_service(unbuilt: str, expected: Outlook) -> None:
    service = replace(the_plan().service("frontend"), unbuilt=unbuilt)
    assert outlook(service, replace(INFO, root_dir="frontend"), ["services/a.js"])[0] is expected
