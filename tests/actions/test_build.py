"""Following a deploy: of that commit and no other, and what production runs when it ends otherwise."""

from collections.abc import Callable

import pytest

from console.actions.build import BuildFollow
from console.domain.hosting import DeployStatus
from console.domain.outcome import Done, Evidence, NotDone, Unknown
from console.errors import OutcomeUnknown, StepFailed, Stopped, VerificationFailed
from tests.actions.fakes import FakeTelemetry
from tests.actions.releasing import Release

STEP = "code.backend"


def action_of(release: Release) -> BuildFollow:
    return BuildFollow(release.hosting, release.repository)


def becomes(release: Release, seconds: float, status: DeployStatus) -> None:
    release.run.clock.after(seconds, lambda: _turn(release, status))


def _turn(release: Release, status: DeployStatus) -> None:
    commit = str(release.run.steps["code.push"].evidence.data["commit"])  # type: ignore[union-attr]
    ours = next(deploy for deploy in release.hosting.all[release.backend] if deploy.commit == commit)
    release.hosting.turn(ours, status)


async def test_it_is_followed_to_live_and_each_status_is_on_record() -> None:
    release = Release()
    commit = release.pushed()
    release.run.clock.after(20, lambda: release.triggered(commit))
    becomes(release, 150, DeployStatus.UPDATE)
    becomes(release, 200, DeployStatus.LIVE)
    evidence = await action_of(release).perform(release.run.context(STEP), release.reports)
    assert (evidence.data["commit"], evidence.data["status"]) == (commit, "live")
    assert evidence.data["seconds"] == pytest.approx(180)
    statuses = [data["deploy"]["status"] for data in release.reports.durable]  # type: ignore[index, call-overload]
    assert statuses == ["build_in_progress", "update_in_progress", "live"]
    await action_of(release).verify(release.run.context(STEP), evidence)
    assert isinstance(await action_of(release).probe(release.run.context(STEP)), Done)


async def test_a_build_that_fails_shows_its_last_lines_and_who_meets_the_old_schema_meanwhile() -> None:
    release = Release()
    commit = release.pushed()
    release.triggered(commit)
    release.run.left("code.frontend", {"service": "frontend", "commit": commit})
    telemetry = FakeTelemetry(release.run.clock)
    for number in range(8):
        telemetry.say(release.backend, f"building {number}", kind="build")
    telemetry.say(release.backend, "GET / 200", kind="request")
    telemetry.say(release.backend, "error: \x1b[31mout of memory", kind="build", level="error")
    becomes(release, 30, DeployStatus.BUILD_FAILED)
    action = BuildFollow(release.hosting, release.repository, telemetry)
    with pytest.raises(StepFailed, match="build failed") as failed:
        await action.perform(release.run.context(STEP), release.reports)
    assert len(failed.value.lines) == 5
    assert failed.value.lines[-1].endswith("out of memory")
    assert "\x1b" not in failed.value.lines[-1]
    assert "runs the release on the old schema: what needs account_status fails there." in failed.value.production
    telemetry.fails = 9
    with pytest.raises(StepFailed, match="build failed") as failed:
        await action.perform(release.run.context(STEP), release.reports)
    assert "could not be read" in failed.value.lines[0]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (DeployStatus.BUILD_FAILED, "build failed"),
        (DeployStatus.PRE_DEPLOY_FAILED, "pre-deploy command failed"),
        (DeployStatus.UPDATE_FAILED, "switching over failed"),
        (DeployStatus.CANCELED, "was cancelled."),
    ],
)
async def test_an_end_that_is_not_live_says_what_production_runs(status: DeployStatus, words: str) -> None:
    release = Release()
    commit = release.pushed()
    release.triggered(commit)
    becomes(release, 30, status)
    with pytest.raises(StepFailed, match=words) as failed:
        await action_of(release).perform(release.run.context(STEP), release.reports)
    assert f"crm-backend runs {release.old[:7]}" in failed.value.production
    assert "The database is not migrated." in failed.value.production
    assert "Reopening the push" in failed.value.remedy
    assert isinstance(await action_of(release).probe(release.run.context(STEP)), NotDone)


