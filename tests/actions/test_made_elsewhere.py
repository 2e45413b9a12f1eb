"""A run that another machine took up: the commits that the first one made, and did not push, are not there."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.actions.assessment import ProductionAssessor
from console.actions.merge import SourceMerge
from console.actions.push import SourcePush
from console.actions.rollback.push import RollbackPush
from console.actions.rollback.revert import RollbackRevert
from console.adapters.repository import GitRepository
from console.domain.outcome import Done, NotDone
from console.domain.plan import Json
from console.domain.standing import Code, Runs, Schema, Way
from console.domain.state import StepState, StepStatus
from console.engine.failures import failed
from console.errors import RepositoryError, StepFailed
from console.ports import Action, Context
from tests.actions.assessing import in_database
from tests.actions.releasing import Release
from tests.actions.test_rollback_code_git import Real, released
from tests.adapters.test_repository import Git, elsewhere, git, remote, repository, template, work

__all__ = ["elsewhere", "git", "released", "remote", "repository", "template", "work"]  # fixtures

MERGE, PUSH = "code.merge", "code.push"


class Merged:
    """The first machine has merged staging into main; the run goes on elsewhere."""

    def __init__(self, first: GitRepository, here: GitRepository) -> None:
        self.first, self.here, self.release = first, here, Release()
        run = self.release.run
        files = ("README.md", "services/a.js")
        run.plan = replace(run.plan, release=replace(run.plan.release, files=files, fix_commit="staging"))

    async def merge(self, repository: GitRepository) -> str:
        """The merge, as its step does it in one machine's clone."""
        action, run = SourceMerge(repository), self.release.run
        context = run.context(MERGE, (await action.preview(run.context(MERGE))).before)
        evidence = await action.perform(context, self.release.reports)
        await action.verify(context, evidence)
        run.left(MERGE, evidence.data, before=context.before)
        return str(evidence.data["commit"])

    def push(self, repository: GitRepository) -> SourcePush:
        return SourcePush(repository, self.release.hosting, self.release.database)


@pytest.fixture
async def merged(repository: GitRepository, elsewhere: GitRepository) -> Merged:
    scene = Merged(repository, elsewhere)
    await scene.merge(repository)
    return scene


def merge_commit(scene: Merged) -> str:
    evidence = scene.release.run.steps[MERGE].evidence
    assert evidence is not None
    return str(evidence.data["commit"])


async def refused(action: Action, context: Context) -> StepFailed:
    """What the preview of a step raises there."""
    with pytest.raises(StepFailed, match="was made on another machine") as error:
        await action.preview(context)
    assert "never pushed" in error.value.message
    return error.value


async def test_a_merge_made_elsewhere_and_never_pushed_is_said_to_be_and_made_anew(merged: Merged) -> None:
    context = merged.release.run.context(PUSH)
    error = await refused(merged.push(merged.here), context)
    assert merge_commit(merged)[:7] in error.message
    assert error.production == "Production is untouched: nothing was pushed, the database is as it was."
    assert "Go back to the merge" in error.remedy
    assert failed(context.step, error, begun=False).data["reopens"] == [MERGE]
    await merged.merge(merged.here)
    with pytest.raises(StepFailed, match="Not pushed to main: database/migrations"):
        await merged.push(merged.here).preview(merged.release.run.context(PUSH))


async def test_what_was_attempted_elsewhere_is_found_not_done(merged: Merged) -> None:
    commit, run = merge_commit(merged), merged.release.run
    before = run.steps[MERGE].before
    merging = run.context(MERGE, before, ({"commit": commit},))
    assert isinstance(await SourceMerge(merged.first).probe(merging), Done)
    assert isinstance(await SourceMerge(merged.here).probe(merging), NotDone)
    services: dict[str, Json] = {"services": {}, "deploys": {}, "provider_time": ""}
    pushing = run.context(PUSH, {"commit": commit, "tip": before["target"], **services})
    assert isinstance(await merged.push(merged.here).probe(pushing), NotDone)
    await merged.first.push(commit, "main", expected_tip=str(before["target"]))
    assert isinstance(await merged.push(merged.here).probe(pushing), Done)


