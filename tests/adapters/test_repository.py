"""The repository port against real git repositories."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from console.adapters.repository import Author, GitRepository
from console.adapters.repository import merging as merging_module
from console.adapters.repository.command import GitCommand
from console.adapters.repository.names import head_ref
from console.errors import MergeConflict, PushRejected, RepositoryError

Git = Callable[..., str]

PERSON = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare remote (`main` with one commit, `staging` two commits ahead of it) and a person's clone of it."""
    folder = tmp_path_factory.mktemp("repositories")
    work = folder / "work"
    git = partial(run_git, work)
    run_git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    run_git(folder, "clone", "--quiet", "remote.git", "work")
    commit(git, work, "README.md", "one\n", "First")
    git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    git("checkout", "--quiet", "-b", "staging")
    commit(git, work, "services/a.js", "old\nnew\n", "Add a service")
    commit(git, work, "README.md", "one\ntwo\n", "Tell more\n\nBecause it was short.")
    git("push", "--quiet", "origin", "staging")
    return folder


@pytest.fixture
def remote(template: Path, tmp_path: Path) -> Path:
    """The bare remote, beside the person's clone `work`."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    run_git(tmp_path / "work", "remote", "set-url", "origin", str(tmp_path / "remote.git"))
    return tmp_path / "remote.git"


@pytest.fixture
def work(remote: Path) -> Path:
    """The person's clone of the remote."""
    return remote.parent / "work"


@pytest.fixture
def git(work: Path) -> Git:
    """Runs git as that person, in their clone unless told otherwise."""

    def run(*arguments: str, cwd: Path = work) -> str:
        return run_git(cwd, *arguments)

    return run


@pytest.fixture
async def repository(remote: Path, tmp_path: Path) -> GitRepository:
    made = GitRepository(f"file://{remote}", tmp_path / "cache" / "clone.git", author=Author("Rel", "rel@example.com"))
    await made.fetch()
    return made


def run_git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **PERSON},
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.strip()


def commit(git: Git, work: Path, path: str, content: str, message: str) -> str:
    file = work / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    git("add", "--all")
    git("commit", "--quiet", "-m", message)
    return git("rev-parse", "HEAD")


async def test_reads_commits_files_and_ancestry(repository: GitRepository, git: Git) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    assert staging == git("rev-parse", "staging")
    found = await repository.commits(main, staging)
    assert [c.subject for c in found] == ["Tell more", "Add a service"]
    assert found[0].message == "Tell more\n\nBecause it was short."
    assert found[0].author == "Ann"
    assert found[0].parents == (found[1].id,)
    changes = await repository.changes(main, staging)
    assert [(c.path, c.change, c.added, c.removed) for c in changes] == [
        ("README.md", "M", 1, 0),
        ("services/a.js", "A", 2, 0),
    ]
    assert await repository.is_ancestor(main, staging)
    assert not await repository.is_ancestor(staging, main)
    assert await repository.paths(staging) == ("README.md", "services/a.js")
    assert await repository.read(staging, "services/a.js") == b"old\nnew\n"
    assert (await repository.resolve(staging[:8])).id == staging
    assert (await repository.resolve("staging")).id == staging


async def test_paths_and_bytes_of_any_kind(repository: GitRepository, git: Git, work: Path) -> None:
    odd = "dir with space/-rf “quoted”\tname.bin"
    (work / "dir with space").mkdir()
    (work / odd).write_bytes(b"\x00\xff\n\n")
    git("add", "--all")
    git("commit", "--quiet", "-m", "odd names")
    git("push", "--quiet", "origin", "staging")
    await repository.fetch()
    tip = await repository.tip("staging")
    assert odd in await repository.paths(tip)
    assert await repository.read(tip, odd) == b"\x00\xff\n\n"
    (change,) = await repository.changes(tip, (await repository.resolve(tip)).parents[0])
    assert (change.path, change.change, change.added) == (odd, "D", 0)
    for path in ("--help", "*", ":(glob)**", "services", "../remote.git/HEAD", ""):
        with pytest.raises(RepositoryError, match=r"no file|failed"):
            await repository.read(tip, path)


