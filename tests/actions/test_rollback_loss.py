"""The data-loss meter: its figures are what users wrote, and what the console itself wrote is not in them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from console.actions.checks import ChecksRun
from console.actions.databases import Databases
from console.actions.rollback.loss import measure
from console.actions.rollback.loss_figures import by_counters
from console.actions.rollback.loss_marks import mark_of_backup, mark_of_migration, moment_to_recover, reachable_at
from console.adapters.database.session import PostgresSession
from console.domain.loss import Loss, Mark
from console.domain.plan import Check, Request
from console.domain.wire import encode
from console.errors import StepFailed
from console.migration.marks import CIRCLE, Counts, Snapshot, Window, sample
from tests.actions.fakes import Reports, ok
from tests.actions.way_back import Incident, settled
from tests.migration.postgres import Interference, LiveDatabase, Server, WatchedSession

LEAD = "INSERT INTO leads (organisation_id, owner_id, name, company) VALUES (1, 1, '{0}', '{0}')"
FLUSH = "SELECT pg_stat_force_next_flush()"
RENAME = "UPDATE accounts SET name = name || '!' WHERE id = {0}"
CREATE = "INSERT INTO accounts (reference, organisation_id, owner_id, name) VALUES ('N{0}', 1, 1, 'New {0}')"


class Watched(LiveDatabase):
    """The same database; somebody interferes with the sessions of steps."""

    def __init__(self, database: LiveDatabase, interference: Interference) -> None:
        vars(self).update(vars(database))
        self._interference = interference

    @asynccontextmanager
    async def session(  # type: ignore[override]
        self, application: str, *, settings: Mapping[str, str] | None = None, read_only: bool = False
    ) -> AsyncIterator[PostgresSession | WatchedSession]:
        async with super().session(application, settings=settings, read_only=read_only) as session:
            of_a_step = application.startswith("rc/")
            yield WatchedSession(session, [self._interference]) if of_a_step else session


def figures(loss: Loss) -> dict[str, tuple[int, int, int]]:
    return {each.table: (each.inserted, each.updated, each.deleted) for each in loss.tables}


def migration_mark(incident: Incident) -> Mark:
    mark = mark_of_migration(incident.state)
    assert mark is not None
    return mark


async def test_only_what_users_wrote_since_the_migration_is_lost(database: LiveDatabase) -> None:
    incident = Incident(database)
    await settled(database, LEAD.format("before"), RENAME.format(5), CREATE.format(1))
    await incident.migrated()
    assert figures(await measure(database, migration_mark(incident), incident.state)) == {}
    await settled(
        database,
        LEAD.format("one"),
        LEAD.format("two"),
        "UPDATE leads SET stage = 'won' WHERE name = 'before'",
        RENAME.format(1),
        RENAME.format(1),
        RENAME.format(2),
        CREATE.format(2),
        "DELETE FROM accounts WHERE id = 3",
    )
    loss = await measure(database, migration_mark(incident), incident.state)
    assert figures(loss) == {
        "accounts": (1, 2, 1),
        "account_history": (4, 0, 0),
        "leads": (2, 1, 0),
        "lead_history": (3, 0, 0),
    }
    assert "xmin" in loss.method
    assert "saved copy" in loss.method


async def test_the_whole_time_since_the_backup_counts_also_beneath_the_migration(database: LiveDatabase) -> None:
    incident = Incident(database)
    await settled(database, LEAD.format("before"))
    await incident.backed_up()
    await settled(database, RENAME.format(1), RENAME.format(2), CREATE.format(1), LEAD.format("between"))
    await settled(database, "DELETE FROM accounts WHERE id = 4")
    await incident.migrated()
    await settled(database, RENAME.format(3), LEAD.format("after"))
    mark = mark_of_backup(incident.state)
    assert mark is not None
    loss = await measure(database, mark, incident.state)
    assert figures(loss) == {
        "accounts": (1, 3, 1),
        "account_history": (4, 0, 0),
        "leads": (2, 0, 0),
        "lead_history": (2, 0, 0),
    }
    assert any("written twice counts twice" in remark for remark in loss.remarks)


async def test_what_the_checks_wrote_is_taken_out(database: LiveDatabase) -> None:
    incident = Incident(database)
    await incident.migrated()
    marker = "rc/r1/test.accounts"
    own = incident.own_rows(marker, ["accounts", "account_history"])
    await own.begin()
    await settled(database, RENAME.format(1))
    await settled(database, CREATE.format(marker).replace("New ", ""))
    await own.look()
    await settled(database, f"UPDATE accounts SET name = name || ', edited' WHERE name = '{marker}'")
    await own.look()
    await settled(database, CREATE.format(7))
    await settled(database, f"DELETE FROM accounts WHERE name LIKE '{marker}%'")
    await own.look()
    assert own.trouble == ""
    incident.run.left("test.accounts", {"own": own.data})
    loss = await measure(database, migration_mark(incident), incident.state)
    # The trigger's rows of the checks' transactions are still there, and are not the users'.
    assert figures(loss) == {"accounts": (1, 1, 0), "account_history": (2, 0, 0)}
    assert "Taken out: what 3 transactions of the console's own wrote." in loss.remarks


async def test_a_checks_transactions_are_recognised_while_it_runs_and_after_a_crash(
    server: Server, database: LiveDatabase
) -> None:
    incident = Incident(database)
    name, step = str(await database.value("SELECT current_database()")), "test.accounts"
    check = Check(
        "life",
        "An account's life",
        "both",
        requests=(
            Request("POST", "backend", "/accounts", {}, (201,), {"account": "id"}),
            Request("PATCH", "backend", "/accounts/{account}", {}),
        ),
        cleanup=(Request("DELETE", "backend", "/accounts/{account}"),),
        writes=("accounts", "account_history"),
    )
    steps = tuple(replace(s, params={"checks": ["life"]}) if s.id == step else s for s in incident.run.plan.steps)
    incident.run.plan = replace(incident.run.plan, checks=(check,), steps=steps)
    await incident.migrated()
    marker = incident.run.context(step).marker
    writes = {
        "POST": CREATE.format(marker).replace("New ", ""),
        "PATCH": f"UPDATE accounts SET name = name || ', edited' WHERE name = '{marker}'",
        "DELETE": f"DELETE FROM accounts WHERE name LIKE '{marker}%'",
    }
    incident.web.on_request = lambda method, url: server.command(name, f"{writes[method]}; {FLUSH}")
    incident.web.answer("POST /accounts", ok({"id": 1}, 201))
    incident.web.answer("PATCH /accounts/1", RuntimeError("the console dies here"), ok({}))
    incident.web.answer("DELETE /accounts/1", RuntimeError("it is dead"), ok({}))
    action, reports = ChecksRun(incident.web, Databases(database, incident.instances)), Reports()
    before = (await action.preview(incident.run.context(step))).before
    with pytest.raises(RuntimeError):
        await action.perform(incident.run.context(step, before), reports)
    incident.run.unfinished(step, before, *reports.durable)
    again = (await action.preview(incident.run.context(step))).before
    evidence = await action.perform(incident.run.context(step, again), Reports())
    incident.run.left(step, evidence.data)
    await settled(database, LEAD.format("of a user"))
    loss = await measure(database, migration_mark(incident), incident.state)
    assert figures(loss) == {"leads": (1, 0, 0), "lead_history": (1, 0, 0)}
    assert "Taken out: what 5 transactions of the console's own wrote." in loss.remarks


async def test_a_row_that_was_written_while_the_migration_waited_for_its_lock_is_counted(
    database: LiveDatabase,
) -> None:
    incident = Incident(database)

    class User(Interference):
        async def interfere(self) -> None:
            await settled(database, RENAME.format(1))

    incident.live = Watched(database, User("LOCK TABLE"))
    evidence = await incident.migrated()
    assert evidence.data["hidden"] == 1
    assert figures(await measure(database, migration_mark(incident), incident.state))["accounts"] == (0, 1, 0)


async def test_where_the_server_keeps_the_times_of_commits_they_decide() -> None:
    server = Server()
    try:
        server.start()
        server.command("postgres", "ALTER SYSTEM SET track_commit_timestamp = on")
        server.restart()
        database = LiveDatabase(server, "crm")
        incident = Incident(database)
        await incident.migrated()
        await settled(database, LEAD.format("after"), RENAME.format(1))
        loss = await measure(database, migration_mark(incident), incident.state)
        assert figures(loss) == {
            "accounts": (0, 1, 0),
            "account_history": (1, 0, 0),
            "leads": (1, 0, 0),
            "lead_history": (1, 0, 0),
        }
        assert "track_commit_timestamp" in loss.method
    finally:
        server.stop()


async def test_the_moment_to_recover_lies_before_the_migration_and_shows_what_was_committed(
    database: LiveDatabase,
) -> None:
    incident = Incident(database)
    assert mark_of_migration(incident.state) is None
    assert moment_to_recover(incident.state) is None
    evidence = await incident.migrated()
    moment = moment_to_recover(incident.state)
    assert moment is not None
    began = await database.value(f"SELECT '{evidence.data['at']}'::timestamptz")
    assert moment < began  # type: ignore[operator]
    assert (reachable_at(moment, incident.clock) - moment).total_seconds() == 1.0


async def test_a_mark_of_another_server_is_refused(database: LiveDatabase) -> None:
    incident = Incident(database)
    await incident.migrated()
    mark = replace(migration_mark(incident), snapshot=f"{10**12}:{10**12}:")
    with pytest.raises(StepFailed, match="not the database in which the mark was taken"):
        await measure(database, mark, incident.state)


async def test_an_older_journal_without_a_mark_still_gives_a_moment(database: LiveDatabase) -> None:
    incident = Incident(database)
    evidence = await incident.migrated()
    older = {key: value for key, value in evidence.data.items() if key not in ("mark", "hidden", "own_counters")}
    incident.run.left("db.migrate", older)
    mark = migration_mark(incident)
    assert mark.partial
    await settled(database, LEAD.format("after"))
    loss = await measure(database, mark, incident.state)
    assert figures(loss) == {"leads": (0, 1, 0), "lead_history": (0, 1, 0)}
    assert any("nothing tells inserted from updated" in remark for remark in loss.remarks)


WINDOWS = [
    # since, now, open then, inside, outside
    (1000, 1010, (), (1000, 1009), (999, 1010, 3, 2)),
    (1000, 1000, (), (), (1000, 999, 1001)),
    # 991 may be a subtransaction of 990, which no snapshot names
    (1000, 1010, (990, 995), (990, 995, 1000, 991), (989, 1010)),
    (CIRCLE - 2, CIRCLE + 5, (), (CIRCLE - 2, CIRCLE - 1, 3, 4), (CIRCLE - 3, 5, 6, 2, 1, 0)),
    (5 * CIRCLE + 7, 5 * CIRCLE + 9, (5 * CIRCLE - 1,), (7, 8, CIRCLE - 1, 6), (9, CIRCLE - 2)),
]


async def test_rows_of_a_savepoint_that_was_open_at_the_mark_are_lost_too(database: LiveDatabase) -> None:
    incident = Incident(database)
    async with database.session("crm-backend") as user:
        for statement in (
            "BEGIN",
            LEAD.format("in the transaction"),
            "SAVEPOINT s",
            *(LEAD.format(f"in the savepoint {n}") for n in range(5)),
            "RELEASE s",
        ):
            await user.execute(statement)
        # A later transaction that ended before the mark puts the savepoint's id beneath the snapshot's end.
        await settled(database, CREATE.format(1))
        mark = await sample(database)
        assert Snapshot.parse(mark.snapshot).open
        await user.execute("COMMIT")
        await user.execute(FLUSH)
    loss = await measure(database, mark, incident.state)
    assert figures(loss)["leads"] == (6, 0, 0)
    assert any("ended shortly before it count as later" in remark for remark in loss.remarks)


def test_nothing_is_doubtful_when_nothing_was_open_at_the_mark() -> None:
    assert Window.between("100:100:", "120:120:").doubtful == 0
    assert Window.between("100:102:100,101", "120:120:").doubtful == 0
    assert Window.between("100:110:100", "120:120:").doubtful == 9


@pytest.mark.parametrize(("since", "now", "running", "inside", "outside"), WINDOWS)
async def test_xmin_is_told_from_earlier_ones_across_the_wrap(
    database: LiveDatabase, since: int, now: int, running: tuple[int, ...], inside: tuple[int, ...], outside: list[int]
) -> None:
    window = Window(Snapshot(min((since, *running)), since, running), Snapshot(now, now, ()))
    assert [xmin for xmin in (*inside, *outside) if xmin in window] == list(inside)
    values = ", ".join(f"({xmin})" for xmin in (*inside, *outside))
    found = await database.fetch(f"SELECT xmin FROM (VALUES {values}) AS t (xmin) WHERE {window.sql('t')}")
    assert [row["xmin"] for row in found] == list(inside)


@pytest.mark.parametrize(
    ("written", "since", "expected", "open_question"),
    [
        (3, (3, 0, 0), (3, 0, 0), ""),
        (3, (0, 7, 0), (0, 3, 0), ""),
        (5, (2, 9, 0), (2, 3, 0), ""),
        (0, (0, 0, 4), (0, 0, 4), ""),
        (2, (5, 0, 3), (2, 0, 3), "some may be rows that were inserted since"),
        (4, (3, 2, 1), (3, 1, 1), "2 to 3 are new"),
        (4, (-1, -1, -1), (0, 4, 0), "counters were reset"),
        (4, None, (0, 4, 0), "nothing tells"),
        (0, None, (0, 0, 0), ""),
    ],
)
def test_the_counters_split_what_was_written(
    written: int, since: Counts | None, expected: Counts, open_question: str
) -> None:
    found = by_counters("leads", written, since)
    assert (found.loss.inserted, found.loss.updated, found.loss.deleted) == expected
    assert open_question in found.remark
    assert bool(found.remark) == bool(open_question)


def test_a_loss_is_journaled_as_it_is() -> None:
    assert encode(Mark("2026-02-04T20:00:00.000001Z", "1:1:", {"leads": (1, 2, 3)})) == {
        "at": "2026-02-04T20:00:00.000001Z",
        "snapshot": "1:1:",
        "counters": {"leads": [1, 2, 3]},
    }
