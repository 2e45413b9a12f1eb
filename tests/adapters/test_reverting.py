"""Reverting through the repository port, against real git repositories and beside git's own revert."""

from pathlib import Path

import pytest

from console.adapters.repository import GitRepository
from console.adapters.repository import merging as merging_module
from console.domain.source import Commit
from console.errors import MergeConflict, PushRejected, RepositoryError
from tests.adapters.test_repository import Git, commit, git, remote, repository, run_git, template, work

__all__ = ["git", "remote", "repository", "template", "work"]  # fixtures


async def released(repository: GitRepository, git: Git, work: Path) -> tuple[str, Commit]:
    """A release of three commits, merged into main and pushed: what main held before, and the merge."""
    git("checkout", "--quiet", "staging")
    commit(git, work, "services/a.js", "old\nnewer\n", "Third of the release")
    git("push", "--quiet", "origin", "staging")
    await repository.fetch()
    before, source = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(source, before, "Merge staging")
    await repository.push(merged.id, "main", expected_tip=before)
    await repository.fetch()
    return before, merged


async def test_a_commit_is_reverted_as_git_would(repository: GitRepository, git: Git) -> None:
    tip = await repository.tip("staging")
    reverted = await repository.revert([tip], tip)
    git("fetch", "--quiet", str(repository_folder(git)), reverted.id)
    git("checkout", "--quiet", "staging")
    git("revert", "--no-edit", "HEAD")
    assert reverted.message == git("log", "-1", "--format=%B")
    assert await repository.tree(reverted.id) == git("rev-parse", "HEAD^{tree}")
    assert reverted.parents == (tip,)
    assert reverted.author == "Rel"
    assert [c.path for c in await repository.changes(tip, reverted.id)] == ["README.md"]


def repository_folder(git: Git) -> Path:
    """The console's clone beside the person's."""
    return Path(git("rev-parse", "--show-toplevel")).parent / "cache" / "clone.git"


async def test_a_merge_is_reverted_against_its_first_parent(repository: GitRepository, git: Git, work: Path) -> None:
    before, merged = await released(repository, git, work)
    reverted = await repository.revert([merged.id], merged.id)
    assert await repository.tree(reverted.id) == await repository.tree(before)
    assert reverted.message == (
        f'Revert "Merge staging"\n\nThis reverts commit {merged.id}, reversing\nchanges made to {before}.'
    )
    git("fetch", "--quiet")
    git("checkout", "--quiet", "-B", "main", "origin/main")
    git("revert", "--no-edit", "-m", "1", "HEAD")
    assert reverted.message == git("log", "-1", "--format=%B")


async def test_a_range_is_reverted_newest_first_and_its_last_commit_alone_is_not_enough(
    repository: GitRepository, git: Git, work: Path
) -> None:
    """What the plan's `git revert` of one commit of three leaves is not what was live before."""
    before, merged = await released(repository, git, work)
    newest_first = [c.id for c in await repository.commits(before, merged.id) if len(c.parents) == 1]
    assert len(newest_first) == 3
    whole = await repository.revert(newest_first, merged.id)
    assert await repository.tree(whole.id) == await repository.tree(before)
    made = await repository.commits(merged.id, whole.id)
    assert [f"This reverts commit {c}." in m.message for c, m in zip(reversed(newest_first), made, strict=True)] == [
        True
    ] * 3
    last = await repository.revert(newest_first[:1], merged.id)
    assert await repository.tree(last.id) != await repository.tree(before)
    left = [c.path for c in await repository.changes(before, last.id)]
    assert left == ["README.md", "services/a.js"]


async def test_the_revert_of_a_revert_brings_the_release_again(repository: GitRepository, git: Git, work: Path) -> None:
    _, merged = await released(repository, git, work)
    reverted = await repository.revert([merged.id], merged.id)
    again = await repository.revert([reverted.id], reverted.id)
    assert await repository.tree(again.id) == await repository.tree(merged.id)
    assert again.subject == 'Reapply "Merge staging"'
    third = await repository.revert([again.id], again.id)
    assert third.subject == 'Revert "Reapply "Merge staging""'


async def test_what_came_after_the_release_stays(repository: GitRepository, git: Git, work: Path) -> None:
    before, merged = await released(repository, git, work)
    git("fetch", "--quiet")
    git("checkout", "--quiet", "-B", "main", "origin/main")
    tip = commit(git, work, "HOTFIX.md", "urgent\n", "Hotfix")
    git("push", "--quiet", "origin", "main")
    await repository.fetch()
    reverted = await repository.revert([merged.id], tip)
    assert [c.path for c in await repository.changes(before, reverted.id)] == ["HOTFIX.md"]


@pytest.mark.parametrize("old_git", [False, True])
async def test_a_conflict_names_its_paths_and_leaves_nothing(
    repository: GitRepository, git: Git, work: Path, monkeypatch: pytest.MonkeyPatch, old_git: bool
) -> None:
    if old_git:
        monkeypatch.setattr(merging_module, "_MERGE_TREE_SINCE", (99, 0))
    _, merged = await released(repository, git, work)
    git("fetch", "--quiet")
    git("checkout", "--quiet", "-B", "main", "origin/main")
    tip = commit(git, work, "README.md", "one\nother\n", "Rewrite what the release wrote")
    git("push", "--quiet", "origin", "main")
    await repository.fetch()
    with pytest.raises(MergeConflict, match=r"README\.md in conflict") as conflict:
        await repository.revert([merged.id], tip)
    assert conflict.value.files == ("README.md",)
    assert "Nothing was changed" in conflict.value.production
    assert conflict.value.remedy


