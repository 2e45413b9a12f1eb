"""The declared checks of the running system, as one step: the old release's before, the new one's after.

A check that is not meant for the release which runs now is refused, not skipped: a step that says it checked
something has checked it.
"""

from collections.abc import Mapping

from console.actions.check_run import CheckResult, CheckRun
from console.actions.databases import Databases
from console.actions.handover import unfinished
from console.actions.own_rows import OWN, OwnRows
from console.actions.production import in_production
from console.actions.rollback.journaled import instance_in_use
from console.actions.wording import counted, listed
from console.domain.outcome import Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Check, Json
from console.domain.released import pushed
from console.errors import StepFailed, Stopped, VerificationFailed
from console.ports import Context, Database, Report, Web

_REMEDY = "Look at the service's log. Repair and retry, or roll back."


class ChecksRun:
    """`checks.run`: run the step's checks, in order, each with its clean-up.

    before: `unclean` ({check: captured}) what an unfinished attempt may have left; `own` what it wrote.
    Durable progress: `check` with `captured` or `cleaned`; `own` (see `console.actions.own_rows`).
    Evidence: `release` (old|new), `checks` ({id: {`requests`, `slowest_ms`}}), `marker`, `own`.
    """

    destructive = False

    def __init__(self, web: Web, databases: Databases) -> None:
        self._web = web
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """The requests, what they may write, and what an earlier attempt left to be removed first."""
        with in_production(ctx, _REMEDY):
            checks = _checks(ctx)
        writes = sorted({table for check in checks for table in check.writes})
        unclean = _unclean(ctx)
        consequences = [Line("Reads only.", tone=Tone.GOOD)]
        if writes:
            consequences = [Line(f"Writes rows marked {ctx.marker} to {listed(writes)}, and removes them again.")]
        if unclean:
            consequences.append(Line(f"Removes first what an earlier attempt left: {listed(unclean)}."))
        return Preview(
            summary=f"Run {counted(len(checks), 'check')} against the running services",
            facts=tuple(Fact(check.id, check.title) for check in checks),
            consequences=tuple(consequences),
            sections=tuple(Section(check.title, _planned_lines(check)) for check in checks),
            before={"unclean": unclean, OWN: _written_before(ctx)},
        )

    async def probe(self, ctx: Context) -> Probe:
        """Checks prove only what they saw to the end: they are run again, after a clean-up."""
        return NotDone("Checks are simply run again; what the last attempt created is removed first.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Run them all, then raise StepFailed with everything that was not as expected."""
        with in_production(ctx, _REMEDY):
            checks = _checks(ctx)
            tables = sorted({table for check in checks for table in check.writes})
            known = ctx.before.get(OWN)
            database = await self._in_use(ctx)
            own = OwnRows(database, ctx.marker, tables, report, known if isinstance(known, dict) else {})
            await own.begin()
            runner = CheckRun(ctx, self._web, database, report, own)
            await self._clean_earlier(ctx, runner)
            results: list[CheckResult] = []
            for number, check in enumerate(checks):
                if ctx.stopping():
                    raise Stopped("Stopped between two checks; nothing was left behind.")
                await report(Progress(check.title, share=number / len(checks)))
                results.append(await runner.run(check))
            _raise_for(results)
        return _evidence(ctx, results, own)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Nothing that bears this step's mark is left in the database."""

        async def unheard(progress: Progress) -> None:
            """A look from outside has nothing to report."""

        with in_production(ctx, f"Remove the rows marked {ctx.marker} by hand, then retry."):
            runner = CheckRun(ctx, self._web, await self._in_use(ctx), unheard)
            left = [problem for check in _checks(ctx) for problem in await runner.leftovers(check)]
            if left:
                raise VerificationFailed("The checks left something behind.", lines=tuple(left))

    async def _in_use(self, ctx: Context) -> Database:
        """The database that the services use: on a way back perhaps another than the plan's. Raises HostingError."""
        used = instance_in_use(ctx) if _going_back(ctx) else ctx.plan.database.postgres_id
        return await self._databases.of(ctx.plan, used)

    async def _clean_earlier(self, ctx: Context, runner: CheckRun) -> None:
        unclean = ctx.before.get("unclean")
        for check_id, captured in (unclean if isinstance(unclean, dict) else {}).items():
            problems = await runner.clean(ctx.plan.check(check_id), captured if isinstance(captured, dict) else {})
            if problems:
                raise StepFailed(
                    "What an earlier attempt created could not be removed.",
                    remedy=f"Remove what is marked {ctx.marker} by hand, then retry.",
                    lines=tuple(problems),
                )


def _checks(ctx: Context) -> tuple[Check, ...]:
    """The step's checks. Raises StepFailed when one is not for the release that runs now."""
    named = ctx.step.params.get("checks")
    ids = [str(check_id) for check_id in named] if isinstance(named, list) else []
    checks = tuple(ctx.plan.check(check_id) for check_id in ids)
    running = _release(ctx)
    other = [check.title for check in checks if check.release not in ("both", running)]
    if other:
        raise StepFailed(
            f"{listed(other)}: meant for another release than the {running} one, which runs now.",
            remedy="Name checks for this release in the step, or correct their `release` in the plan.",
        )
    return checks


def _release(ctx: Context) -> str:
    """Which release is to be checked: a way back brings the old one, whatever was pushed before."""
    if _going_back(ctx):
        return "old"
    return "new" if pushed(ctx.state) else "old"


def _going_back(ctx: Context) -> bool:
    way = ctx.state.rollback
    return way is not None and ctx.step.id in way.steps


def _unclean(ctx: Context) -> dict[str, Json]:
    """What an unfinished attempt journaled and did not clean up: captured names by check."""
    earlier = unfinished(ctx)
    inherited = earlier.before.get("unclean")
    unclean: dict[str, Json] = dict(inherited) if isinstance(inherited, dict) else {}
    for data in earlier.progress:
        check_id = data.get("check")
        if not isinstance(check_id, str):
            continue
        if data.get("cleaned"):
            unclean.pop(check_id, None)
        else:
            captured = data.get("captured")
            unclean[check_id] = dict(captured) if isinstance(captured, Mapping) else {}
    return unclean


def _planned_lines(check: Check) -> tuple[Line, ...]:
    requests = [Line(f"{request.method} {request.path}", note=request.service) for request in check.requests]
    queries = [Line(" ".join(query.sql.split())) for query in check.queries]
    cleanup = [Line(f"{r.method} {r.path}", note="clean-up", tone=Tone.QUIET) for r in check.cleanup]
    return (*requests, *queries, *cleanup)


def _raise_for(results: list[CheckResult]) -> None:
    failed = [result for result in results if result.problems]
    if failed:
        more = sum(len(result.problems) for result in failed) - 1
        raise StepFailed(
            f"{failed[0].check.title}: {failed[0].problems[0]}" + (f" (and {more} more)" if more else ""),
            lines=tuple(f"{r.check.title}: {problem}" for r in failed for problem in r.problems),
        )


def _written_before(ctx: Context) -> dict[str, Json]:
    """What the unfinished attempt found of its own rows, with what it knew from those before it."""
    earlier = unfinished(ctx)
    found = [data[OWN] for data in (earlier.before, *earlier.progress) if isinstance(data.get(OWN), dict)]
    last = found[-1] if found else {}
    return dict(last) if isinstance(last, dict) else {}


def _evidence(ctx: Context, results: list[CheckResult], own: OwnRows) -> Evidence:
    requests = sum(result.requests for result in results)
    slowest = max((result.slowest for result in results), default=0.0)
    return Evidence(
        f"{counted(len(results), 'check')} passed, {counted(requests, 'request')}, slowest {slowest:.0f} ms",
        {
            "release": _release(ctx),
            "marker": ctx.marker,
            OWN: own.data,
            "checks": {
                result.check.id: {"requests": result.requests, "slowest_ms": round(result.slowest, 1)}
                for result in results
            },
        },
        (
            *(Section(result.check.title, tuple(result.lines)) for result in results),
            *((Section("Not known", (Line(own.trouble, tone=Tone.WARNING),)),) if own.trouble else ()),
        ),
    )