async def test_a_merge_has_both_parents_even_where_git_would_fast_forward(repository: GitRepository) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    preview = await repository.preview_merge(staging, main)
    assert [c.subject for c in preview.commits] == ["Tell more", "Add a service"]
    assert [c.path for c in preview.files] == ["README.md", "services/a.js"]
    assert preview.conflicts == ()
    assert preview.ahead == ()
    merged = await repository.merge(staging, main, "Merge staging\n\nRelease 020.")
    assert merged.parents == (main, staging)
    assert merged.message == "Merge staging\n\nRelease 020."
    assert merged.author == "Rel"
    assert await repository.tip("main") == main, "nothing was pushed"
    with pytest.raises(RepositoryError, match="nothing to merge"):
        await repository.merge(main, staging, "the other way round")


async def diverge(repository: GitRepository, git: Git, work: Path, content: str) -> None:
    git("checkout", "--quiet", "-B", "main", "origin/main")
    commit(git, work, "README.md", content, "Hotfix")
    git("push", "--quiet", "origin", "main")
    await repository.fetch()


async def test_a_conflict_names_the_files_and_leaves_nothing(repository: GitRepository, git: Git, work: Path) -> None:
    await diverge(repository, git, work, "one\nother\n")
    main, staging = await repository.tip("main"), await repository.tip("staging")
    preview = await repository.preview_merge(staging, main)
    assert preview.conflicts == ("README.md",)
    assert [c.path for c in preview.files] == ["README.md", "services/a.js"]
    assert [c.subject for c in preview.ahead] == ["Hotfix"]
    with pytest.raises(MergeConflict, match=r"README\.md") as conflict:
        await repository.merge(staging, main, "Merge")
    assert conflict.value.files == ("README.md",)
    assert conflict.value.production
    assert conflict.value.remedy


@pytest.mark.parametrize("conflicting", [True, False])
async def test_an_old_git_merges_the_same_in_a_worktree(
    repository: GitRepository, git: Git, work: Path, conflicting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if conflicting:
        await diverge(repository, git, work, "one\nother\n")
    main, staging = await repository.tip("main"), await repository.tip("staging")
    new = await repository.preview_merge(staging, main)
    monkeypatch.setattr(merging_module, "_MERGE_TREE_SINCE", (99, 0))
    assert await repository.preview_merge(staging, main) == new
    if not conflicting:
        assert (await repository.merge(staging, main, "Merge")).parents == (main, staging)


async def test_push_moves_the_branch_and_may_be_repeated(repository: GitRepository, git: Git) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    await repository.push(merged.id, "main", expected_tip=main)
    assert await repository.tip("main") == merged.id
    await repository.push(merged.id, "main", expected_tip=main)
    git("fetch", "--quiet")
    assert git("rev-parse", "origin/main^2") == staging


async def test_push_is_refused_when_somebody_was_faster(repository: GitRepository, git: Git, work: Path) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    await diverge(repository, git, work, "one\nthree\n")
    moved = await repository.tip("main")
    with pytest.raises(PushRejected, match="somebody else has pushed") as rejected:
        await repository.push(merged.id, "main", expected_tip=main)
    assert moved[:7] in rejected.value.production
    with pytest.raises(PushRejected, match="take commits away"):
        await repository.push(merged.id, "main", expected_tip=moved)
    assert await repository.tip("main") == moved


async def test_a_race_lost_in_the_push_itself_is_told(
    repository: GitRepository, git: Git, work: Path, remote: Path
) -> None:
    """The remote refuses in its own hook, at the moment of the update."""
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected branch\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PushRejected, match=r"hook declined.*protected branch") as rejected:
        await repository.push(merged.id, "main", expected_tip=main)
    assert rejected.value.production == f"main is unchanged at {main[:7]}."
    assert await repository.tip("main") == main