def foreign_cancels(release: Release) -> None:
    release.hosting.add(release.backend, release.old, DeployStatus.BUILD, "api", "Hotfix")
    _turn(release, DeployStatus.CANCELED)


def foreign_replaces(release: Release) -> None:
    _turn(release, DeployStatus.LIVE)
    release.hosting.add(release.backend, release.old, DeployStatus.LIVE, "rollback", "Hotfix")


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (foreign_cancels, "cancelled by somebody else's deploy .*Hotfix, trigger api"),
        (foreign_replaces, "was live and has been replaced by .*Hotfix, trigger rollback"),
    ],
)
async def test_somebody_elses_deploy_is_named(happens: Callable[[Release], None], words: str) -> None:
    release = Release()
    commit = release.pushed()
    release.triggered(commit)
    release.run.clock.after(30, lambda: happens(release))
    with pytest.raises(StepFailed, match=words):
        await action_of(release).perform(release.run.context(STEP), release.reports)


async def test_a_push_that_deploys_another_commit_is_told_apart() -> None:
    release = Release()
    release.pushed()
    release.hosting.add(release.backend, release.old, DeployStatus.LIVE, "new_commit", "Old code")
    with pytest.raises(StepFailed, match=r"a deploy of another commit: live .*Old code") as failed:
        await action_of(release).perform(release.run.context(STEP), release.reports)
    assert "not the release" in failed.value.production


async def test_a_deploy_that_never_comes_ends_in_bounded_time() -> None:
    release = Release(pace=600)
    release.pushed()
    with pytest.raises(StepFailed, match=r"no deploy of .* has appeared"):
        await action_of(release).perform(release.run.context(STEP), release.reports)
    assert release.run.clock.monotonic() < 15


async def test_a_deploy_that_hangs_ends_in_bounded_time() -> None:
    release = Release(pace=600)
    release.triggered(release.pushed())
    with pytest.raises(StepFailed, match="is not live after 1 min 00 s"):
        await action_of(release).perform(release.run.context(STEP), release.reports)


async def test_superseded_by_a_descendant_is_for_a_person_to_decide() -> None:
    release = Release()
    commit = release.pushed()
    release.triggered(commit)
    later = release.repository.commit("later", commit)
    becomes(release, 20, DeployStatus.LIVE)
    release.run.clock.after(20, lambda: _later(release, later))
    with pytest.raises(OutcomeUnknown, match="contains the release"):
        await action_of(release).perform(release.run.context(STEP), release.reports)
    found = await action_of(release).probe(release.run.context(STEP))
    assert isinstance(found, Unknown)
    with pytest.raises(VerificationFailed, match="does not run"):
        await action_of(release).verify(release.run.context(STEP), Evidence("by hand"))


def _later(release: Release, commit: str) -> None:
    release.hosting.add(release.backend, commit, DeployStatus.LIVE, "new_commit", "A later change")


async def test_a_second_deploy_of_our_commit_is_followed_instead_of_the_cancelled_one() -> None:
    release = Release()
    commit = release.pushed()
    release.triggered(commit)

    def again() -> None:
        _turn(release, DeployStatus.CANCELED)
        release.hosting.add(release.backend, commit, DeployStatus.BUILD, "api")

    release.run.clock.after(10, again)
    becomes(release, 60, DeployStatus.LIVE)
    evidence = await action_of(release).perform(release.run.context(STEP), release.reports)
    assert evidence.data["trigger"] == "api"


async def test_a_service_that_the_release_leaves_alone_keeps_what_it_runs() -> None:
    release = Release()
    release.pushed(backend="unchanged")
    evidence = await action_of(release).perform(release.run.context(STEP), release.reports)
    assert (evidence.data["status"], evidence.data["commit"]) == ("unchanged", release.old)
    await action_of(release).verify(release.run.context(STEP), evidence)


async def test_following_can_be_stopped() -> None:
    release = Release()
    release.triggered(release.pushed())
    release.run.clock.after(30, lambda: setattr(release.run, "stop", True))
    with pytest.raises(Stopped, match="goes on at the provider"):
        await action_of(release).perform(release.run.context(STEP), release.reports)
