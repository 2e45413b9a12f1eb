"""Deploys of the way back: autodeploy held and given back, the revert live and nobody else's."""

from dataclasses import replace

import pytest

from console.actions.rollback.deploy import RollbackDeploy
from console.actions.rollback.hold import HoldDeploys
from console.actions.rollback.journaled import commit_to_run
from console.actions.rollback.settings import RestoreDeploys
from console.domain.hosting import DeployStatus
from console.domain.outcome import Done, Evidence, NotDone, Unknown
from console.domain.standing import Schema, Way
from console.domain.state import Attempt, StepState
from console.errors import HostingError, OutcomeUnknown, StepFailed, Stopped, VerificationFailed
from tests.actions.fakes import Lost
from tests.actions.rolling_back import Back

HOLD, DEPLOY, RESTORE = "back.hold", "back.deploy.backend", "back.restore_settings"
BEFORE = {"backend": "commit", "frontend": "checksPass"}


async def held(back: Back, step: str = HOLD) -> Evidence:
    """Autodeploy is held, and that is on record."""
    action = HoldDeploys(back.hosting)
    before = (await action.preview(back.context(step))).before
    evidence = await action.perform(back.context(step, before), back.reports)
    await action.verify(back.context(step, before), evidence)
    back.left(step, evidence.data, before=before)
    return evidence


async def pushed(back: Back) -> str:
    """The revert is on the branch."""
    commit = (await back.repository.revert([back.merge], back.merge)).id
    back.repository.branches["main"] = commit
    back.left("back.revert", {"commit": commit, "base": back.merge, "differs": []})
    back.left("back.push", {"commit": commit, "branch": "main"})
    return commit


async def live(back: Back) -> str:
    """The revert is on the branch and live on both services."""
    commit = await pushed(back)
    for service in back.base.services_in("production"):
        back.clock._seconds += 1
        deploy = back.hosting.add(service.id, commit, trigger="api", message='Revert "Merge staging"')
        back.left(f"back.deploy.{service.key}", {"service": service.key, "deploy": deploy.id, "commit": commit})
    return commit


async def test_autodeploy_is_switched_off_and_how_it_was_is_on_record_first() -> None:
    back = Back()
    back.hosting.setting(back.frontend, "checksPass")
    preview = await HoldDeploys(back.hosting).preview(back.context(HOLD))
    assert preview.before == {"settings": BEFORE}
    evidence = await held(back)
    assert evidence.data == {"settings": BEFORE}
    assert back.hosting.asked == [(back.backend, "off"), (back.frontend, "off")]
    assert back.reports.durable == ({"held": "backend"}, {"held": "frontend"})
    staging = back.base.service("staging-backend").id
    assert back.hosting.services[staging].auto_deploy == "commit"


async def test_what_is_off_already_is_left_alone_and_stays_off_afterwards() -> None:
    back = Back()
    back.hosting.setting(back.frontend, "off")
    evidence = await held(back)
    assert evidence.data == {"settings": {"backend": "commit", "frontend": "off"}}
    assert back.hosting.asked == [(back.backend, "off")]


async def test_an_attempt_that_died_half_way_does_not_hide_how_it_was() -> None:
    back = Back()
    back.hosting.setting(back.backend, "off")
    attempt = Attempt({"settings": {"backend": "commit", "frontend": "commit"}}, ({"held": "backend"},))
    back.steps[HOLD] = StepState(back.plan.step(HOLD), attempt=1, unfinished=attempt)
    preview = await HoldDeploys(back.hosting).preview(back.context(HOLD))
    assert preview.before == {"settings": {"backend": "commit", "frontend": "commit"}}
    assert isinstance(await HoldDeploys(back.hosting).probe(back.context(HOLD, preview.before)), NotDone)
    back.hosting.setting(back.frontend, "off")
    found = await HoldDeploys(back.hosting).probe(back.context(HOLD, preview.before))
    assert isinstance(found, Done)
    assert found.evidence.data == preview.before


