"""A release that went wrong, to be looked at: what the world answers, and what is read of the assessment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.actions.assessment import ProductionAssessor
from console.actions.rollback import database_price, schema_price
from console.domain.hosting import Deploy, DeployStatus, RecoveryWindow
from console.domain.loss import Loss, TableLoss
from console.domain.outcome import Line
from console.domain.standing import Assessment, Schema, Way, WayBack
from console.errors import HostingError
from console.ports import Row
from tests.actions.fakes import START, FakeBackups, FakeDatabase
from tests.actions.rolling_back import Back, columns

MARK = {"at": "2026-02-04T19:30:00+00:00", "snapshot": "100:100:", "counters": {}}
COPY = "public.accounts_before_020"
LOSS = Loss("2026-02-04T19:30:00+00:00", "2026-02-04T20:00:00+00:00", (TableLoss("leads", 3, 1),), "by xmin")


class Backups(FakeBackups):
    """A recovery window as the test has it."""

    window: RecoveryWindow | HostingError = RecoveryWindow("AVAILABLE", START - timedelta(days=3))

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        if isinstance(self.window, HostingError):
            raise self.window
        return self.window


class Scene(Back):
    """The release is live; the migration has run unless said otherwise, and left its saved copy."""

    def __init__(self, schema: Schema = Schema.NEW) -> None:
        super().__init__(schema=schema)
        self.plan, self.ways = self.base, []
        self.backups = Backups(self.clock)
        self.database = in_database(schema)
        if schema is Schema.NEW:
            self.left("db.migrate", {"mark": MARK, "snapshot": "100:100:"})

    async def assess(self) -> Assessment:
        ports = replace(self.ports(), backups=self.backups, database=self.database)
        return await ProductionAssessor(ports).assess(self.state(), self.clock)

    async def nothing_pushed(self) -> None:
        """The merge was made in the clone; production is as it was."""
        self.steps.pop("code.push")
        self.repository.branches["main"] = self.old
        for service_id in (self.backend, self.frontend):
            self.hosting.turn(old_deploy(self, service_id), DeployStatus.LIVE)


def in_database(schema: Schema, *, copy: bool = True) -> FakeDatabase:
    """A database of that schema; migrated, with the saved copy."""
    origin = (
        '{"made_by": "release-console", "migration": "020", "marker": "rc/r1/db.migrate", "at": "", "transaction": 5, '
        '"table": "public.accounts", "key": "id", "columns": [], "indexes": [], "views": []}'
    )
    rows: list[Row] = [{"comment": origin}] if copy and schema is Schema.NEW else []
    return FakeDatabase({**columns(schema), "obj_description": rows, "AS fences": [{"fences": 0}]})


def old_deploy(back: Back, service_id: str) -> Deploy:
    return next(deploy for deploy in back.hosting.all[service_id] if deploy.commit == back.old)


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Figures that the loss meter and the schema's outlook would have read, but where a real database is asked."""
    if "database" in request.fixturenames:
        return

    async def of_database(*_: object, source: str) -> tuple[Loss, tuple[Line, ...]]:
        return LOSS, (Line(f"from the {source}"),)

    async def of_schema(*_: object) -> tuple[str, tuple[Line, ...]]:
        return "nothing is lost; 2 rows to decide", (Line("row 7"),)

    monkeypatch.setattr(database_price, "price_of_database", of_database)
    monkeypatch.setattr(schema_price, "price_of_schema", of_schema)


def offer(assessment: Assessment, way: Way) -> WayBack:
    found = assessment.offer(way)
    assert found is not None
    return found


def texts(assessment: Assessment) -> str:
    return " | ".join(f"{line.text}: {line.note}" for line in assessment.standing.remarks)