async def test_a_push_whose_answer_was_lost_is_looked_after(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    run = GitCommand.run

    def lose_answer(self: GitCommand, *arguments: str, **options: object) -> object:
        output = run(self, *arguments, **options)  # type: ignore[arg-type]
        if arguments[0] == "push":
            raise RepositoryError("the connection broke off")
        return output

    monkeypatch.setattr(GitCommand, "run", lose_answer)
    await repository.push(merged.id, "main", expected_tip=main)
    assert await repository.tip("main") == merged.id


async def test_a_push_that_never_arrived_says_so(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    run = GitCommand.run

    def fail(self: GitCommand, *arguments: str, **options: object) -> object:
        if arguments[0] == "push":
            raise RepositoryError("the connection broke off")
        return run(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(GitCommand, "run", fail)
    with pytest.raises(RepositoryError, match="did not succeed") as failed:
        await repository.push(merged.id, "main", expected_tip=main)
    assert failed.value.production == f"main is unchanged at {main[:7]}."


async def test_a_branch_that_is_gone_is_named(repository: GitRepository, git: Git) -> None:
    git("push", "--quiet", "origin", "--delete", "staging")
    with pytest.raises(RepositoryError, match="no branch staging") as gone:
        await repository.tip("staging")
    assert gone.value.remedy
    await repository.fetch()
    with pytest.raises(RepositoryError, match="no branch staging"):
        await repository.resolve("staging")


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch pwned", "-x", "a..b", "a b", "refs/../x", "x.lock", "a~1", "@", "a:b", "", "\nx"]
)
def test_no_name_becomes_an_option(name: str) -> None:
    with pytest.raises(RepositoryError, match="no branch's name"):
        head_ref(name)


async def test_an_unknown_commit_is_named(repository: GitRepository) -> None:
    with pytest.raises(RepositoryError, match="no commit abcdef0"):
        await repository.resolve("abcdef0")
    with pytest.raises(RepositoryError, match="no commit"):
        await repository.is_ancestor("0" * 40, "main")


@pytest.fixture
async def elsewhere(repository: GitRepository, remote: Path, tmp_path: Path) -> GitRepository:
    """The console on another machine: its clone was made, and not fetched since."""
    made = GitRepository(f"file://{remote}", tmp_path / "other" / "clone.git")
    await made.fetch()
    return made


async def test_what_another_machine_pushed_since_is_read_without_being_fetched_first(
    repository: GitRepository, elsewhere: GitRepository, remote: Path, tmp_path: Path
) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    await repository.push(merged.id, "main", expected_tip=main)

    def unfetched(name: str) -> GitRepository:
        shutil.copytree(tmp_path / "other" / "clone.git", tmp_path / name)
        return GitRepository(f"file://{remote}", tmp_path / name)

    assert await unfetched("a").read(merged.id, "services/a.js") == b"old\nnew\n"
    assert await unfetched("b").is_ancestor(staging, merged.id)
    assert await unfetched("c").tree(merged.id) == await repository.tree(staging)
    assert [each.path for each in await unfetched("d").changes(main, merged.id[:10])] == ["README.md", "services/a.js"]
    assert (await unfetched("e").commits(main, merged.id))[0].id == merged.id
    assert await GitRepository(f"file://{remote}", tmp_path / "none").paths(merged.id) == ("README.md", "services/a.js")


async def test_the_remote_is_asked_once_for_a_commit_that_it_does_not_hold(
    repository: GitRepository, elsewhere: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    run, fetches = GitCommand.run, []

    def counted(self: GitCommand, *arguments: str, **options: object) -> object:
        if arguments[0] == "fetch":
            fetches.append(arguments)
        return run(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(GitCommand, "run", counted)
    for _ in range(3):
        with pytest.raises(RepositoryError, match=f"holds no commit {merged.id}"):
            await elsewhere.tree(merged.id)
    assert len(fetches) == 1
    monkeypatch.setattr("console.adapters.repository.clone._ASKED_S", 0.0)
    await repository.push(merged.id, "main", expected_tip=main)
    assert (await elsewhere.resolve(merged.id)).id == merged.id


async def test_an_unknown_commit_of_a_remote_that_does_not_answer_is_not_said_to_be_nowhere(
    elsewhere: GitRepository, remote: Path
) -> None:
    remote.rename(remote.parent / "away.git")
    with pytest.raises(RepositoryError, match=r"does not hold abcdef0, and cannot be brought up to date") as unread:
        await elsewhere.resolve("abcdef0")
    assert unread.value.remedy


async def test_a_shallow_remote_is_refused(remote: Path, tmp_path: Path, git: Git) -> None:
    shallow = tmp_path / "shallow.git"
    git("clone", "--quiet", "--bare", "--depth=1", "--no-single-branch", f"file://{remote}", str(shallow), cwd=tmp_path)
    repository = GitRepository(f"file://{shallow}", tmp_path / "clone.git")
    with pytest.raises(RepositoryError, match="shallow") as refused:
        await repository.fetch()
    assert "--unshallow" in refused.value.remedy
    git("fetch", "--quiet", "--unshallow", f"file://{remote}", cwd=shallow)
    await repository.fetch()
    assert (await repository.resolve("staging")).subject == "Tell more"


async def test_a_remote_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="no repository at the address") as missing:
        await GitRepository(f"file://{tmp_path}/nowhere.git", tmp_path / "clone.git").fetch()
    assert missing.value.remedy


async def test_a_password_in_the_address_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="holds a password") as refused:
        GitRepository("https://me:s3cret-token@host.test/r.git", tmp_path / "clone.git")
    assert "s3cret-token" not in f"{refused.value!r} {refused.value.remedy}"


async def test_without_git_there_is_one_clear_message(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="git is not installed") as missing:
        await GitRepository(f"file://{remote}", tmp_path / "clone.git").fetch()
    assert "Install git" in missing.value.remedy


async def test_a_folder_with_something_else_is_left_alone(remote: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("words")
    with pytest.raises(RepositoryError, match="something else"):
        await GitRepository(f"file://{remote}", folder).fetch()
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


async def test_nothing_of_the_person_or_the_surroundings_interferes(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Git
) -> None:
    """Hooks, signing, aliases, a foreign GIT_DIR and dates: none of them reaches the console's git."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    trap = hooks / "pre-push"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/trapped\nexit 1\n")
    trap.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[core]\n\thooksPath = {hooks}\n\teditor = false\n[commit]\n\tgpgSign = true\n[user]\n\tname = Bea\n"
        "\temail = bea@example.com\n[gpg]\n\tprogram = false\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere" / "index"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    repository = GitRepository(f"file://{remote}", tmp_path / "clone.git")
    await repository.fetch()
    main, staging = await repository.tip("main"), await repository.tip("staging")
    merged = await repository.merge(staging, main, "Merge")
    assert merged.author == "Bea"
    assert merged.at.year > 2001
    await repository.push(merged.id, "main", expected_tip=main)
    assert not (tmp_path / "trapped").exists()


async def test_a_stale_lock_of_a_killed_git_is_overcome(
    repository: GitRepository, git: Git, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.adapters.repository.command._LOCK_WAIT_S", 0.2)
    commit(git, work, "README.md", "three\n", "Another")
    git("push", "--quiet", "origin", "staging")
    lock = tmp_path / "cache" / "clone.git" / "refs" / "remotes" / "origin" / "staging.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    os.utime(lock, (1, 1))
    await repository.fetch()
    assert (await repository.resolve("staging")).subject == "Another"
    assert not lock.exists()


async def test_a_git_that_hangs_is_ended(
    repository: GitRepository, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.adapters.repository.clone.NETWORK_S", 0.2)
    monkeypatch.setenv("GIT_SSH_COMMAND", "sleep 60;")
    hanging = GitRepository("ssh://host.test/r.git", remote.parent / "other.git")
    with pytest.raises(RepositoryError, match="took longer than 0 s"):
        await hanging.tip("main")


async def test_cancelling_a_read_ends_git_and_frees_the_clone(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)  # reading it waits until git runs the command
    monkeypatch.setenv("GIT_SSH_COMMAND", f"echo go > {started}; sleep 60;")
    hanging = GitRepository("ssh://host.test/r.git", tmp_path / "other.git")
    task = asyncio.create_task(hanging.tip("main"))
    await asyncio.to_thread(started.read_text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    with pytest.raises(RepositoryError, match="git ls-remote"):
        await asyncio.wait_for(hanging.tip("main"), 10)