async def test_a_second_way_knows_how_it_was_before_the_first() -> None:
    back = Back()
    await held(back)
    back.choose(Way.CODE)
    evidence = await held(back, "back2.hold")
    assert evidence.data == {"settings": {"backend": "commit", "frontend": "commit"}}
    assert len(back.hosting.asked) == 2


async def test_what_a_finished_way_gave_back_is_history() -> None:
    back = Back()
    await held(back)
    back.left(RESTORE, {"settings": {}})
    back.choose(Way.CODE)
    evidence = await held(back, "back2.hold")
    assert evidence.data == {"settings": {"backend": "off", "frontend": "off"}}


async def test_a_setting_whose_answer_was_lost_is_looked_at() -> None:
    back = Back()
    back.hosting.lost_settings = [Lost(done=True)]
    await held(back)
    again = Back()
    again.hosting.lost_settings = [Lost(done=False)]
    with pytest.raises(HostingError, match="answer was lost") as failed:
        await held(again)
    assert failed.value.remedy


async def test_autodeploy_that_somebody_switched_on_again_is_seen() -> None:
    back = Back()
    evidence = await held(back)
    back.hosting.setting(back.frontend, "commit")
    with pytest.raises(VerificationFailed, match=r"crm-frontend \(commit\)"):
        await HoldDeploys(back.hosting).verify(back.context(HOLD), evidence)


def deploying(back: Back) -> RollbackDeploy:
    return RollbackDeploy(back.hosting, back.repository)


async def test_the_revert_is_deployed_by_commit_and_followed_to_live() -> None:
    back = Back()
    commit = await pushed(back)
    preview = await deploying(back).preview(back.context(DEPLOY))
    assert isinstance(await deploying(back).probe(back.context(DEPLOY, preview.before)), NotDone)
    back.turn(back.backend, DeployStatus.BUILD, after=20)
    back.turn(back.backend, DeployStatus.LIVE, after=90)
    evidence = await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert back.hosting.started == [(back.backend, commit)]
    assert (evidence.data["service"], evidence.data["commit"], evidence.data["status"]) == ("backend", commit, "live")
    assert evidence.data["live_at"]
    await deploying(back).verify(back.context(DEPLOY, preview.before), evidence)
    assert isinstance(await deploying(back).probe(back.context(DEPLOY, preview.before)), Done)


@pytest.mark.parametrize("status", [DeployStatus.BUILD_FAILED, DeployStatus.CANCELED])
async def test_a_deploy_that_fails_says_what_runs_and_a_retry_starts_a_new_one(status: DeployStatus) -> None:
    back = Back()
    commit = await pushed(back)
    preview = await deploying(back).preview(back.context(DEPLOY))
    back.turn(back.backend, status, after=20)
    with pytest.raises(StepFailed) as failed:
        await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert f"crm-backend runs {back.merge[:7]} Merge staging, not the revert." in failed.value.production
    assert "Retry starts a new deploy" in failed.value.remedy
    again = await deploying(back).preview(back.context(DEPLOY))
    back.turn(back.backend, DeployStatus.LIVE, after=200)
    await deploying(back).perform(back.context(DEPLOY, again.before), back.reports)
    assert back.hosting.started == [(back.backend, commit)] * 2


async def test_a_deploy_that_a_dead_attempt_began_is_followed_and_not_begun_again() -> None:
    back = Back()
    commit = await pushed(back)
    back.hosting.add(back.backend, commit, DeployStatus.BUILD, "api")
    preview = await deploying(back).preview(back.context(DEPLOY))
    assert preview.summary.startswith("Follow the deploy of")
    back.turn(back.backend, DeployStatus.LIVE, after=30)
    await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert back.hosting.started == []


