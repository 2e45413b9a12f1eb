"""What the preflight says of a release that was taken back, against real git repositories."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from console.adapters.repository import Author, GitRepository
from console.domain.findings import Finding
from console.domain.reverts import reapply_name
from console.preflight import repository as family
from console.preflight.ground import Ground
from tests.adapters.test_repository import run_git
from tests.preflight.world import BLOCKER, WARNING, World

CODE = "repo.reverted_release"
LONG = "x\n" * 10
ENDING = "An ending for services/a.js"
FILES = ("migrations/020.sql", "services/a.js", "services/b.js")


@dataclass
class Released:
    """A person's clone of a remote whose `main` has had the release merged; `merge` is that commit."""

    folder: Path
    ground: Ground
    merge: str
    fix: str

    def git(self, *arguments: str) -> str:
        return run_git(self.folder / "work", *arguments)

    def commit(self, path: str, content: str, message: str) -> str:
        file = self.folder / "work" / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD")

    def revert(self, *commits: str) -> str:
        """Revert commits on the branch that is checked out, merges against their first parent."""
        for each in commits:
            merge = self.git("rev-list", "--parents", "-n1", each).count(" ") > 1
            self.git("revert", "--no-edit", *(["-m", "1"] if merge else []), each)
        return self.git("rev-parse", "HEAD")

    async def findings(self) -> dict[str, Finding]:
        """What the family says of what was pushed."""
        self.git("push", "--quiet", "--all")
        ground = await Ground.open(self.ground.plan, self.ground.ports, 60)
        return {finding.code: finding async for finding in family.look(ground)}


@pytest.fixture
def released(world: World, tmp_path: Path) -> Released:
    """The release was merged into main by a merge commit; main is checked out."""
    run_git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    run_git(tmp_path, "clone", "--quiet", "remote.git", "work")
    made = Released(tmp_path, Ground(world.plan, world, NotImplemented), "", "")
    made.commit("README.md", "crm\n", "First")
    made.commit("services/a.js", f"old a\n{LONG}", "Services")
    made.commit("services/a.js", f"old a\n{LONG}end\n", ENDING)
    old = made.commit("services/b.js", "old b\n", "More services")
    made.git("branch", "-M", "main")
    made.git("checkout", "--quiet", "-b", "staging")
    for path in FILES:
        made.fix = made.commit(path, f"new {path}\n{LONG}end\n", f"Change {path}")
    made.git("branch", "devtest")
    made.git("checkout", "--quiet", "main")
    assert made.git("rev-parse", "HEAD") == old
    made.git("merge", "--quiet", "--no-ff", "-m", "Merge staging", "staging")
    made.merge = made.git("rev-parse", "HEAD")
    release = replace(world.plan.release, fix_commit=made.fix[:7], files=FILES)
    migration = replace(world.plan.migration, file=FILES[0])
    author = Author("Rel", "rel@example.com")
    world.repository = GitRepository(  # type: ignore[assignment]
        f"file://{tmp_path}/remote.git", tmp_path / "clone.git", author=author
    )
    made.ground = Ground(replace(world.plan, release=release, migration=migration), world, NotImplemented)
    return made


async def test_a_release_that_stands_is_no_reverted_one(released: Released) -> None:
    found = await released.findings()
    assert CODE not in found
    assert "repository.nothing_new" in found


async def test_a_reverted_merge_brings_nothing_when_it_is_merged_again(released: Released) -> None:
    revert = released.revert(released.merge)
    finding = (await released.findings())[CODE]
    assert finding.severity is BLOCKER
    assert finding.message == "main holds a revert of the release: merging staging brings none of it again."
    assert finding.evidence == f'{revert[:7]} Revert "Merge staging" (of {released.merge[:7]})'
    assert finding.remedy == (
        f"Revert the revert: git revert {revert[:7]} on a branch off main, and merge that into staging."
    )


async def test_the_remedy_works(released: Released) -> None:
    """Done as the finding says, the release comes with all its files, and the finding is gone."""
    revert = released.revert(released.merge)
    released.git("checkout", "--quiet", "-b", "again")
    released.revert(revert)
    released.git("checkout", "--quiet", "staging")
    released.git("merge", "--quiet", "--no-edit", "again")
    assert set(await released.findings()) & {CODE, "repository.unchanged", "repository.nothing_new"} == set()


