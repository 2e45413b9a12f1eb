"""The rehearsal's git remote: its history, its record of pushes, and what a colleague does to it."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from console.sandbox.git_plumbing import GitFailed
from console.sandbox.release import CHANGED_FILES, main_commits, release_commits
from console.sandbox.remote import GitRemote, build_remote

Git = Callable[..., CompletedProcess[str]]

TITLES = [
    "Drop dependent views before dropping license_status column",
    "Update references from license_status to account_status in services",
    "Update lead conversion and field mapping to use account_status",
]


async def test_the_last_commit_of_the_release_really_begins_26c5a9f(remote: GitRemote) -> None:
    head = await remote.head("staging")
    assert head is not None
    assert head.startswith("26c5a9f")
    assert await remote.head("devtest") == head


async def test_every_build_makes_the_same_hashes(remote: GitRemote, tmp_path: Path) -> None:
    again = await build_remote(tmp_path / "again.git")
    assert await again.head("main") == await remote.head("main")


async def test_the_release_changes_exactly_the_plans_files(remote: GitRemote) -> None:
    main, staging = await remote.head("main"), await remote.head("staging")
    assert main is not None
    assert staging is not None
    assert set(await remote.changed_files(main, staging)) == set(CHANGED_FILES)


async def test_the_release_is_three_commits_on_top_of_main(remote: GitRemote, git: Git) -> None:
    git("clone", "--quiet", remote.url, ".")
    subjects = git("log", "--reverse", "--format=%s", "origin/main..origin/staging").stdout.splitlines()
    assert subjects == TITLES
    assert git("merge-base", "origin/main", "origin/staging").stdout.strip() == await remote.head("main")
    git("fsck", "--strict")


def test_no_file_of_the_old_tree_is_left_out_of_mains_history() -> None:
    tree = Path(main_commits.__code__.co_filename).parent / "crm" / "main"
    expected = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    commits = list(main_commits())
    assert all(commit.files for commit in commits)
    assert {path for commit in commits for path in commit.files} == expected


def test_the_new_release_names_none_of_the_dropped_columns_in_its_code() -> None:
    for commit in release_commits():
        for path, content in commit.files.items():
            if path.endswith(".js"):
                assert not [word for word in (b"license_status", b"account_type", b"is_trial") if word in content]


async def test_commits_are_shown_by_abbreviated_hash_and_absent_ones_are_none(remote: GitRemote) -> None:
    shown = await remote.commit("26c5a9f")
    assert shown is not None
    assert shown.id == await remote.head("staging")
    assert shown.message.startswith(TITLES[-1])
    assert shown.created_at.tzinfo is not None
    assert await remote.commit("0" * 40) is None
    assert await remote.commit("--all") is None
    assert await remote.head("gone") is None


async def test_a_checkout_is_the_commits_tree(remote: GitRemote, tmp_path: Path) -> None:
    head = await remote.head("staging")
    assert head is not None
    await remote.checkout(head, tmp_path / "tree")
    for path in CHANGED_FILES:
        assert (tmp_path / "tree" / path).is_file()
    assert (tmp_path / "tree" / "frontend" / "index.html").is_file()
    assert not (tmp_path / "tree" / ".git").exists()


async def test_a_push_is_recorded_once_with_what_moved(remote: GitRemote, git: Git) -> None:
    before = await remote.head("main")
    git("clone", "--quiet", remote.url, ".")
    git("merge", "--quiet", "--no-ff", "-m", "Merge staging", "origin/staging")
    git("push", "--quiet", "origin", "main")
    (push,) = remote.pushes()
    assert (push.branch, push.old, push.new, push.by) == ("main", before, await remote.head("main"), "push")


async def test_history_is_never_rewritten(remote: GitRemote, git: Git) -> None:
    git("clone", "--quiet", remote.url, ".")
    refused = git("push", "--force", "origin", "HEAD~1:main", check=False)
    assert refused.returncode != 0
    assert remote.pushes() == ()


async def test_a_colleague_is_faster_once(tmp_path: Path, git: Git) -> None:
    """The fault push-race: the first push to main is refused by git itself, the next one is not."""
    remote = await build_remote(tmp_path / "crm.git", race=True)
    git("clone", "--quiet", remote.url, ".")
    git("merge", "--quiet", "--no-ff", "-m", "Merge staging", "origin/staging")
    refused = git("push", "origin", "main", check=False)
    assert refused.returncode != 0
    assert "cannot lock ref" in refused.stderr
    assert [push.by for push in remote.pushes()] == ["colleague"]
    git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    git("push", "--quiet", "origin", "main")
    assert [push.by for push in remote.pushes()] == ["colleague", "push"]
    assert (await remote.head("staging") or "").startswith("26c5a9f")


async def test_a_colleagues_change_conflicts_in_the_reporting_service(tmp_path: Path, git: Git) -> None:
    """The fault merge-conflict; the release's own commits stay what they are."""
    remote = await build_remote(tmp_path / "crm.git", conflict=True)
    git("clone", "--quiet", remote.url, ".")
    assert git("merge", "--no-ff", "-m", "Merge", "origin/staging", check=False).returncode != 0
    conflicts = git("diff", "--name-only", "--diff-filter=U").stdout.split()
    assert conflicts == ["services/reportingService.js"]
    assert (await remote.head("staging") or "").startswith("26c5a9f")


async def test_a_failing_git_says_so_in_its_own_words(remote: GitRemote) -> None:
    with pytest.raises(GitFailed, match="diff-tree"):
        await remote.changed_files("0" * 40, "1" * 40)