async def test_the_commit_that_is_live_is_deployed_again_while_another_is_on_its_way() -> None:
    back = Back()
    commit = await pushed(back)
    back.hosting.add(back.backend, commit)
    back.hosting.add(back.backend, back.merge, DeployStatus.BUILD)
    preview = await deploying(back).preview(back.context(DEPLOY))
    assert preview.summary.startswith("Deploy ")
    back.turn(back.backend, DeployStatus.LIVE, after=30)
    await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert back.hosting.started == [(back.backend, commit)]


async def test_a_lost_answer_does_not_deploy_twice() -> None:
    back = Back()
    await pushed(back)
    back.hosting.trouble = [Lost(done=True)]
    preview = await deploying(back).preview(back.context(DEPLOY))
    back.turn(back.backend, DeployStatus.LIVE, after=30)
    await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert len(back.hosting.started) == 1


async def test_somebody_elses_deploy_is_named_as_the_reason() -> None:
    back = Back()
    await pushed(back)
    preview = await deploying(back).preview(back.context(DEPLOY))

    def foreign() -> None:
        back.turn(back.backend, DeployStatus.CANCELED)
        back.hosting.add(back.backend, back.merge, DeployStatus.LIVE, "api", "Hotfix")

    back.clock.after(20, foreign)
    with pytest.raises(StepFailed, match=r"cancelled by somebody else's deploy .*Hotfix, trigger api"):
        await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)


async def test_a_descendant_of_the_revert_is_for_a_person_to_decide() -> None:
    back = Back()
    commit = await pushed(back)
    preview = await deploying(back).preview(back.context(DEPLOY))
    later = back.repository.holds("later", back.repository.files[commit], commit)
    back.clock.after(20, lambda: back.hosting.add(back.backend, later) and None)
    with pytest.raises(OutcomeUnknown, match="contains the revert"):
        await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert isinstance(await deploying(back).probe(back.context(DEPLOY, preview.before)), Unknown)


async def test_after_a_switch_of_the_database_only_a_later_deploy_counts() -> None:
    back = Back(Way.DATABASE, schema=Schema.NEW)
    commit = await pushed(back)
    deploy = back.hosting.add(back.backend, commit)
    back.clock._seconds += 60
    back.left("back.switch", {"postgres_id": "dpg-9", "switched_at": back.clock.now().isoformat()})
    with pytest.raises(VerificationFailed, match="from before the database was switched"):
        await deploying(back).verify(back.context(DEPLOY), Evidence("by hand"))
    preview = await deploying(back).preview(back.context(DEPLOY))
    assert deploy.id in str(preview.before["deploys"])
    back.turn(back.backend, DeployStatus.LIVE, after=100)
    await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)
    assert back.hosting.started == [(back.backend, commit)]


async def test_a_branch_that_still_holds_the_release_is_not_deployed_as_the_way_back() -> None:
    back = Back()
    with pytest.raises(StepFailed, match="still holds the release"):
        await deploying(back).preview(back.context(DEPLOY))


async def test_what_an_earlier_way_pushed_is_not_deployed_when_the_branch_has_gone_on() -> None:
    back = Back(Way.FIX_ONLY)
    git = back.repository
    partly = (await git.revert([back.fix], back.merge)).id
    back.left("back.push", {"commit": partly, "branch": "main"})
    whole = (await git.revert(back.parts[1:], partly)).id
    git.branches["main"] = whole
    back.standing = replace(back.standing, pushed=False)
    back.choose(Way.CODE)
    assert await commit_to_run(back.context("back2.prove"), git) == whole
    git.branches["main"] = partly
    with pytest.raises(StepFailed, match="still holds the release"):
        await commit_to_run(back.context("back2.prove"), git)


async def test_following_can_be_stopped() -> None:
    back = Back()
    await pushed(back)
    preview = await deploying(back).preview(back.context(DEPLOY))
    back.clock.after(20, lambda: setattr(back, "stop", True))
    with pytest.raises(Stopped, match="goes on at the provider"):
        await deploying(back).perform(back.context(DEPLOY, preview.before), back.reports)