async def test_a_remote_that_does_not_answer_leaves_open_what_became_of_it(merged: Merged, remote: Path) -> None:
    run = merged.release.run
    remote.rename(remote.parent / "away.git")
    with pytest.raises(RepositoryError, match="no repository at the address"):
        await SourceMerge(merged.here).probe(
            run.context(MERGE, run.steps[MERGE].before, ({"commit": merge_commit(merged)},))
        )


async def test_a_push_that_was_recorded_is_never_said_not_to_have_been(merged: Merged) -> None:
    """Somebody took the commit away again: production may run it."""
    context = merged.release.run.context(PUSH, recorded=({"pushed": merge_commit(merged)},))
    with pytest.raises(RepositoryError, match="holds no commit"):
        await merged.push(merged.here).preview(context)


async def test_a_revert_made_elsewhere_and_never_pushed_is_made_anew(released: Real, elsewhere: GitRepository) -> None:
    back = released.back
    revert = await released.do(RollbackRevert(released.repository), "back.revert")
    context = back.context("back.push")
    error = await refused(RollbackPush(elsewhere, back.hosting), context)
    assert f"main holds {released.merge[:7]}" in error.production
    assert failed(context.step, error, begun=False).data["reopens"] == ["back.revert"]
    before: dict[str, Json] = {"tip": released.merge, "tree": revert.data["tree"], "commit": revert.data["commit"]}
    recorded = ({"commit": revert.data["commit"]},)
    assert isinstance(await RollbackRevert(elsewhere).probe(back.context("back.revert", before, recorded)), NotDone)
    assert isinstance(await RollbackPush(elsewhere, back.hosting).probe(back.context("back.push", before)), NotDone)
    here = Real(back, elsewhere, released.before, released.merge, released.fix)
    await here.do(RollbackRevert(elsewhere), "back.revert")
    await here.do(RollbackPush(elsewhere, back.hosting), "back.push")
    assert await elsewhere.tree(await elsewhere.tip("main")) == await elsewhere.tree(released.before)


@pytest.fixture
def never_pushed(released: Real, git: Git, remote: Path, tmp_path: Path) -> GitRepository:
    """The console on another machine, of a remote that does not hold the release's merge."""
    git("push", "--quiet", "--force", "origin", f"{released.before}:refs/heads/main")
    return GitRepository(f"file://{remote}", tmp_path / "another" / "clone.git")


async def test_of_a_merge_made_elsewhere_the_assessment_says_that_nothing_reached_production(
    released: Real, never_pushed: GitRepository
) -> None:
    back = released.back
    back.steps.pop("code.push")
    for service_id in (back.backend, back.frontend):
        back.hosting.add(service_id, released.before)
    ports = replace(back.ports(), repository=never_pushed, database=in_database(Schema.OLD))
    assessment = await ProductionAssessor(ports).assess(back.state(), back.clock)
    assert [service.runs for service in assessment.standing.services] == [Runs.OLD, Runs.OLD]
    assert (assessment.standing.pushed, assessment.standing.code) == (False, Code.OLD)
    assert [(way.way, way.recommended) for way in assessment.ways if way.applies] == [(Way.NOTHING, True)]
    remarks = [line.text for line in assessment.standing.remarks]
    assert f"The merge commit {released.merge[:7]} was made on another machine and never pushed" in remarks


@pytest.mark.parametrize("recorded", ["succeeded", "seen to arrive"])
async def test_a_pushed_commit_that_is_gone_from_the_remote_is_no_merge_made_elsewhere(
    released: Real, never_pushed: GitRepository, recorded: str
) -> None:
    back = released.back
    if recorded == "seen to arrive":
        step = back.plan.step("code.push")
        back.steps["code.push"] = StepState(step, StepStatus.FAILED, progress=({"pushed": released.merge},))
    ports = replace(back.ports(), repository=never_pushed, database=in_database(Schema.OLD))
    assessment = await ProductionAssessor(ports).assess(back.state(), back.clock)
    assert [service.runs for service in assessment.standing.services] == [Runs.NEW, Runs.NEW]
    offered = assessment.offer(Way.NOTHING)
    assert offered is not None
    assert not offered.applies