async def test_the_branch_that_the_console_made_is_offered(released: Released) -> None:
    """The second name: the first is that of an earlier time, and was itself taken back."""
    name = reapply_name(released.merge)
    first = released.revert(released.merge)
    released.git("branch", name, released.revert(first))
    revert = released.revert(name)
    assert name not in (await released.findings())[CODE].remedy
    repository = released.ground.ports.repository
    again = await repository.revert([revert], revert)
    await repository.push(again.id, f"{name}-2", expected_tip="")
    finding = (await released.findings())[CODE]
    assert finding.remedy.startswith(f"Merge {name}-2, which reverts the revert, into staging.")
    assert f"git revert {first[:7]} on a branch off main" in finding.remedy
    released.git("fetch", "--quiet")
    released.git("checkout", "--quiet", "staging")
    released.git("merge", "--quiet", "--no-edit", f"origin/{name}-2")
    assert CODE not in await released.findings()


async def test_the_fix_alone_that_was_reverted_is_told(released: Released) -> None:
    revert = released.revert(released.fix)
    finding = (await released.findings())[CODE]
    assert finding.severity is BLOCKER
    assert finding.evidence == f'{revert[:7]} Revert "Change services/b.js" (of {released.fix[:7]})'


async def test_a_range_that_was_reverted_is_told_newest_first(released: Released) -> None:
    parts = released.git("rev-list", f"{released.merge}^1..{released.merge}^2").split()
    reverts = [released.revert(part)[:7] for part in parts]
    finding = (await released.findings())[CODE]
    assert [each.partition(" ")[0] for each in finding.evidence.split(", ")] == reverts[::-1]
    assert f"git revert {' '.join(reverts[::-1])} on" in finding.remedy


async def test_a_later_fix_brings_only_itself(released: Released) -> None:
    released.revert(released.merge)
    released.git("checkout", "--quiet", "staging")
    released.commit("services/b.js", "newer b\n", "A later fix")
    found = await released.findings()
    assert found[CODE].severity is BLOCKER
    assert "merging staging leaves out migrations/020.sql, services/a.js" in found[CODE].message
    assert "repository.conflict" in found


async def test_a_release_that_was_made_anew_is_a_warning(released: Released) -> None:
    """The same changes in new commits: the merge brings every file, and only a person knows whether that is all."""
    released.revert(released.merge)
    released.git("checkout", "--quiet", "staging")
    released.git("merge", "--quiet", "--no-edit", "main")
    for path in FILES:
        released.commit(path, f"new {path}\n", f"Change {path} again")
    found = await released.findings()
    assert found[CODE].severity is WARNING
    assert found[CODE].message.endswith("merging staging may not bring all of it again.")
    assert "repository.unchanged" not in found


async def test_a_revert_that_was_merged_back_is_found_all_the_same(released: Released) -> None:
    released.revert(released.merge)
    released.git("checkout", "--quiet", "staging")
    released.git("merge", "--quiet", "--no-edit", "main")
    found = await released.findings()
    assert found[CODE].severity is BLOCKER
    assert "repository.nothing_new" in found


async def test_a_revert_that_was_itself_reverted_does_not_count(released: Released) -> None:
    revert = released.revert(released.merge)
    again = released.revert(revert)
    assert CODE not in await released.findings()
    released.revert(again)
    assert revert[:7] in (await released.findings())[CODE].evidence


async def test_reverts_of_something_else_are_not_the_releases(released: Released) -> None:
    """Not even of an older change to a file that the release changes, too."""
    released.revert(released.git("log", "-1", "--format=%H", f"--grep={ENDING}"))
    released.revert(released.commit("notes.md", "x\n", "Notes"))
    released.commit("notes.md", "y\n", f"Careful\n\nThis reverts commit {'f' * 40}.")
    assert CODE not in await released.findings()


async def test_without_a_merge_commit_the_files_tell(released: Released) -> None:
    released.git("reset", "--quiet", "--hard", f"{released.merge}^2")
    unrelated = released.commit("notes.md", "x\n", "Notes")
    first = released.git("rev-list", f"{released.merge}^1..{released.merge}^2").split()[-1]
    released.revert(unrelated)
    revert = released.revert(first)
    finding = (await released.findings())[CODE]
    assert finding.evidence.startswith(revert[:7])
    assert "Notes" not in finding.evidence