def restoring(back: Back) -> RestoreDeploys:
    return RestoreDeploys(back.hosting, back.repository)


async def restored(back: Back) -> Evidence:
    before = (await restoring(back).preview(back.context(RESTORE))).before
    return await restoring(back).perform(back.context(RESTORE, before), back.reports)


async def test_settings_come_back_as_journaled_and_it_is_watched_that_nothing_follows() -> None:
    back = Back()
    back.hosting.setting(back.frontend, "checksPass")
    await held(back)
    await live(back)
    began = back.clock.monotonic()
    evidence = await restored(back)
    assert {key: back.hosting.services[back.base.service(key).id].auto_deploy for key in BEFORE} == BEFORE
    assert evidence.data["settings"] == BEFORE
    assert back.clock.monotonic() - began >= 30
    await restoring(back).verify(back.context(RESTORE), evidence)
    assert isinstance(await restoring(back).probe(back.context(RESTORE, evidence.data)), NotDone)


async def test_the_watch_lasts_two_seconds_at_any_pace() -> None:
    back = Back(pace=600)
    await held(back)
    await live(back)
    began = back.clock.monotonic()
    await restored(back)
    assert 2 <= back.clock.monotonic() - began < 5


async def test_settings_of_an_earlier_way_come_back_too() -> None:
    back = Back()
    back.hosting.setting(back.frontend, "checksPass")
    await held(back)
    back.standing = replace(back.standing, pushed=False)
    back.choose(Way.NOTHING)
    await live(back)
    before = (await restoring(back).preview(back.context("back2.restore_settings"))).before
    await restoring(back).perform(back.context("back2.restore_settings", before), back.reports)
    assert back.hosting.services[back.frontend].auto_deploy == "checksPass"


@pytest.mark.parametrize("status", [DeployStatus.BUILD, DeployStatus.LIVE])
async def test_a_foreign_deploy_after_the_settings_came_back_is_named(status: DeployStatus) -> None:
    back = Back()
    await held(back)
    await live(back)
    back.clock.after(15, lambda: back.hosting.add(back.backend, back.merge, status, "new_commit", "Merge") and None)
    with pytest.raises(
        StepFailed, match=r"crm-backend: a deploy that is not ours .*Merge, trigger new_commit"
    ) as failed:
        await restored(back)
    assert "crm-backend runs" in failed.value.production
    assert "Reopening the deploy" in failed.value.remedy
    # A second attempt, also after a crash, does not take it for one that was there before.
    with pytest.raises(StepFailed, match="a deploy that is not ours"):
        await restored(back)


async def test_a_second_deploy_of_the_same_commit_is_remarked_and_waited_for() -> None:
    back = Back()
    commit = await live(back)
    back.clock.after(10, lambda: back.hosting.add(back.backend, commit, DeployStatus.BUILD, "new_commit") and None)
    back.turn(back.backend, DeployStatus.LIVE, after=60)
    evidence = await restored(back)
    assert [section.title for section in evidence.sections] == ["Autodeploy", "Deployed since"]
    assert back.clock.monotonic() >= 60


async def test_a_service_that_runs_something_else_by_then_fails() -> None:
    back = Back()
    await live(back)
    release = next(d for d in back.hosting.all[back.backend] if d.commit == back.merge)
    back.clock.after(10, lambda: back.hosting.turn(release, DeployStatus.LIVE) and None)
    with pytest.raises(StepFailed, match=r"does not run .* any more"):
        await restored(back)


async def test_settings_by_hand_are_held_against_the_record() -> None:
    back = Back()
    await held(back)
    with pytest.raises(VerificationFailed, match=r"crm-backend \(off, commit before\)"):
        await restoring(back).verify(back.context(RESTORE), Evidence("by hand"))
