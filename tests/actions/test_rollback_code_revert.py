"""The revert and its push: what is taken back, what stays, who is in the way; never forced, never beside autodeploy."""

import pytest

from console.actions.merge import skip_phrase
from console.actions.rollback.push import RollbackPush
from console.actions.rollback.reapply import ReapplyBranch
from console.actions.rollback.revert import RollbackRevert, revert_message
from console.domain.outcome import Done, Evidence, NotDone
from console.domain.source import Commit
from console.domain.standing import Way
from console.domain.state import StepState, StepStatus
from console.errors import PushRejected, RepositoryError, StepFailed, VerificationFailed, WorldChanged
from tests.actions.fakes import START
from tests.actions.rolling_back import LEADS, OLD, REPORT, SERVICE, Back

REVERT, PUSH, REAPPLY = "back.revert", "back.push", "back.reapply"


async def reverted(back: Back, step: str = REVERT) -> Evidence:
    """The revert is made and left to the steps that follow."""
    action = RollbackRevert(back.repository)
    before = (await action.preview(back.context(step))).before
    evidence = await action.perform(back.context(step, before), back.reports)
    await action.verify(back.context(step, before), evidence)
    back.left(step, evidence.data)
    return evidence


def held(back: Back) -> None:
    for service_id in (back.backend, back.frontend):
        back.hosting.setting(service_id, "off")


async def test_the_whole_release_goes_with_its_merge_and_the_tree_is_the_one_from_before() -> None:
    back = Back()
    preview = await RollbackRevert(back.repository).preview(back.context(REVERT))
    evidence = await reverted(back)
    data = evidence.data
    assert (data["reverts"], data["base"], data["compared_with"]) == ([back.merge], back.merge, back.old)
    assert (data["identical"], data["differs"]) == (True, [])
    assert back.repository.files[str(data["commit"])] == OLD
    facts = {fact.label: fact.value for fact in preview.facts}
    assert facts["tip of main"] == facts["reverts"] == back.merge
    assert facts["resulting tree"] == await back.repository.tree(back.old)
    assert f"This reverts commit {back.merge}, reversing" in back.repository.known[str(data["commit"])].message
    assert back.repository.branches["main"] == back.merge


async def test_the_fix_alone_leaves_the_other_files_of_the_release_and_says_which() -> None:
    back = Back(Way.FIX_ONLY)
    evidence = await reverted(back)
    assert evidence.data["reverts"] == [back.fix]
    assert (evidence.data["identical"], evidence.data["differs"]) == (False, [SERVICE, REPORT])
    assert evidence.summary.endswith("2 files stay different from before")
    lines = [line for section in evidence.sections if section.title.startswith("Stays") for line in section.lines]
    assert [line.note for line in lines] == ["of the release", "of the release"]


async def test_a_colleagues_commit_stays_and_is_named_as_the_reason_of_the_difference() -> None:
    back = Back()
    git = back.repository
    hotfix = git.holds("Mend the readme", {**git.files[back.merge], "README.md": "better"}, back.merge, author="Li")
    git.branches["main"] = hotfix
    evidence = await reverted(back)
    assert evidence.data["base"] == hotfix
    assert (evidence.data["identical"], evidence.data["differs"]) == (False, ["README.md"])
    assert git.files[str(evidence.data["commit"])] == {**OLD, "README.md": "better"}
    texts = [line.note for section in evidence.sections for line in section.lines]
    assert f"changed by {hotfix[:7]} Mend the readme (Li)" in texts


async def test_without_a_merge_commit_the_range_goes_newest_first() -> None:
    back = Back()
    back.repository.branches["main"] = back.fix
    back.left("code.push", {"commit": back.fix, "old_tip": back.old})
    del back.steps["code.merge"]
    evidence = await reverted(back)
    assert evidence.data["reverts"] == back.parts
    assert evidence.data["identical"] is True


async def test_after_the_fix_was_reverted_alone_that_is_taken_back_first() -> None:
    back = Back()
    alone = await back.repository.revert([back.fix], back.merge)
    back.repository.branches["main"] = alone.id
    evidence = await reverted(back)
    assert evidence.data["reverts"] == [alone.id, back.merge]
    assert evidence.data["identical"] is True


