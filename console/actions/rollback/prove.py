"""The last look of a rollback: production held against what it was before, and what it leaves to be done by hand.

Everything is read from the world. What always holds: what the way promised and is not so is a failure that names each
difference; what it never promised (a file that stays different, a schema that it left alone) is said, not hidden.
"""

from console.actions.databases import Databases
from console.actions.deploys import live_deploy
from console.actions.handover import left_by
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.rollback.aftermath import by_hand
from console.actions.rollback.hold import autodeploy_now
from console.actions.rollback.journaled import (
    HOLD,
    RESTORE,
    commit_to_run,
    deployed,
    instance_in_use,
    schema_goes_back,
    target_now,
    way_of,
)
from console.actions.rollback.on_branch import release_span, same_tree, what_stays
from console.actions.rollback.proof import Proof
from console.actions.wording import counted, listed, short
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Tone
from console.domain.plan import Service
from console.domain.standing import Way
from console.errors import StepFailed, VerificationFailed
from console.migration import catalog
from console.ports import Context, Hosting, Report, Repository, Switches

_REMEDY = "Reopen the deploys of the revert when a service runs something else; mend the rest by hand, then retry."


class RollbackProve(ReadOnly):
    """`rollback.prove`: hold code, settings, schema and databases against what they were before the release.

    Evidence: `services` ({key: {`commit`, `deploy`, `identical`}}), `settings` ({key: trigger}), `schema` (old|new|
    `""` for one that no step promised), `databases` ({key: {`place`, `postgres_id`}}), `differs` (paths),
    `by_hand` (sentences), `reverts` (hashes, newest first), `before`, `release` (hashes), `way`.
    """

    def __init__(self, hosting: Hosting, repository: Repository, switches: Switches, databases: Databases) -> None:
        self._hosting = hosting
        self._repository = repository
        self._switches = switches
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """What is held against what."""
        services = ctx.plan.services_in("production")
        return Preview(
            summary="Hold production against what it was before the release",
            facts=(
                *(Fact(service.name, "runs the code from before") for service in services),
                Fact("schema", "as before" if schema_goes_back(ctx) else "left alone by this way"),
                Fact("database", instance_in_use(ctx)),
            ),
            consequences=(Line("Reads only.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Look. Raises StepFailed with everything that is not as the way promised."""
        proof = Proof()
        with in_production(ctx, _REMEDY):
            await report(Progress("reading what each service runs"))
            await self._code(ctx, proof)
            await self._settings(ctx, proof)
            await report(Progress("reading the schema and the databases in use", share=0.5))
            await self._schema(ctx, proof)
            await self._variables(ctx, proof)
            if proof.problems:
                raise StepFailed(_problem(proof), lines=tuple(proof.problems))
            proof.by_hand = by_hand(ctx, proof)
        return _evidence(ctx, proof)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Look once more at code, settings, schema and databases."""
        proof = Proof()
        with in_production(ctx, _REMEDY):
            await self._code(ctx, proof)
            await self._settings(ctx, proof)
            await self._schema(ctx, proof)
            await self._variables(ctx, proof)
            if proof.problems:
                raise VerificationFailed(_problem(proof), lines=tuple(proof.problems))

    async def _code(self, ctx: Context, proof: Proof) -> None:
        """Each service runs the revert; the revert's tree is the one from before, but for what it said beforehand."""
        branch = await target_now(ctx, self._repository)
        span = await release_span(ctx.state, self._repository)
        proof.before, proof.release = span.before, span.commit
        proof.reverts = tuple(each.id for each in branch.reverts)
        if branch.since:
            stays = await what_stays(self._repository, span, branch, branch.tip)
            proof.differs = tuple(each.path for each in stays)
        for service in ctx.plan.services_in("production"):
            live = await live_deploy(self._hosting, service.id)
            if live is None or not live.commit:
                proof.problems.append(f"{service.name} does not say which commit it runs")
                continue
            identical = await same_tree(self._repository, live.commit, proof.before)
            proof.services[service.key] = {"commit": live.commit, "deploy": live.id, "identical": identical}
            expected = await self._expected(ctx, service, proof.before)
            if not identical and not await same_tree(self._repository, live.commit, expected):
                proof.problems.append(f"{service.name} runs {short(live.commit)}, not {short(expected)}")
            what = "the tree from before" if identical else f"{counted(len(proof.differs), 'file')} differ from before"
            proof.lines.append(
                Line(f"{service.name} runs {short(live.commit)}", what, Tone.GOOD if identical else Tone.WARNING)
            )
        if branch.holds and way_of(ctx) is not Way.FIX_ONLY:
            proof.problems.append(f"{ctx.plan.release.target} ({short(branch.tip)}) still holds the release")

    async def _expected(self, ctx: Context, service: Service, before: str) -> str:
        ours = deployed(ctx, service.key)
        if ours is not None:
            return ours.text("commit")
        return before if way_of(ctx) is Way.NOTHING else await commit_to_run(ctx, self._repository)

    async def _settings(self, ctx: Context, proof: Proof) -> None:
        """Autodeploy as it was before the rollback, where the rollback changed it."""
        record = left_by(ctx, RESTORE) or left_by(ctx, HOLD)
        wanted = record.record("settings").data if record is not None else {}
        for service, info in await autodeploy_now(ctx, self._hosting):
            proof.settings[service.key] = info.auto_deploy
            was = wanted.get(service.key, info.auto_deploy)
            if info.auto_deploy != was:
                proof.problems.append(f"autodeploy of {service.name} is {info.auto_deploy}, not {was} as before")
            proof.lines.append(Line(f"autodeploy of {service.name}: {info.auto_deploy}", tone=Tone.GOOD))

    async def _schema(self, ctx: Context, proof: Proof) -> None:
        """The columns from before, in the instance that is in use."""
        migration = ctx.plan.migration
        database = await self._databases.of(ctx.plan, instance_in_use(ctx))
        table = await catalog.resolve_table(database, migration.table)
        columns = await catalog.columns_state(database, migration, table)
        proof.schema = "old" if columns.untouched else "new"
        if columns.untouched:
            what = f"{migration.table} has {listed(migration.removed)}, and not {listed(migration.added)}"
            proof.lines.append(Line(what, tone=Tone.GOOD))
        elif schema_goes_back(ctx):
            missing = [f"column {name} of {migration.table} is missing" for name in columns.gone]
            proof.problems += [*missing, *(f"column {name} of {migration.table} is there" for name in columns.present)]
        else:
            what = f"{migration.table} has the migrated schema, which this way leaves alone"
            proof.lines.append(Line(what, tone=Tone.DANGER))

    async def _variables(self, ctx: Context, proof: Proof) -> None:
        """Where each service's variable leads."""
        used = instance_in_use(ctx)
        services = [each for each in ctx.plan.services_in("production") if each.database_env]
        if not services:
            proof.lines.append(Line("no service names its database variable in the plan", tone=Tone.QUIET))
            return
        places = await self._databases.places(used)
        for service in services:
            place = await self._switches.database_of(service.id, service.database_env)
            proof.databases[service.key] = {"place": str(place), "postgres_id": used if place in places else ""}
            if place not in places:
                proof.problems.append(f"{service.database_env} of {service.name} leads to {place}, not to {used}")
            proof.lines.append(Line(f"{service.database_env} of {service.name} leads to {place}", used, Tone.GOOD))


def _problem(proof: Proof) -> str:
    more = f" (and {len(proof.problems) - 1} more)" if len(proof.problems) > 1 else ""
    return f"Production is not what the rollback promised: {proof.problems[0]}{more}."


def _evidence(ctx: Context, proof: Proof) -> Evidence:
    same = all(each["identical"] is True for each in proof.services.values())
    code = "the code from before" if same else f"{counted(len(proof.differs), 'file')} differ from before"
    schema = "the schema from before" if proof.schema == "old" else "the migrated schema"
    return Evidence(
        f"{code}, {schema}; {counted(len(proof.by_hand), 'thing')} left to be done by hand",
        {**proof.data(), "way": str(way_of(ctx) or "")},
        proof.sections(),
    )
