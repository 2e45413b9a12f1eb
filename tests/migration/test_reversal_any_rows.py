"""Whatever the rows are and whatever users do meanwhile: forward and back is the identity for what nobody touched, and
everything else follows the inverse table or is listed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.domain.plan import MappingRule, Migration
from console.migration.inverse import decisions
from console.migration.mapping import expected_value
from console.migration.reversal import Reversal
from console.migration.runner import MigrationRunner
from console.migration.script import Script
from console.ports import Row
from tests.migration.conftest import Heard
from tests.migration.postgres import LiveDatabase

OLD = ["active", "pending", "expired", "suspended", "cancelled", "Active", "", "it's \\ odd", None]
NEW = ["active", "inactive", "on_hold", "suspended", "cancelled", "archived", None]
PUT = """
INSERT INTO accounts (reference, organisation_id, owner_id, name, license_status, account_type, is_trial, deleted_at)
VALUES (%(key)s, 1, 1, 'x', %(status)s, %(type)s, %(trial)s, CASE WHEN %(deleted)s THEN now() END)
"""
ADD = """
INSERT INTO accounts (reference, organisation_id, owner_id, name, account_status) VALUES (%(key)s, 1, 1, 'y', %(value)s)
"""


@dataclass(frozen=True)
class Account:
    """A row as it was before the migration."""

    status: str | None
    type: str | None
    trial: bool | None
    deleted: bool


accounts = st.builds(
    Account,
    status=st.sampled_from(OLD),
    type=st.sampled_from(["standard", "trial", None]),
    trial=st.sampled_from([True, False, None]),
    deleted=st.booleans(),
)
changes = st.dictionaries(st.integers(0, 11), st.sampled_from([*NEW, "gone", "renamed"]), max_size=6)
inverses = st.dictionaries(st.sampled_from(NEW[:-1]), st.sampled_from(OLD[:-1]), max_size=5)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(accounts, max_size=12),
    changed=changes,
    added=st.lists(st.sampled_from(NEW), max_size=3),
    inverse=inverses,
)
async def test_forward_and_back(
    database: LiveDatabase,
    migration: Migration,
    script: Script,
    before: list[Account],
    changed: Mapping[int, str | None],
    added: list[str | None],
    inverse: Mapping[str, str],
) -> None:
    plan = replace(migration, inverse=tuple(MappingRule(new, old) for new, old in inverse.items()))
    await filled(database, before)
    async with database.session("rc/1/db.migrate") as session:
        await MigrationRunner(session, plan, script, marker="rc/1/db.migrate", report=Heard()).run()
    await users(database, changed, added)
    async with database.session("rc/1/back.schema") as session:
        result = await Reversal(session, plan, marker="rc/1/back.schema", report=Heard()).run()

    rows = {str(row["reference"]): row for row in await database.fetch("SELECT * FROM accounts")}
    names = {str(row["id"]): key for key, row in rows.items()}
    open_keys = {names[row.key] for row in result.undecided}
    assert set(rows) == {
        *(f"B{n}" for n in range(len(before)) if changed.get(n, "") != "gone"),
        *(f"N{n}" for n in range(len(added))),
    }
    for number, account in enumerate(before):
        if (row := rows.get(f"B{number}")) is not None:
            status, decided = expected_back(plan, account, changed.get(number, "renamed"))
            assert old_values(row) == (status, account.type, account.trial)
            assert (f"B{number}" in open_keys) is not decided
    for number, value in enumerate(added):
        answer = decisions(plan).get(value) if value is not None else None
        assert old_values(rows[f"N{number}"]) == (given_for(answer), "standard", False)
        assert (f"N{number}" in open_keys) is (answer is None)


def old_values(row: Row) -> tuple[object, object, object]:
    """The columns that came back."""
    return row["license_status"], row["account_type"], row["is_trial"]


def expected_back(plan: Migration, account: Account, now: str | None) -> tuple[str | None, bool]:
    """The old status of a row that the copy knows, and whether it was decided; `now` as users left it."""
    if now == "renamed" or now == expected_value(plan.mapping, account.status, [account.deleted]):
        return account.status, True
    answer = decisions(plan).get(now) if now is not None else None
    return given_for(answer), answer is not None


def given_for(answer: str | None) -> str:
    """The inverse's answer, or the column's default."""
    return "pending" if answer is None else answer


async def filled(database: LiveDatabase, before: list[Account]) -> None:
    """The table holds these rows and no others; copies of earlier examples are gone."""
    async with database.session("rc/arranging") as session:
        await session.execute("TRUNCATE accounts CASCADE")
        await session.execute("DROP TABLE IF EXISTS accounts_before_020_reverted_1")
        for number, account in enumerate(before):
            values = {"status": account.status, "type": account.type, "trial": account.trial}
            await session.execute(PUT, {"key": f"B{number}", "deleted": account.deleted, **values})


async def users(database: LiveDatabase, changed: Mapping[int, str | None], added: list[str | None]) -> None:
    """What happens between the migration and the way back."""
    async with database.session("crm-backend") as session:
        for number, what in changed.items():
            key = {"key": f"B{number}"}
            if what == "gone":
                await session.execute("DELETE FROM accounts WHERE reference = %(key)s", key)
            elif what == "renamed":
                await session.execute("UPDATE accounts SET name = 'z' WHERE reference = %(key)s", key)
            else:
                update = "UPDATE accounts SET account_status = %(value)s WHERE reference = %(key)s"
                await session.execute(update, {**key, "value": what})
        for number, value in enumerate(added):
            await session.execute(ADD, {"key": f"N{number}", "value": value})