async def test_what_was_reverted_and_brought_again_is_reverted_again() -> None:
    back = Back()
    git = back.repository
    first = await git.revert([back.merge], back.merge)
    again = await git.revert([first.id], first.id, messages=[revert_message(first, "Reapply", "r0")])
    git.branches["main"] = again.id
    assert (await reverted(back)).data["identical"] is True


async def test_a_push_that_was_tried_again_does_not_pass_for_the_tip_from_before() -> None:
    back = Back()
    back.left("code.push", {"commit": back.merge, "old_tip": back.merge})
    assert (await reverted(back)).data["compared_with"] == back.old


async def test_a_release_that_came_by_hand_is_found_on_the_branch() -> None:
    back = Back()
    back.steps.clear()
    later = back.repository.holds("later", {**back.repository.files[back.merge], "x": "1"}, back.merge)
    back.repository.branches["main"] = later
    evidence = await reverted(back)
    assert (evidence.data["reverts"], evidence.data["compared_with"]) == ([back.merge], back.old)


async def test_where_nobody_knows_what_was_there_before_the_way_out_is_said() -> None:
    back = Back()
    back.steps.clear()
    back.repository.branches["main"] = back.fix
    with pytest.raises(StepFailed, match="came without a merge commit") as failed:
        await reverted(back)
    assert "by hand, newest first" in failed.value.remedy


async def test_a_conflict_names_paths_and_whose_commits_came_between() -> None:
    back = Back()
    git = back.repository
    git.branches["main"] = git.holds("Speed up", {**git.files[back.merge], LEADS: "faster"}, back.merge, author="Li")
    with pytest.raises(StepFailed, match="1 file in conflict") as failed:
        await RollbackRevert(git).preview(back.context(REVERT))
    assert failed.value.lines[0] == f"conflict in {LEADS}"
    assert "Speed up (Li)" in failed.value.lines[1]
    assert "done by hand" in failed.value.remedy
    assert failed.value.production


async def test_nothing_is_reverted_twice() -> None:
    back = Back()
    back.repository.branches["main"] = (await back.repository.revert([back.merge], back.merge)).id
    with pytest.raises(StepFailed, match="There is nothing to revert"):
        await RollbackRevert(back.repository).preview(back.context(REVERT))
    await RollbackRevert(back.repository).verify(back.context(REVERT), Evidence("by hand"))


@pytest.mark.parametrize(("tip", "message"), [("reverted", "is already reverted, by"), ("old", "does not contain")])
async def test_a_fix_that_is_not_there_is_not_reverted(tip: str, message: str) -> None:
    back = Back(Way.FIX_ONLY)
    alone = (await back.repository.revert([back.fix], back.merge)).id
    back.repository.branches["main"] = alone if tip == "reverted" else back.old
    with pytest.raises(StepFailed, match=message):
        await RollbackRevert(back.repository).preview(back.context(REVERT))


async def test_a_branch_that_moves_between_look_and_revert_is_looked_at_again() -> None:
    back = Back()
    action = RollbackRevert(back.repository)
    before = (await action.preview(back.context(REVERT))).before
    git = back.repository
    git.branches["main"] = git.holds("late", {**git.files[back.merge], "x": "1"}, back.merge)
    with pytest.raises(WorldChanged, match="main has moved"):
        await action.perform(back.context(REVERT, before), back.reports)


async def test_after_a_crash_the_recorded_revert_is_found_and_nothing_else() -> None:
    back = Back()
    action = RollbackRevert(back.repository)
    before = (await action.preview(back.context(REVERT))).before
    assert isinstance(await action.probe(back.context(REVERT, before)), NotDone)
    evidence = await action.perform(back.context(REVERT, before), back.reports)
    found = await action.probe(back.context(REVERT, before, back.reports.durable))
    assert isinstance(found, Done)
    assert found.evidence == evidence
    other = await action.probe(back.context(REVERT, before, ({"commit": back.merge},)))
    assert isinstance(other, NotDone)


