"""After the migration, from outside: the schema, every row, and what still names the columns that are gone.

Rows that users have written since are theirs, counted apart and never called wrong.
"""

import asyncio
from collections.abc import Mapping

from console.actions.deploys import live_deploy
from console.actions.handover import left_by, moment_text
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.released import released_commit
from console.actions.wording import counted, listed, short
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.domain.plan import Json
from console.errors import StepFailed, VerificationFailed
from console.migration import integrity
from console.migration.code_references import CodeReference, Place, code_references
from console.migration.dependents import leftovers
from console.migration.script import parse_script
from console.ports import Context, Database, Hosting, Report, Repository

_REMEDY = "Look at what differs. Mend it, or bring the old columns back from the saved copy by rolling back."
_READ_AT_ONCE = 8


class VerifySchema(ReadOnly):
    """`verify.schema`: columns, views (each is read), the file's indexes, the history row, the saved copy.

    Evidence: `verified_at` (console's clock), `indexes`, `views`, `history` (bool).
    """

    def __init__(self, database: Database, repository: Repository) -> None:
        self._database = database
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """What must be there and what must be gone."""
        migration = ctx.plan.migration
        return Preview(
            summary="Look whether the schema is as the plan wants it",
            facts=(
                Fact("gone", listed(migration.removed)),
                Fact("there", listed(migration.added)),
                Fact("views", listed(migration.views)),
                Fact("history", f"{migration.history.table} knows {migration.version}"),
            ),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Look. Raises StepFailed with everything that is not as planned."""
        await report(Progress("reading the catalog"))
        with in_production(ctx, _REMEDY):
            indexes = await self._indexes(ctx)
            found = await integrity.check_shape(self._database, ctx.plan.migration, indexes)
            _require(found.problems, "The schema is not as the plan wants it")
        migration = ctx.plan.migration
        lines = (
            *(Line(f"column {name} is gone", tone=Tone.GOOD) for name in migration.removed),
            *(Line(f"column {name} is there", tone=Tone.GOOD) for name in migration.added),
            *(Line(f"view {name} can be read", tone=Tone.GOOD) for name in migration.views),
            *(Line(f"index {name} is valid", tone=Tone.GOOD) for name in indexes),
            Line(f"{migration.history.table} knows {migration.version}", tone=Tone.GOOD),
            Line(f"{migration.saved_copy} keeps what was dropped", tone=Tone.GOOD),
        )
        return Evidence(
            f"{counted(len(lines), 'thing')} as planned: columns, views, indexes, history, saved copy",
            {
                "verified_at": moment_text(ctx.clock.now()),
                "indexes": list(indexes),
                "views": list(migration.views),
                "history": True,
            },
            (Section("Schema", lines),),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Columns, views and history once more."""
        with in_production(ctx, _REMEDY):
            found = await integrity.check_shape(self._database, ctx.plan.migration)
            if found.problems:
                raise VerificationFailed(f"{found.problems[0]}.", lines=found.problems)

    async def _indexes(self, ctx: Context) -> tuple[str, ...]:
        """The names of the indexes that the file creates and does not drop again."""
        commit = await released_commit(ctx, self._repository)
        path = ctx.plan.migration.file
        script = parse_script(path, await self._repository.read(commit, path))
        return tuple(item.name for item in script.creates if item.kind == "index")


class VerifyIntegrity(ReadOnly):
    """`verify.integrity`: every saved row is as the mapping has it; nothing is NULL or outside the domain.

    Evidence: `saved`, `right`, `written_since`, `changed_since`, `deleted_since`, `inserted_since`, `counts`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def preview(self, ctx: Context) -> Preview:
        """What is compared with what."""
        mapping = ctx.plan.migration.mapping
        return Preview(
            summary=f"Hold every row of {ctx.plan.migration.table} against {ctx.plan.migration.saved_copy}",
            facts=(Fact("domain", ", ".join(mapping.domain)),),
            sections=(Section("Mapping", tuple(Line(f"{r.value} → {r.becomes}") for r in mapping.rules)),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Compare. Raises StepFailed with the first rows that differ."""
        await report(Progress("comparing every row with the saved copy"))
        migration = ctx.plan.migration
        with in_production(ctx, _REMEDY):
            rows, domain = await self._look(ctx)
            _require(_row_problems(rows) + _domain_problems(domain), "The data are not as the mapping has them")
            counts = await integrity.check_counts(self._database, migration)
        now = {str(value): rows for value, rows in counts.now}
        mapped = tuple(
            Line(f"{value}: {expected:,} by the mapping, {now.get(value, 0):,} now")
            for value, expected in counts.mapped
        )
        since = Line(
            f"written since: {rows.written_since:,} (value changed: {rows.changed_since:,}), "
            f"deleted {rows.deleted_since:,}, new {rows.inserted_since:,}"
        )
        return Evidence(
            f"{counted(rows.saved, 'row')} accounted for, none wrong, none NULL, none outside the domain",
            {
                "saved": rows.saved,
                "right": rows.right,
                "written_since": rows.written_since,
                "changed_since": rows.changed_since,
                "deleted_since": rows.deleted_since,
                "inserted_since": rows.inserted_since,
                "counts": {**now},
            },
            (Section("Values", mapped), Section("Users meanwhile", (since,))),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Look once more."""
        with in_production(ctx, _REMEDY):
            rows, domain = await self._look(ctx)
            problems = _row_problems(rows) + _domain_problems(domain)
            if problems:
                raise VerificationFailed(f"{problems[0]}.", lines=tuple(problems))

    async def _look(self, ctx: Context) -> tuple[integrity.RowsCheck, integrity.DomainCheck]:
        migrated = left_by(ctx, "migrate.run")
        baseline = integrity.Baseline.from_data(migrated.data) if migrated is not None else None
        rows = await integrity.check_rows(self._database, ctx.plan.migration, baseline)
        return rows, await integrity.check_domain(self._database, ctx.plan.migration)


class VerifyOrphans(ReadOnly):
    """`verify.orphans`: nothing in the catalog, in function bodies or in the deployed code names a dropped column.

    Evidence: `commits` ({service: commit}), `files` (how many were read), `comments` (mentions in comments only).
    """

    def __init__(self, database: Database, repository: Repository, hosting: Hosting) -> None:
        self._database = database
        self._repository = repository
        self._hosting = hosting

    async def preview(self, ctx: Context) -> Preview:
        """Which names are looked for, where."""
        migration = ctx.plan.migration
        return Preview(
            summary=f"Look for {listed(migration.removed)} in the catalog, in functions and in the deployed code",
            facts=(Fact("code", listed(migration.code_paths)), Fact("exempt", migration.saved_copy)),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Look. Raises StepFailed with every reference that is left."""
        migration = ctx.plan.migration
        with in_production(ctx, _REMEDY):
            await report(Progress("reading the catalog and the functions"))
            problems = await self._in_database(ctx)
            await report(Progress("reading the deployed code", share=0.5))
            commits = await self._live_commits(ctx)
            files = 0
            comments: list[CodeReference] = []
            for commit in sorted(set(commits.values())):
                texts = await self._files(commit, migration.code_paths)
                files += len(texts)
                for found in code_references(texts, migration.removed):
                    if found.place is Place.COMMENT:
                        comments.append(found)
                    else:
                        problems.append(f"{short(commit)} {found}")
            _require(
                problems, f"{listed(migration.removed)} {'is' if len(migration.removed) == 1 else 'are'} still named"
            )
        data: dict[str, Json] = {"commits": {**commits}, "files": files, "comments": len(comments)}
        remarks = tuple(Line(str(found), note="in a comment", tone=Tone.QUIET) for found in comments)
        services = tuple(Line(f"{key} runs {short(commit)}") for key, commit in commits.items())
        return Evidence(
            f"none in the catalog, in functions and in {counted(files, 'file')} of the deployed code",
            data,
            tuple(s for s in (Section("Deployed code", services), Section("In comments", remarks)) if s.lines),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Catalog and functions once more."""
        with in_production(ctx, _REMEDY):
            problems = await self._in_database(ctx)
            if problems:
                raise VerificationFailed(problems[0], lines=tuple(problems))

    async def _in_database(self, ctx: Context) -> list[str]:
        return [str(reference) for reference in await leftovers(self._database, ctx.plan.migration)]

    async def _live_commits(self, ctx: Context) -> dict[str, str]:
        """The commit that each production service runs. Raises StepFailed where that is not known."""
        commits: dict[str, str] = {}
        for service in ctx.plan.services_in("production"):
            live = await live_deploy(self._hosting, service.id)
            if live is None or not live.commit:
                raise StepFailed(f"{service.name} does not say which commit it runs.", remedy="Look at its deploys.")
            commits[service.key] = live.commit
        return commits

    async def _files(self, commit: str, folders: tuple[str, ...]) -> Mapping[str, bytes]:
        await self._repository.fetch()
        paths = [path for path in await self._repository.paths(commit) if _within(path, folders)]
        gate = asyncio.Semaphore(_READ_AT_ONCE)

        async def read(path: str) -> tuple[str, bytes]:
            async with gate:
                return path, await self._repository.read(commit, path)

        return dict(await asyncio.gather(*map(read, paths)))


def _within(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _require(problems: list[str] | tuple[str, ...], what: str) -> None:
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise StepFailed(f"{what}: {problems[0]}{more}.", lines=tuple(problems))


def _row_problems(rows: integrity.RowsCheck) -> list[str]:
    if rows.passed:
        return []
    if not rows.wrong:
        return [f"of {rows.saved:,} saved rows only {rows.right:,} are accounted for"]
    more = rows.wrong - len(rows.differing)
    return [*map(str, rows.differing), *([f"and {more:,} rows more"] if more else [])]


def _domain_problems(domain: integrity.DomainCheck) -> list[str]:
    nulls = [f"{counted(domain.nulls, 'row')} without a value"] if domain.nulls else []
    return [*nulls, *(f"{value!r} is outside the domain: {counted(rows, 'row')}" for value, rows in domain.outside)]
