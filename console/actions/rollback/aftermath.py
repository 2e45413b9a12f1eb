"""What a rollback leaves to be done by hand: said at its end, in the record and on the closing screen."""

from console.actions.handover import left_by
from console.actions.rollback.journaled import SWITCH, instance_in_use, way_of
from console.actions.rollback.proof import Proof
from console.actions.wording import counted, listed, short
from console.domain.standing import Way
from console.ports import Context


def by_hand(ctx: Context, proof: Proof) -> tuple[str, ...]:
    """A sentence for each thing that only a person can do, the next release's first."""
    return (*_code(ctx, proof), *_schema(ctx, proof), *_databases(ctx))


def _code(ctx: Context, proof: Proof) -> tuple[str, ...]:
    plan = ctx.plan.release
    if not proof.reverts:
        return ()
    reverts = f"revert{'' if len(proof.reverts) == 1 else 's'} {listed(map(short, proof.reverts))}"
    again = (
        f"Revert the {reverts} before {short(proof.release)} can be released again: merging {plan.source} alone would "
        "say “already up to date”."
    )
    if not proof.differs:
        return (again,)
    what = (
        f"{counted(len(proof.differs), 'file')} on {plan.target} still differ{'s' if len(proof.differs) == 1 else ''}"
    )
    return (again, f"{what} from before the release: {listed(proof.differs)}. Decide whether they are to stay.")


def _schema(ctx: Context, proof: Proof) -> tuple[str, ...]:
    migration = ctx.plan.migration
    if proof.schema == "new":
        return (
            f"{migration.table} has the migrated schema: the old code needs {listed(migration.removed)}. Choose a way "
            "that brings the schema back.",
        )
    schema = left_by(ctx, "rollback.schema") if way_of(ctx) is Way.SCHEMA else None
    if schema is None:
        return ()
    kept = f"{migration.saved_copy} is kept until somebody removes it, here or by hand."
    undecided = schema.data.get("undecided")
    if not isinstance(undecided, list) or not undecided:
        return (kept,)
    rows = counted(len(undecided), "row")
    return (f"Decide {rows} of {migration.table} that the inverse mapping leaves open: listed with that step.", kept)


def _databases(ctx: Context) -> tuple[str, ...]:
    used, home = instance_in_use(ctx), ctx.plan.database.postgres_id
    if used == home:
        return ()
    switch = left_by(ctx, SWITCH)
    old = switch.text("old_postgres_id") if switch is not None and "old_postgres_id" in switch else home
    return (
        f"The old instance {old} is kept, with all that was written to it: delete it when nobody needs it.",
        f"Name {used} as [database] postgres_id in the plan, and its connection string, before the next run.",
    )
