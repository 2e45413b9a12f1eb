"""The way forward again: a branch that reverts the revert, for without it these commits can never be released again.

What always holds: no branch that exists is moved, and no service is touched: nothing tracks the new branch.
"""

from console.actions.handover import Record, json_texts, recorded_before
from console.actions.merge import skip_phrase
from console.actions.production import in_production
from console.actions.rollback.journaled import target_now
from console.actions.rollback.on_branch import release_span
from console.actions.rollback.revert import revert_message
from console.actions.source import REPOSITORY_REMEDY
from console.actions.wording import commit_section, short
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Tone
from console.domain.plan import Json
from console.domain.reverts import reapply_name
from console.errors import MergeConflict, PushRejected, RepositoryError, StepFailed, VerificationFailed
from console.ports import Context, Report, Repository

_NAMES = 20


class ReapplyBranch:
    """`rollback.reapply_branch`: push a branch off the target's tip that brings the release again.

    before: `tip`, `branch`, `reverts` (newest first). Durable progress: `commit`, `branch`.
    Evidence: `branch`, `commit`.
    """

    destructive = True

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """The branch's name and what it reverts. Raises StepFailed when there is no revert to be reverted."""
        target = ctx.plan.release.target
        with in_production(ctx, REPOSITORY_REMEDY):
            branch = await target_now(ctx, self._repository)
            reverts = branch.reverts
            if not reverts:
                raise StepFailed(
                    f"{target} ({short(branch.tip)}) holds no revert of the release: nothing is to be taken back.",
                    remedy="Leave this step out.",
                )
            span = await release_span(ctx.state, self._repository)
            name = await self._free_name(reapply_name(span.commit))
        return Preview(
            summary=f"Push the new branch {name}, which brings the release again",
            facts=(
                Fact("branch", name),
                Fact(f"tip of {target}", branch.tip),
                *(Fact("reverts", each.id) for each in reverts),
            ),
            consequences=(
                Line(f"Nothing is deployed, {target} does not move; merge {name} when the release is mended."),
                Line(f"Without it, merging {ctx.plan.release.source} again brings nothing.", tone=Tone.WARNING),
            ),
            sections=commit_section("Reverts", reverts),
            before={"tip": branch.tip, "branch": name, "reverts": json_texts(each.id for each in reverts)},
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the branch stands at the commit that was recorded."""
        commits = [str(data["commit"]) for data in ctx.recorded if "commit" in data]
        name = recorded_before(ctx).text("branch")
        with in_production(ctx, REPOSITORY_REMEDY):
            if commits and await self._at(name) == commits[-1]:
                return Done(_evidence(name, commits[-1]))
        return NotDone(f"There is no branch {name} of ours at the remote.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Make the commits and push them as a new branch. Raises StepFailed on a conflict or a taken name."""
        before = recorded_before(ctx)
        name = before.text("branch")
        with in_production(ctx, REPOSITORY_REMEDY):
            reverts = [await self._repository.resolve(each) for each in before.texts("reverts")]
            try:
                commit = await self._repository.revert(
                    [each.id for each in reverts],
                    before.text("tip"),
                    messages=[revert_message(each, "Reapply", ctx.run) for each in reverts],
                )
            except MergeConflict as conflict:
                raise StepFailed(
                    "The revert cannot be reverted by itself: somebody changed the same lines since.",
                    remedy="Leave this step out, and revert the revert by hand before the next release.",
                    lines=tuple(f"conflict in {path}" for path in conflict.files),
                ) from conflict
            data: dict[str, Json] = {"commit": commit.id, "branch": name}
            await report(Progress(f"pushing {commit.short} as {name}", data=data, durable=True))
            await self._push(commit.id, name)
        return _evidence(name, commit.id)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The branch is at the remote, and its commits would be deployed."""
        record = Record(f"“{ctx.step.title}”", evidence.data)
        if "branch" not in record:
            return  # by hand: which branch the person made, nobody was told
        with in_production(ctx, REPOSITORY_REMEDY):
            name, commit = record.text("branch"), record.text("commit")
            if await self._at(name) != commit:
                raise VerificationFailed(f"{name} at the remote is not at {short(commit)}.")
            phrase = skip_phrase((await self._repository.resolve(commit)).message)
            if phrase is not None:
                raise VerificationFailed(f"The message of {short(commit)} contains “{phrase}”.")

    async def _push(self, commit: str, name: str) -> None:
        try:
            await self._repository.push(commit, name, expected_tip="")
        except PushRejected as error:
            raise StepFailed(
                f"The branch {name} was not made: {error.message}",
                remedy="Retry: the console looks for a free name.",
            ) from error
        except RepositoryError:
            if await self._at(name) != commit:
                raise

    async def _free_name(self, wanted: str) -> str:
        names = (wanted, *(f"{wanted}-{number}" for number in range(2, _NAMES)))
        for name in names:
            if await self._at(name) is None:
                return name
        raise StepFailed(f"Branches {wanted} to {names[-1]} all exist.", remedy="Delete those that nobody needs.")

    async def _at(self, branch: str) -> str | None:
        """The tip of a branch at the remote; None when there is no such branch."""
        await self._repository.fetch()
        try:
            return (await self._repository.resolve(branch)).id
        except RepositoryError:
            # The remote was just read: what the clone does not know of is not there.
            return None


def _evidence(name: str, commit: str) -> Evidence:
    return Evidence(f"{name} ({short(commit)}) brings the release again", {"branch": name, "commit": commit})