async def test_an_old_git_reverts_the_same_in_a_worktree(
    repository: GitRepository, git: Git, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, merged = await released(repository, git, work)
    monkeypatch.setattr(merging_module, "_MERGE_TREE_SINCE", (99, 0))
    reverted = await repository.revert([merged.id], merged.id)
    assert await repository.tree(reverted.id) == await repository.tree(before)


async def test_no_message_keeps_the_revert_from_being_deployed(repository: GitRepository, git: Git, work: Path) -> None:
    git("checkout", "--quiet", "staging")
    first = commit(git, work, "a.txt", "a\n", "Tidy up [skip render]")
    tip = commit(git, work, "b.txt", "b\n", "More [Deploy Skip] of it")
    git("push", "--quiet", "origin", "staging")
    await repository.fetch()
    both = await repository.revert([tip, first], tip)
    (parent,) = both.parents
    assert [both.subject, (await repository.resolve(parent)).subject] == ['Revert "Tidy up"', 'Revert "More of it"']
    own = await repository.revert([tip], tip, messages=["Back out [skip cd]\n\nSee the incident."])
    assert own.message == "Back out\n\nSee the incident."


async def test_messages_replace_gits_own_where_they_are_given(repository: GitRepository, git: Git) -> None:
    tip = await repository.tip("staging")
    parent = git("rev-parse", "staging^")
    last = await repository.revert([tip, parent], tip, messages=["", "Take the service out"])
    assert last.message == "Take the service out"
    assert (await repository.resolve(last.parents[0])).subject == 'Revert "Tell more"'
    with pytest.raises(ValueError, match="1 messages for 2 commits"):
        await repository.revert([tip, parent], tip, messages=["one"])


async def test_what_was_reverted_before_is_passed_over_and_all_of_it_is_told(
    repository: GitRepository, git: Git
) -> None:
    tip = await repository.tip("staging")
    parent = git("rev-parse", "staging^")
    once = await repository.revert([tip], tip)
    rest = await repository.revert([tip, parent], once.id)
    assert rest.parents == (once.id,), "one new commit: the other was reverted before"
    with pytest.raises(RepositoryError, match="nothing to revert") as nothing:
        await repository.revert([tip], once.id)
    assert nothing.value.production
    assert nothing.value.remedy


async def test_what_cannot_be_reverted_there_is_said(repository: GitRepository, git: Git) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    with pytest.raises(RepositoryError, match="does not contain"):
        await repository.revert([staging], main)
    with pytest.raises(RepositoryError, match="first commit"):
        await repository.revert([main], staging)
    with pytest.raises(RepositoryError, match="no commit abcdef0"):
        await repository.revert(["abcdef0"], staging)


async def test_trees_are_equal_for_equal_files_alone(repository: GitRepository, git: Git) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    assert await repository.tree(main) == git("rev-parse", "origin/main^{tree}")
    assert await repository.tree(main) != await repository.tree(staging)
    assert await repository.tree("staging") == await repository.tree(staging)


async def test_a_push_makes_a_branch_once(repository: GitRepository, git: Git, work: Path) -> None:
    before, merged = await released(repository, git, work)
    reverted = await repository.revert([merged.id], merged.id)
    again = await repository.revert([reverted.id], reverted.id)
    await repository.push(again.id, "reapply-020", expected_tip="")
    assert await repository.tip("reapply-020") == again.id
    await repository.push(again.id, "reapply-020", expected_tip="")
    with pytest.raises(PushRejected, match="a branch reapply-020 already") as refused:
        await repository.push(before, "reapply-020", expected_tip="")
    assert again.id[:7] in refused.value.production
    with pytest.raises(PushRejected, match="already"):
        await repository.push((await repository.revert([again.id], again.id)).id, "reapply-020", expected_tip="")
    assert await repository.tip("reapply-020") == again.id


async def test_a_branch_that_somebody_makes_at_that_moment_is_not_moved(
    repository: GitRepository, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it could be fast-forwarded: the look found none, and the remote decides."""
    main, staging = await repository.tip("main"), await repository.tip("staging")
    clone = type(repository._clone)
    look = clone.tip_if_any

    def look_then_lose_the_race(self: object, branch: str) -> str:
        found = look(self, branch)  # type: ignore[arg-type]
        monkeypatch.setattr(clone, "tip_if_any", look)
        run_git(remote, "update-ref", f"refs/heads/{branch}", main)
        return found

    monkeypatch.setattr(clone, "tip_if_any", look_then_lose_the_race)
    with pytest.raises(PushRejected, match="a branch reapply already"):
        await repository.push(staging, "reapply", expected_tip="")
    assert await repository.tip("reapply") == main


async def test_a_push_onto_a_branch_that_is_gone_says_so(repository: GitRepository, git: Git) -> None:
    staging = await repository.tip("staging")
    git("push", "--quiet", "origin", "--delete", "staging")
    with pytest.raises(RepositoryError, match="no branch staging"):
        await repository.push(staging, "staging", expected_tip=staging)
