"""What was answered outlives the process: a new stand-in on the same folder goes on where the last one stood."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from console.sandbox.render import StandInStartError
from console.sandbox.render.state import State, StateFile
from tests.sandbox.render.conftest import (
    BACKEND,
    DATABASE,
    FRONTEND,
    OWNER,
    STAGING,
    StartWorld,
    World,
    deploy_in,
    deploys_of,
    eventually,
)


async def test_everything_is_as_it_was(world: World) -> None:
    async with world.client() as api:
        commit = await world.push(version="v2")
        await deploy_in(api, BACKEND, "live", commit=commit)
        await api.put(f"/services/{BACKEND}/env-vars/FLAG", json={"value": "next"})
        await api.patch(f"/services/{FRONTEND}", json={"autoDeploy": "no"})
        await api.post(f"/services/{STAGING}/suspend")
        await api.post(f"/postgres/{DATABASE}/export")
        await eventually(lambda: _export_ready(api))
        await world.visit(path="/broken")
        before = await _everything(api)
    report, url = world.stand_in.world_report(), world.stand_in.url
    await world.stand_in.stop()
    assert world.apps.running == []

    await world.build().start()
    assert world.stand_in.url == url
    async with world.client() as api:
        assert await _everything(api) == before
        seen = (await world.visit()).json()
        assert (seen["version"], seen["env"]["FLAG"]) == ("v2", "old")
        assert (await world.visit(STAGING)).status_code == 503
        archive = await api.get(before["exports"][0]["url"])
        assert archive.status_code == 200
        counted = (await api.get("/metrics/http-requests", params={"resource": BACKEND})).json()
        assert sum(value["value"] for value in counted[0]["values"]) == 2
    for key in ("exports", "deploys_live", "deploys_created", "rollbacks"):
        assert world.stand_in.world_report()[key] == report[key]


async def test_a_build_that_was_interrupted_goes_on(start_world: StartWorld) -> None:
    world = await start_world(pace=60)
    async with world.client() as api:
        commit = await world.push(version="v2")
        interrupted = await deploy_in(api, BACKEND, "build_in_progress", commit=commit)
    await world.stand_in.stop()
    state = json.loads((world.folder / "state.json").read_text())
    assert state["deploys"][interrupted["id"]]["status"] == "build_in_progress"

    world.pace = type(world.pace)(2000)
    await world.build().start()
    async with world.client() as api:
        live = await deploy_in(api, BACKEND, "live", commit=commit)
        assert live["id"] == interrupted["id"]
        assert len(await deploys_of(api, BACKEND)) == 2


async def test_every_saved_state_is_a_safe_place_to_die(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[State] = []
    adapter = TypeAdapter(State)
    save = StateFile.save

    def keep(self: StateFile, state: State) -> None:
        saved.append(adapter.validate_json(adapter.dump_json(state)))
        save(self, state)

    monkeypatch.setattr(StateFile, "save", keep)
    async with world.client() as api:
        for version in ("v2", "v3"):
            commit = await world.push(version=version)
            await deploy_in(api, BACKEND, "live", commit=commit)
    assert len(saved) >= 8
    for state in saved:
        service = state.services[BACKEND]
        live = [deploy.id for deploy in state.deploys_of(BACKEND) if deploy.status == "live"]
        assert live == [service.live_deploy]
        newest = next(state.deploys_of(BACKEND))
        assert newest.commit.id == service.seen_head


async def test_an_export_that_was_interrupted_is_made_anew(world: World) -> None:
    world.databases.may_finish.clear()
    async with world.client() as api:
        await api.post(f"/postgres/{DATABASE}/export")
    await world.databases.dumping.wait()
    await world.stand_in.stop()
    world.databases.may_finish.set()
    await world.build().start()
    async with world.client() as api:
        await eventually(lambda: _export_ready(api))
        assert len((await api.get(f"/postgres/{DATABASE}/export")).json()) == 1


async def test_a_push_while_it_was_down_is_deployed(world: World) -> None:
    await world.stand_in.stop()
    commit = world.source.push("main", "Pushed meanwhile", {"version.txt": "v2"})
    await world.build().start()
    async with world.client() as api:
        await deploy_in(api, BACKEND, "live", commit=commit)


async def test_a_recovery_that_was_interrupted_says_what_became_of_it(world: World) -> None:
    world.databases.may_finish.clear()
    async with world.client() as api:
        wish = {"restoreTime": "2026-02-04T20:00:00Z"}
        created = (await api.post(f"/postgres/{DATABASE}/recovery", json=wish)).json()
    await world.stand_in.stop()
    await world.build().start()
    async with world.client() as api:
        status = (await api.get(f"/postgres/{created['id']}")).json()["status"]
        assert status == "recovery_failed"


async def test_the_state_is_its_owners_alone(world: World) -> None:
    assert (world.folder / "state.json").stat().st_mode & 0o777 == 0o600
    assert world.folder.stat().st_mode & 0o777 == 0o700


async def test_a_taken_port_is_refused_and_nothing_is_left_running(tmp_path: Path) -> None:
    first, second = World(tmp_path / "a", (), 2000, "cancel"), World(tmp_path / "b", (), 2000, "cancel")
    second.ports = first.ports
    async with first.stand_in:
        with pytest.raises(OSError, match="cannot listen"):
            await second.build().start()
        assert second.apps.running == []
    assert first.apps.running == []


async def test_a_workspace_that_cannot_come_to_life_says_which_service(tmp_path: Path) -> None:
    world = World(tmp_path / "a", (), 2000, "cancel")
    world.source.push("staging", "Broken", {"version.txt": "healthy: no"})
    with pytest.raises(StandInStartError, match=r"crm-backend-staging.*update_failed"):
        await world.stand_in.start()
    assert world.apps.running == []


async def test_the_report_counts_what_happened(world: World, api: httpx.AsyncClient) -> None:
    commit = await world.push(version="v2")
    await deploy_in(api, BACKEND, "live", commit=commit)
    report: dict[str, Any] = world.stand_in.world_report()
    live = {item["id"]: (item["name"], item["environment"], item["commit"]) for item in report["deploys_live"]}
    assert live[BACKEND] == ("crm-backend", "production", commit)
    assert live[STAGING] == ("crm-backend-staging", "staging", world.first)
    assert report["deploys_created"] == {BACKEND: 1, FRONTEND: 0, STAGING: 0}
    assert report["api_requests"]["GET /services/{serviceId}/deploys"] >= 1
    assert json.loads(json.dumps(report)) == report


async def _export_ready(api: httpx.AsyncClient) -> bool:
    return "url" in (await api.get(f"/postgres/{DATABASE}/export")).json()[0]


async def _everything(api: httpx.AsyncClient) -> dict[str, Any]:
    """What the API shows of everything that must outlive a restart."""
    logs: dict[str, Any] = {"ownerId": OWNER, "resource": BACKEND, "type": ["request", "build"], "limit": 100}
    names = ("services", "deploys", "env", "exports", "postgres", "logs")
    answers = await asyncio.gather(
        api.get("/services"),
        api.get(f"/services/{BACKEND}/deploys"),
        api.get(f"/services/{BACKEND}/env-vars"),
        api.get(f"/postgres/{DATABASE}/export"),
        api.get("/postgres"),
        api.get("/logs", params=logs),
    )
    shown = dict(zip(names, (answer.json() for answer in answers), strict=True))
    shown["logs"] = shown["logs"]["logs"]
    return shown
