"""The database's way back, on a real PostgreSQL: fenced, counted, recovered, compared, switched, opened."""

import asyncio
from dataclasses import replace

import pytest

from console.actions.rollback.database_lock import is_read_only, read_only_setting
from console.actions.rollback.database_price import price_of_database
from console.actions.rollback.database_recover import ROWS_LOST
from console.domain.hosting import DeployStatus, ServiceInfo
from console.domain.loss import Loss
from console.domain.outcome import Done, NotDone
from console.domain.standing import Way
from console.domain.wire import decode
from console.errors import DatabaseError, HostingError, StepFailed, VerificationFailed, WorldChanged
from tests.actions.fakes import Lost, Reports, ok
from tests.actions.test_rollback_loss import CREATE, LEAD, RENAME, figures
from tests.actions.way_back import DATABASE_ENV, Chosen, Incident, settled
from tests.migration.postgres import LiveDatabase, Server

NEW = "dpg-1"


class Scene:
    """A migrated database with users' rows before and after it, and a copy of the moment before: the new instance."""

    def __init__(self, server: Server, database: LiveDatabase, way: Way = Way.DATABASE) -> None:
        self.server = server
        self.database = database
        self.incident = Incident(database, way)
        self.copy = ""

    async def arranged(self) -> "Chosen":
        """The way is chosen; users have written two leads and renamed an account since the migration."""
        await settled(self.database, LEAD.format("before the backup"))
        await self.incident.backed_up()
        await settled(self.database, LEAD.format("between"), RENAME.format(9))
        self.copy = self.server.new_database(str(await self.database.value("SELECT current_database()")))
        self.incident.instances.databases[NEW] = LiveDatabase(self.server, self.copy)
        await self.incident.migrated()
        await settled(self.database, LEAD.format("lost"), LEAD.format("lost too"), RENAME.format(1))
        self.incident.web.answer("GET /health", ok({"status": "ok"}))
        self.incident.web.answer("GET /api/dashboard/kpis", ok({}))
        self.incident.web.answer("GET /", ok({}))
        return self.incident.chosen()

    @property
    def new(self) -> LiveDatabase:
        return LiveDatabase(self.server, self.copy)

    def deploy(self, trigger: str = "api") -> None:
        """The services are deployed, and live."""
        for service_id in (self.incident.backend, self.incident.frontend):
            self.incident.hosting.add(service_id, self.incident.old, DeployStatus.LIVE, trigger)


LOST = {"accounts": (0, 1, 0), "account_history": (1, 0, 0), "leads": (2, 0, 0), "lead_history": (2, 0, 0)}