async def test_done_by_hand_the_branch_itself_is_looked_at() -> None:
    back = Back()
    with pytest.raises(VerificationFailed, match="holds the release"):
        await RollbackRevert(back.repository).verify(back.context(REVERT), Evidence("by hand"))


def test_the_message_never_suppresses_the_deploy() -> None:
    commit = Commit("c" * 40, "Release [skip render] now [deploy skip]", "", "Li", START, ("a" * 40, "b" * 40))
    message = revert_message(commit, "Revert", "r1")
    assert message.startswith('Revert "Release now"\n\nThis reverts commit ' + "c" * 40)
    assert skip_phrase(message) is None


async def test_the_push_goes_onto_the_tip_that_the_revert_was_made_for() -> None:
    back = Back()
    made = await reverted(back)
    held(back)
    action = RollbackPush(back.repository, back.hosting)
    preview = await action.preview(back.context(PUSH))
    assert isinstance(await action.probe(back.context(PUSH, preview.before)), NotDone)
    evidence = await action.perform(back.context(PUSH, preview.before), back.reports)
    assert back.repository.pushes == [made.data["commit"]]
    assert evidence.data == {
        "commit": made.data["commit"],
        "branch": "main",
        "old_tip": back.merge,
        "pushed_at": START.isoformat(),
    }
    await action.verify(back.context(PUSH), evidence)
    found = await action.probe(back.context(PUSH, preview.before, back.reports.durable))
    assert isinstance(found, Done)
    assert found.evidence == evidence


async def test_nothing_is_pushed_while_a_push_would_deploy_by_itself() -> None:
    back = Back()
    await reverted(back)
    back.hosting.setting(back.backend, "off")
    action = RollbackPush(back.repository, back.hosting)
    with pytest.raises(StepFailed, match=r"Autodeploy is on: crm-frontend \(commit\)") as failed:
        await action.preview(back.context(PUSH))
    assert "switches autodeploy off" in failed.value.remedy
    back.steps["back.hold"] = StepState(back.plan.step("back.hold"), StepStatus.SKIPPED)
    await action.preview(back.context(PUSH))


async def test_who_moved_the_branch_is_named_and_nothing_is_forced() -> None:
    back = Back()
    await reverted(back)
    held(back)
    action = RollbackPush(back.repository, back.hosting)
    before = (await action.preview(back.context(PUSH))).before
    git = back.repository
    git.branches["main"] = git.holds("Hotfix", {**git.files[back.merge], "x": "1"}, back.merge, author="Li")
    for attempt in (action.preview(back.context(PUSH)), action.perform(back.context(PUSH, before), back.reports)):
        with pytest.raises(StepFailed, match="main moved since the revert was made") as failed:
            await attempt
        assert "Hotfix (Li" in failed.value.lines[0]
        assert "reopen the revert" in failed.value.remedy
    assert git.pushes == []


async def test_a_push_whose_answer_was_lost_is_looked_for() -> None:
    back = Back()
    made = await reverted(back)
    held(back)
    action = RollbackPush(back.repository, back.hosting)
    before = (await action.preview(back.context(PUSH))).before
    back.repository.lose_push = RepositoryError("no answer")
    evidence = await action.perform(back.context(PUSH, before), back.reports)
    assert evidence.data["commit"] == made.data["commit"]
    again = (await action.preview(back.context(PUSH))).before
    await action.perform(back.context(PUSH, again), back.reports)
    assert back.repository.pushes == [made.data["commit"]]


async def test_a_remote_that_refuses_is_told_apart_from_a_branch_that_moved() -> None:
    back = Back()
    await reverted(back)
    held(back)
    action = RollbackPush(back.repository, back.hosting)
    before = (await action.preview(back.context(PUSH))).before

    def protected() -> None:
        raise PushRejected("protected branch")

    back.repository.before_push = protected
    with pytest.raises(StepFailed, match="refused the push to main: protected branch") as failed:
        await action.perform(back.context(PUSH, before), back.reports)
    assert "main holds" in failed.value.production


