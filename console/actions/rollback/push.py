"""The push of the revert: never forced, onto the tip that it was made for, and only while nothing deploys by itself.

A push whose answer was lost is looked for at the remote, by ancestry.
"""

from console.actions.handover import Record, moment_text, must_have_left, recorded_before
from console.actions.production import in_production
from console.actions.released import contains, require_held, what_moved
from console.actions.rollback.hold import OFF, autodeploy_now
from console.actions.rollback.journaled import HOLD, REVERT, left_out, target_now
from console.actions.rollback.revert import FIX
from console.actions.wording import commit_section, counted, file_section, listed, short
from console.domain.hosting import ServiceInfo
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Service
from console.errors import PushRejected, RepositoryError, StepFailed, VerificationFailed
from console.ports import Context, Hosting, Report, Repository

_REMEDY = "Look at the target branch; retrying pushes only what is missing."


class RollbackPush:
    """`rollback.push`: push the revert to the target branch.

    before: `tip`, `commit`, `provider_time`. Durable progress: `pushed` (commit), `pushed_at`.
    Evidence: `commit`, `branch`, `old_tip`, `pushed_at` (provider's time).
    """

    destructive = True

    def __init__(self, repository: Repository, hosting: Hosting) -> None:
        self._repository = repository
        self._hosting = hosting

    async def preview(self, ctx: Context) -> Preview:
        """Commits, files, guards. Raises StepFailed when the branch moved, or a push would deploy by itself."""
        target = ctx.plan.release.target
        with in_production(ctx, _REMEDY):
            revert = must_have_left(ctx, REVERT)
            commit, base = revert.text("commit"), revert.text("base")
            await self._repository.fetch()
            tip = await self._repository.tip(target)
            await require_held(
                *(ctx, self._repository, commit, tip),
                what="revert",
                remedy="Go back to the revert: it is made anew in this machine's clone.",
            )
            pushed = await self._repository.is_ancestor(commit, tip)
            if not pushed and tip != base:
                raise await self._moved(ctx, base, tip)
            services = await autodeploy_now(ctx, self._hosting)
            if not pushed:
                _require_held(ctx, services)
            commits = await self._repository.commits(base, commit)
            files = await self._repository.changes(base, commit)
            provider_time = await self._hosting.now()
        return Preview(
            summary=f"{target} already holds {short(commit)}"
            if pushed
            else f"Push {short(commit)} to {target}: {counted(len(commits), 'commit')}, {counted(len(files), 'file')}",
            facts=(
                Fact("revert", commit),
                Fact(f"tip of {target} at the remote", tip),
                *(Fact(service.name, f"autodeploy {info.auto_deploy}") for service, info in services),
            ),
            consequences=(
                Line(
                    f"{target} no longer holds {_what(ctx)}: no later deploy of it brings that back.", tone=Tone.WARNING
                ),
                Line("Nothing is deployed by the push itself; the next steps deploy this commit."),
                Line("These commits reach production again only when the revert is reverted.", tone=Tone.QUIET),
            ),
            sections=(
                *commit_section("Commits", commits),
                file_section(files, ctx.plan.release.files),
                _compared(revert),
            ),
            before={"tip": tip, "commit": commit, "provider_time": moment_text(provider_time)},
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the remote's branch contains the revert."""
        before = recorded_before(ctx)
        with in_production(ctx, _REMEDY):
            commit, tip = before.text("commit"), await self._tip(ctx)
            if not await contains(self._repository, tip, commit):
                return NotDone(f"{ctx.plan.release.target} stands at {short(tip)}, without {short(commit)}.")
        return Done(_evidence(ctx))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Push. Raises StepFailed saying who moved the branch when it is refused."""
        before = recorded_before(ctx)
        commit, target = before.text("commit"), ctx.plan.release.target
        with in_production(ctx, _REMEDY):
            if await self._repository.is_ancestor(commit, before.text("tip")):
                return _evidence(ctx)
            await report(Progress(f"pushing {short(commit)} to {target}"))
            pushed_at = moment_text(await self._hosting.now())
            await self._push(ctx, commit, before.text("tip"))
            data = {"pushed": commit, "pushed_at": pushed_at}
            await report(Progress(f"{short(commit)} is pushed", data=dict(data), durable=True))
        return _evidence(ctx, pushed_at)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The remote's branch contains the revert; or, done by hand, does not hold the release."""
        target = ctx.plan.release.target
        with in_production(ctx, _REMEDY):
            commit = str(evidence.data.get("commit", ""))
            if not commit:
                branch = await target_now(ctx, self._repository)
                if branch.holds:
                    raise VerificationFailed(f"{target} ({short(branch.tip)}) still holds the release.")
                return
            tip = await self._tip(ctx)
            if not await contains(self._repository, tip, commit):
                raise VerificationFailed(f"{target} at the remote ({short(tip)}) does not contain {short(commit)}.")

    async def _tip(self, ctx: Context) -> str:
        await self._repository.fetch()
        return await self._repository.tip(ctx.plan.release.target)

    async def _push(self, ctx: Context, commit: str, tip: str) -> None:
        target = ctx.plan.release.target
        try:
            await self._repository.push(commit, target, expected_tip=tip)
        except PushRejected as error:
            now = await self._tip(ctx)
            if now != tip:
                raise await self._moved(ctx, tip, now) from error
            raise StepFailed(
                f"The remote refused the push to {target}: {error.message}",
                remedy="Allow this push at the remote (branch protection, rights), then retry.",
            ) from error
        except RepositoryError:
            if not await self._repository.is_ancestor(commit, await self._tip(ctx)):
                raise

    async def _moved(self, ctx: Context, old: str, new: str) -> StepFailed:
        target = ctx.plan.release.target
        return StepFailed(
            f"{target} moved since the revert was made, from {short(old)} to {short(new)}; the revert was not pushed.",
            remedy="Look at what came in, then reopen the revert: it is made anew on the new tip.",
            lines=await what_moved(self._repository, old, new),
        )


def _require_held(ctx: Context, services: list[tuple[Service, ServiceInfo]]) -> None:
    """A push that deploys by itself races with the deploys of the rollback; who left the hold out has accepted that."""
    on = [f"{service.name} ({info.auto_deploy})" for service, info in services if info.auto_deploy != OFF]
    if on and not left_out(ctx, HOLD):
        raise StepFailed(
            f"Autodeploy is on: {listed(on)}. The push would deploy by itself, beside what the rollback deploys.",
            remedy="Reopen the step that switches autodeploy off, then retry.",
        )


def _what(ctx: Context) -> str:
    revert = must_have_left(ctx, REVERT)
    return f"{short(revert.texts('reverts')[0])} alone" if revert.data.get("scope") == FIX else "the release"


def _compared(revert: Record) -> Section:
    before = short(revert.text("compared_with"))
    if revert.data.get("identical") is True:
        return Section("Compared", (Line(f"the tree is that of {before}, from before the release", tone=Tone.GOOD),))
    lines = tuple(Line(path, tone=Tone.WARNING) for path in revert.texts("differs"))
    return Section(f"Stays different from {before}, from before the release", lines)


def _evidence(ctx: Context, pushed_at: str = "") -> Evidence:
    before = recorded_before(ctx)
    commit, branch = before.text("commit"), ctx.plan.release.target
    recorded = [str(data["pushed_at"]) for data in ctx.recorded if "pushed_at" in data]
    return Evidence(
        f"{branch} holds {short(commit)} (was {short(before.text('tip'))})",
        {
            "commit": commit,
            "branch": branch,
            "old_tip": before.text("tip"),
            "pushed_at": pushed_at or (recorded[-1] if recorded else before.text("provider_time")),
        },
    )