async def test_the_whole_way_loses_what_was_stated_and_keeps_the_old_instance(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    incident, hosting = scene.incident, scene.incident.hosting
    hosting.services[incident.frontend] = replace(hosting.services[incident.frontend], maintenance=True)
    loss, lines = await price_of_database(database, incident.state, incident.clock, source="moment")
    assert figures(loss) == LOST
    assert "leads: 2 rows" in [line.text for line in lines]

    fence = await way.done("fence")
    assert fence.data["maintenance"] == {"backend": False, "frontend": True}
    assert figures(decode(Loss, fence.data["loss"])) == LOST
    assert all(hosting.services[each].maintenance for each in (incident.backend, incident.frontend))

    recovered = await way.done("recover")
    assert recovered.data["postgres_id"] == NEW
    assert recovered.data["name"] == "crm-before-020-r1"
    assert [f"{moment.isoformat()}" for moment in incident.instances.moments] == [recovered.data["moment"]]

    compared = await way.done("compare")
    assert compared.data["schema"] == "old"
    leads = compared.data["tables"]["leads"]  # type: ignore[index,call-overload]
    assert leads["rows"] == 2  # type: ignore[index,call-overload]

    switched = await way.done("switch")
    assert incident.switches.points[incident.backend, DATABASE_ENV] == NEW
    assert switched.data["services"] == ["backend"]
    assert switched.data["place"] == f"{NEW}:5432/crm"

    scene.deploy()
    in_use = await way.done("in_use")
    assert in_use.data["postgres_id"] == NEW
    assert in_use.data["others_on_old"] == []

    opened = await way.done("open")
    assert opened.data["old_postgres_id"] == incident.old_id
    assert not hosting.services[incident.backend].maintenance
    assert not hosting.services[incident.frontend].maintenance, "shut by hand before the fence: opened all the same"
    assert opened.data["maintenance"] == {"backend": False, "frontend": False}
    assert "GET /health" in incident.web.asked
    assert not await is_read_only(scene.new)
    assert await is_read_only(database)


async def test_the_fence_ends_whoever_writes_and_nobody_can_write_after_it(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    async with database.session("crm-backend") as user:
        await user.execute("BEGIN")
        await user.execute(LEAD.format("never committed"))
        fence = await way.done("fence")
        assert fence.data["ended"] == 1
        with pytest.raises(DatabaseError):
            await user.execute("COMMIT")
    assert figures(decode(Loss, fence.data["loss"])) == LOST
    with pytest.raises(DatabaseError) as refused:
        await settled(database, LEAD.format("after the fence"))
    assert refused.value.sqlstate == "25006"


async def test_a_second_attempt_at_the_fence_keeps_how_it_was(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    preview = await way.preview_of("fence")
    assert preview.before["maintenance"] == {"backend": False, "frontend": False}
    await scene.incident.switches.set_maintenance(scene.incident.backend, True)
    way.interrupted("fence", preview.before, Reports())
    assert isinstance(await way.action("fence").probe(way.context("fence", preview.before)), NotDone)
    again = await way.preview_of("fence")
    assert again.before == preview.before
    assert again.digest == preview.digest
    reports = Reports()
    evidence = await way.action("fence").perform(way.context("fence", again.before), reports)
    found = await way.action("fence").probe(way.context("fence", again.before, reports.durable))
    assert isinstance(found, Done)
    assert found.evidence.data["loss"] != {}
    assert found.evidence.data["maintenance"] == evidence.data["maintenance"]


async def test_a_site_without_a_maintenance_page_is_named_and_a_backend_without_one_is_a_failure(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    switch, refused = scene.incident.switches.set_maintenance, [scene.incident.frontend]

    async def set_maintenance(service_id: str, enabled: bool) -> ServiceInfo:
        if service_id in refused:
            raise HostingError("static sites have no maintenance mode", status=400, sent=True)
        return await switch(service_id, enabled)

    scene.incident.switches.set_maintenance = set_maintenance  # type: ignore[method-assign]
    fence = await way.done("fence")
    assert fence.data["remarks"] == ["crm-frontend shows no maintenance page"]
    await way.done("open")
    refused.append(scene.incident.backend)
    preview = await way.preview_of("fence")
    with pytest.raises(HostingError) as failed:
        await way.action("fence").perform(way.context("fence", preview.before), Reports())
    assert "Nothing is lost." in failed.value.production


async def test_a_role_whose_own_setting_outranks_the_fence_is_named_before_anything_is_shut(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await database.run(
        "CREATE ROLE importer",
        "ALTER ROLE importer SET default_transaction_read_only = off",
    )
    try:
        with pytest.raises(StepFailed, match="importer may write although") as failed:
            await way.preview_of("fence")
        assert failed.value.production
        assert not scene.incident.switches.maintenance
    finally:
        await database.run("DROP ROLE importer")


async def test_a_second_way_knows_how_it_was_before_the_first_ones_fence(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await way.done("fence")
    preview = await way.preview_of("fence")
    assert preview.before["maintenance"] == {"backend": False, "frontend": False}
    assert preview.before["read_only_before"] == ""


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM accounts WHERE id > 400", "accounts: 400 rows in the copy"),
        ("ALTER TABLE accounts DROP COLUMN is_trial CASCADE", "accounts lacks is_trial"),
        ("ALTER TABLE accounts ADD COLUMN account_status text", "accounts already has account_status"),
        ("UPDATE accounts SET license_status = 'expired' WHERE license_status = 'active'", "the migration found"),
        ("INSERT INTO schema_migrations VALUES (20, 'x', 'x')", "already names migration 020"),
    ],
)
async def test_an_instance_that_is_not_what_was_there_is_not_used(
    server: Server, database: LiveDatabase, damage: str, message: str
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await way.done("fence")
    await way.done("recover")
    await scene.new.run(damage)
    with pytest.raises(StepFailed, match=r"is not what was there before") as failed:
        await way.done("compare")
    assert message in "\n".join(failed.value.lines)
    assert f"Instance {scene.incident.old_id} is read only and keeps every row" in failed.value.production


async def take_down(scene: Scene, part: str) -> None:
    """Somebody takes a part of the fence down by hand."""
    if part == "the door":
        await scene.incident.switches.set_maintenance(scene.incident.backend, False)
    else:
        name = await scene.database.value("SELECT current_database()")
        async with scene.database.session("admin", settings={"default_transaction_read_only": "off"}) as session:
            await session.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


@pytest.mark.parametrize(
    ("part", "message"), [("the door", "crm-backend serves users"), ("the setting", "takes writes")]
)
async def test_nothing_is_switched_while_the_fence_does_not_stand(
    server: Server, database: LiveDatabase, part: str, message: str
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare"):
        await way.done(step)
    preview = await way.preview_of("switch")
    await take_down(scene, part)
    with pytest.raises(StepFailed, match=message) as failed:
        await way.preview_of("switch")
    assert "not in the new instance" in failed.value.production
    assert "nothing is written" not in failed.value.production
    with pytest.raises(StepFailed, match=message):
        await way.action("switch").perform(way.context("switch", preview.before), Reports())
    assert scene.incident.switches.points[scene.incident.backend, DATABASE_ENV] == scene.incident.old_id


async def test_what_is_written_between_the_fence_and_the_switch_is_counted_before_the_yes(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare"):
        await way.done(step)
    preview = await way.preview_of("switch")
    fenced = preview.readings[0]
    assert (fenced.label, fenced.amount, fenced.limit) == (ROWS_LOST, 6, 6)
    assert "counted at the fence" in fenced.value
    await settled(database, "SET default_transaction_read_only = off", LEAD.format("late"))
    now = (await way.preview_of("switch")).readings[0]
    assert now.amount == 8
    assert now.amount > (fenced.limit or 0), "a yes for what was counted at the fence does not stand for it"
    context = replace(way.context("switch", preview.before), limits={ROWS_LOST: 6})
    with pytest.raises(WorldChanged, match="More rows are lost than were confirmed"):
        await way.action("switch").perform(context, Reports())
    await way.done("switch")


async def test_a_fence_that_was_raised_by_hand_is_looked_at_and_counted(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare"):
        await way.done(step)
    way.succeeded("fence", {})
    shown = (await way.preview_of("switch")).readings[0]
    assert (shown.amount, shown.value) == (6, "6, counted now")


async def test_switching_finds_a_lost_answer_and_needs_a_variable(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare"):
        await way.done(step)
    point = scene.incident.switches.point_at
    lost: list[str] = []

    async def answer_lost(service_id: str, variable: str, postgres_id: str) -> object:
        await point(service_id, variable, postgres_id)
        lost.append(variable)
        raise Lost(None, done=True).error()

    scene.incident.switches.point_at = answer_lost  # type: ignore[method-assign,assignment]
    before = (await way.preview_of("switch")).before
    assert isinstance(await way.action("switch").probe(way.context("switch", before)), NotDone)
    evidence = await way.done("switch")
    assert lost == [DATABASE_ENV]
    assert evidence.data["places_before"] == {"backend": f"{scene.incident.old_id}:5432/crm"}
    bare = tuple(replace(each, database_env="") for each in scene.incident.run.plan.services)
    scene.incident.run.plan = replace(scene.incident.run.plan, services=bare)
    with pytest.raises(StepFailed, match="names no service's variable"):
        await way.preview_of("switch")


async def test_a_service_on_the_old_database_is_told(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare", "switch"):
        await way.done(step)
    await scene.incident.clock.sleep(2.0)
    scene.deploy("rollback")
    with pytest.raises(StepFailed, match="the provider's rollback"):
        await way.done("in_use")
    scene.deploy()
    async with database.session("crm-backend"):
        with pytest.raises(StepFailed, match="still has 1 session with the old instance"):
            await way.done("in_use")
    scene.incident.switches.points[scene.incident.backend, DATABASE_ENV] = scene.incident.old_id
    with pytest.raises(StepFailed, match="its variable leads to"):
        await way.done("in_use")


async def test_a_deploy_from_before_the_switch_proves_nothing(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare"):
        await way.done(step)
    scene.deploy()
    await scene.incident.clock.sleep(5.0)
    await way.done("switch")
    with pytest.raises(StepFailed, match="from before the switch"):
        await way.done("in_use")


async def test_rows_that_reach_the_old_instance_after_the_fence_are_found(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare", "switch"):
        await way.done(step)
    scene.deploy()
    await way.done("in_use")
    await settled(database, "SET default_transaction_read_only = off", LEAD.format("somebody"))
    with pytest.raises(VerificationFailed, match="is still used") as failed:
        await way.done("open")
    assert any(line.startswith("leads:") for line in failed.value.lines)


async def test_a_service_that_does_not_answer_is_told_with_the_doors_open(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    for step in ("fence", "recover", "compare", "switch"):
        await way.done(step)
    scene.deploy()
    await way.done("in_use")
    scene.incident.web.answer("GET /api/dashboard/kpis", ok({"error": "column does not exist"}, 500))
    with pytest.raises(StepFailed, match="it answers 500") as failed:
        await way.done("open")
    assert failed.value.production == f"Users are let in, on {NEW}."
    scene.incident.web.answer("GET /api/dashboard/kpis", ok({}))
    assert isinstance(await way.action("open").probe(way.context("open")), Done)


async def test_a_way_without_a_switch_takes_the_fence_down_where_it_was(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await way.done("fence")
    assert isinstance(await way.action("open").probe(way.context("open")), NotDone)
    opened = await way.done("open")
    assert opened.data["postgres_id"] == scene.incident.old_id
    assert opened.data["old_postgres_id"] == ""
    assert not await is_read_only(database)
    await settled(database, LEAD.format("served again"))


async def shut_by_hand(scene: Scene) -> None:
    """Somebody has put the services in maintenance mode and the database to read only, before the fence."""
    incident = scene.incident
    for service_id in (incident.backend, incident.frontend):
        await incident.switches.set_maintenance(service_id, True)
    name = await scene.database.value("SELECT current_database()")
    await scene.database.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = true')


async def test_what_was_shut_by_hand_before_the_fence_is_opened_all_the_same_and_said(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await shut_by_hand(scene)
    fence = await way.done("fence")
    assert (fence.data["maintenance"], fence.data["read_only_before"]) == ({"backend": True, "frontend": True}, "true")
    preview = await way.preview_of("open")
    already = [line.text for line in preview.consequences if "before the fence already" in line.text]
    assert [text.partition(" ")[0] for text in already] == ["crm-backend", "crm-frontend", scene.incident.old_id]
    opened = await way.done("open")
    assert opened.data["maintenance"] == {"backend": False, "frontend": False}
    assert opened.sections[-1].title == "Opened all the same"
    assert not any(service.maintenance for service in scene.incident.hosting.services.values())
    assert await read_only_setting(database) == ""
    await settled(database, LEAD.format("served again"))


async def test_a_new_instance_is_never_set_read_only(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await shut_by_hand(scene)
    for step in ("fence", "recover", "compare", "switch"):
        await way.done(step)
    scene.deploy()
    await way.done("in_use")
    await way.done("open")
    assert not await is_read_only(scene.new)
    assert await is_read_only(database)


async def test_a_door_that_is_shut_again_is_not_said_to_be_open(server: Server, database: LiveDatabase) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    await way.done("fence")
    action, context = way.action("open"), way.context("open")
    shut = scene.incident.switches.set_maintenance

    async def ignored(service_id: str, enabled: bool) -> ServiceInfo:
        return await shut(service_id, service_id == scene.incident.frontend)

    scene.incident.switches.set_maintenance = ignored  # type: ignore[method-assign]
    evidence = await action.perform(context, Reports())
    assert "but for crm-frontend, which is shut" in evidence.summary
    with pytest.raises(VerificationFailed, match="crm-frontend still shows the maintenance page"):
        await action.verify(context, evidence)


async def test_without_a_fence_nothing_is_opened(server: Server, database: LiveDatabase) -> None:
    way = await Scene(server, database).arranged()
    with pytest.raises(StepFailed, match="No fence is on record"):
        await way.preview_of("open")


async def test_users_who_write_on_while_it_is_counted_are_all_in_the_figures(
    server: Server, database: LiveDatabase
) -> None:
    scene = Scene(server, database)
    way = await scene.arranged()
    written = 0
    stop = asyncio.Event()

    async def user() -> None:
        nonlocal written
        try:
            async with database.session("crm-backend") as session:
                while not stop.is_set():
                    await session.execute(CREATE.format(written + 100))
                    written += 1
        except DatabaseError:
            return

    task = asyncio.create_task(user())
    await database.until("SELECT count(*) > 460 FROM accounts")
    fence = await way.done("fence")
    stop.set()
    await task
    lost = figures(decode(Loss, fence.data["loss"]))
    assert lost["accounts"][0] in (written, written + 1)
    assert lost["accounts"][0] == await database.value("SELECT count(*) - 449 FROM accounts")