async def test_a_push_by_hand_is_believed_only_when_the_branch_no_longer_holds_the_release() -> None:
    back = Back()
    action = RollbackPush(back.repository, back.hosting)
    with pytest.raises(VerificationFailed, match="still holds the release"):
        await action.verify(back.context(PUSH), Evidence("by hand"))
    back.repository.branches["main"] = (await back.repository.revert([back.merge], back.merge)).id
    await action.verify(back.context(PUSH), Evidence("by hand"))


async def gone_back(back: Back) -> str:
    """The revert is made and pushed; its commit."""
    made = await reverted(back)
    commit = str(made.data["commit"])
    back.repository.branches["main"] = commit
    back.left(PUSH, {"commit": commit, "branch": "main", "old_tip": back.merge})
    return commit


async def test_the_branch_that_brings_the_release_again_reverts_the_revert() -> None:
    back = Back()
    revert = await gone_back(back)
    git = back.repository
    git.branches[f"reapply-{back.merge[:7]}"] = back.old
    action = ReapplyBranch(git)
    preview = await action.preview(back.context(REAPPLY))
    evidence = await action.perform(back.context(REAPPLY, preview.before), back.reports)
    assert evidence.data["branch"] == f"reapply-{back.merge[:7]}-2"
    commit = str(evidence.data["commit"])
    assert git.files[commit] == git.files[back.merge]
    assert f"This reverts commit {revert}." in git.known[commit].message
    assert git.branches["main"] == revert
    await action.verify(back.context(REAPPLY), evidence)
    found = await action.probe(back.context(REAPPLY, preview.before, back.reports.durable))
    assert isinstance(found, Done)
    assert found.evidence == evidence


async def test_a_branch_whose_name_was_taken_meanwhile_is_not_moved() -> None:
    back = Back()
    await gone_back(back)
    action = ReapplyBranch(back.repository)
    before = (await action.preview(back.context(REAPPLY))).before
    back.repository.branches[f"reapply-{back.merge[:7]}"] = back.old
    with pytest.raises(StepFailed, match="was not made"):
        await action.perform(back.context(REAPPLY, before), back.reports)
    assert back.repository.branches[f"reapply-{back.merge[:7]}"] == back.old
    assert isinstance(await action.probe(back.context(REAPPLY, before, back.reports.durable)), NotDone)


async def test_a_branch_whose_push_was_not_answered_is_looked_for() -> None:
    back = Back()
    await gone_back(back)
    action = ReapplyBranch(back.repository)
    before = (await action.preview(back.context(REAPPLY))).before
    back.repository.lose_push = RepositoryError("no answer")
    evidence = await action.perform(back.context(REAPPLY, before), back.reports)
    await action.verify(back.context(REAPPLY), evidence)


async def test_without_a_revert_there_is_nothing_to_be_brought_again() -> None:
    back = Back()
    with pytest.raises(StepFailed, match="holds no revert of the release"):
        await ReapplyBranch(back.repository).preview(back.context(REAPPLY))


async def test_a_revert_that_somebody_made_by_hand_is_taken_back_too() -> None:
    back = Back()
    back.repository.branches["main"] = (await back.repository.revert([back.merge], back.merge)).id
    action = ReapplyBranch(back.repository)
    before = (await action.preview(back.context(REAPPLY))).before
    evidence = await action.perform(back.context(REAPPLY, before), back.reports)
    assert back.repository.files[str(evidence.data["commit"])] == back.repository.files[back.merge]


async def test_the_whole_release_comes_again_also_where_its_fix_was_reverted_first() -> None:
    back = Back()
    back.repository.branches["main"] = (await back.repository.revert([back.fix], back.merge)).id
    await gone_back(back)
    action = ReapplyBranch(back.repository)
    before = (await action.preview(back.context(REAPPLY))).before
    evidence = await action.perform(back.context(REAPPLY, before), back.reports)
    assert back.repository.files[str(evidence.data["commit"])] == back.repository.files[back.merge]
