"""The way back of code over a real git remote: what the actions make there is what git itself calls a revert."""

from dataclasses import replace
from pathlib import Path

import pytest

from console.actions.assessment import ProductionAssessor
from console.actions.rollback.push import RollbackPush
from console.actions.rollback.reapply import ReapplyBranch
from console.actions.rollback.revert import RollbackRevert
from console.adapters.repository import GitRepository
from console.domain.hosting import DeployStatus
from console.domain.outcome import Done, Evidence
from console.domain.standing import Runs, Schema, Way
from console.ports import Action
from tests.actions.assessing import in_database
from tests.actions.rolling_back import Back
from tests.adapters.test_repository import Git, commit, git, remote, repository, template, work

__all__ = ["git", "remote", "repository", "template", "work"]  # fixtures


class Real:
    """The incident of `Back`, whose release is in a real remote."""

    def __init__(self, back: Back, repository: GitRepository, before: str, merge: str, fix: str) -> None:
        self.back, self.repository = back, repository
        self.before, self.merge, self.fix = before, merge, fix

    async def do(self, action: Action, step: str) -> Evidence:
        """Preview, perform, verify; what a probe finds after a crash is the same."""
        before = (await action.preview(self.back.context(step))).before
        heard = len(self.back.reports.heard)
        evidence = await action.perform(self.back.context(step, before), self.back.reports)
        recorded = tuple(each.data for each in self.back.reports.heard[heard:] if each.durable)
        await action.verify(self.back.context(step, before, recorded), evidence)
        found = await action.probe(self.back.context(step, before, recorded))
        assert isinstance(found, Done)
        assert found.evidence == evidence
        self.back.left(step, evidence.data)
        return evidence


@pytest.fixture
async def released(repository: GitRepository) -> Real:
    """staging was merged into main, pushed, and is live on both services."""
    before, fix = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(fix, before, "Merge staging [skip render]")
    await repository.push(merged.id, "main", expected_tip=before)
    await repository.fetch()
    back = Back()
    back.base = replace(back.base, release=replace(back.base.release, fix_commit=fix[:7]))
    back.plan, back.ways = back.base, []
    back.steps.clear()
    back.left("code.merge", {"commit": merged.id, "target": before, "source": fix})
    back.left("code.push", {"commit": merged.id, "old_tip": before})
    back.choose(Way.CODE)
    for service_id in (back.backend, back.frontend):
        back.hosting.all[service_id] = []
        back.hosting.add(service_id, before)
        back.hosting.add(service_id, merged.id)
        back.hosting.setting(service_id, "off")
    return Real(back, repository, before, merged.id, fix)


async def test_reverted_pushed_and_offered_again(released: Real, git: Git, work: Path) -> None:
    back, port = released.back, released.repository
    reverted = await released.do(RollbackRevert(port), "back.revert")
    assert (reverted.data["reverts"], reverted.data["identical"]) == ([released.merge], True)
    await released.do(RollbackPush(port, back.hosting), "back.push")
    git("fetch", "--quiet")
    assert git("rev-parse", "origin/main") == reverted.data["commit"]
    assert git("rev-parse", "origin/main^{tree}") == git("rev-parse", f"{released.before}^{{tree}}")
    assert "[skip" not in git("log", "-1", "--format=%B", "origin/main")
    again = await released.do(ReapplyBranch(port), "back.reapply")
    git("fetch", "--quiet")
    branch = f"origin/{again.data['branch']}"
    assert git("rev-parse", f"{branch}^{{tree}}") == git("rev-parse", f"{released.merge}^{{tree}}")
    # What makes that branch needed: the source alone brings nothing any more.
    assert git("merge-base", "origin/main", "origin/staging") == released.fix


async def test_the_assessment_tells_release_revert_and_release_again(released: Real, git: Git, work: Path) -> None:
    back, port = released.back, released.repository
    assessor = ProductionAssessor(replace(back.ports(), repository=port, database=in_database(Schema.OLD)))
    first = await assessor.assess(back.state(), back.clock)
    assert (first.standing.pushed, first.standing.fix_is_all) == (True, False)
    assert [service.runs for service in first.standing.services] == [Runs.NEW, Runs.NEW]
    assert first.ways[0].way is Way.CODE
    reverted = await released.do(RollbackRevert(port), "back.revert")
    await released.do(RollbackPush(port, back.hosting), "back.push")
    for service_id in (back.backend, back.frontend):
        back.hosting.add(service_id, str(reverted.data["commit"]), DeployStatus.LIVE, "api")
    second = await assessor.assess(back.state(), back.clock)
    assert second.standing.pushed is False
    assert [service.runs for service in second.standing.services] == [Runs.OLD, Runs.OLD]
    assert second.ways[0].way is Way.NOTHING
    git("fetch", "--quiet")
    git("checkout", "--quiet", "-B", "main", "origin/main")
    git("revert", "--no-edit", "HEAD")
    commit(git, work, "more.md", "more\n", "And more")
    git("push", "--quiet", "origin", "main")
    assert (await assessor.assess(back.state(), back.clock)).standing.pushed is True
