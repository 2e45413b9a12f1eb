"""The supervisor and its client: a world that outlives the console, is found again, restarted, and ended."""

import asyncio
import os
import signal
import stat
import tomllib
from pathlib import Path

import httpx
import psycopg
import pytest

from console.errors import ConfigError, SandboxError
from console.sandbox import client
from console.sandbox.waiting import wait_until
from console.sandbox.world_spec import load_spec, new_spec


def read(file: str) -> str:
    return Path(file).read_text()


async def test_a_world_is_brought_up_found_again_killed_restarted_and_ended(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    heard: list[str] = []
    handle = await client.up(folder, pace=600, accounts=30, plan=tmp_path / "config.toml", say=heard.append)
    try:
        assert heard
        assert client.is_owned(folder)
        assert os.getsid(handle.info.pid) == handle.info.pid
        before = await handle.world()
        assert before["accounts"] == 30
        found = await client.attach(folder)
        assert found.info == handle.info
        await assert_it_can_be_driven_by_its_overlay(handle, tmp_path / "config.toml")
        assert_private(folder, handle)

        os.kill(handle.info.pid, signal.SIGKILL)
        await wait_until(lambda: not client.is_owned(folder), 10)
        again = await client.attach(folder)
        assert again.info.pid != handle.info.pid
        assert again.endpoints() == handle.endpoints()
        assert await again.world() == before
        handle = again
    finally:
        await handle.down()
    assert not client.is_owned(folder)
    assert not (folder / "world.json").exists()
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(handle.info.database_url, connect_timeout=2)
    with pytest.raises(SandboxError, match="was ended"):
        await client.attach(folder)
    with pytest.raises(SandboxError, match="holds a world already"):
        await client.up(folder)


async def assert_it_can_be_driven_by_its_overlay(handle: client.WorldHandle, plan: Path) -> None:
    """The overlay alone leads to the provider's API, with its token, and to the database."""
    overlay = tomllib.loads(read(handle.info.overlay))
    assert (overlay["extends"], overlay["environment"]) == (str(plan), "rehearsal")
    assert [service["id"] for service in overlay["services"]] == [one["id"] for one in handle.info.services]
    token = read(overlay["render"]["token_file"]).strip()
    async with await psycopg.AsyncConnection.connect(read(overlay["database"]["url_file"]).strip()) as link:
        assert await (await link.execute("SELECT count(*) FROM accounts")).fetchone() == (30,)
    async with httpx.AsyncClient(trust_env=False) as http:
        path = f"{overlay['render']['api_url']}/services/{overlay['services'][0]['id']}"
        assert (await http.get(path)).status_code == 401
        found = await http.get(path, headers={"Authorization": f"Bearer {token}"})
        assert found.json()["name"] == "crm-backend"
        assert (await http.post(f"{handle.info.control_url}/down")).status_code == 401


def assert_private(folder: Path, handle: client.WorldHandle) -> None:
    """Nobody else may read a world's files, and no secret is in its log or in what is printed of it."""
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file.name
    said = (folder / "supervisor.log").read_text() + repr(handle.info)
    assert handle.info.render_token not in said
    assert handle.info.control_token not in said


async def test_a_world_that_cannot_come_up_says_what_failed(tmp_path: Path) -> None:
    """Here the port that it was given once is taken by somebody else."""
    folder = tmp_path / "world"
    folder.mkdir()
    spec = new_spec(faults=(), pace=600, accounts=30)
    spec.save(folder)
    port = spec.service("production", "backend").port
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", port)
    async with taken:
        with pytest.raises(SandboxError, match=str(port)) as failed:
            await client.attach(folder)
    assert "supervisor.log" in failed.value.remedy
    assert "\n" not in failed.value.message
    await wait_until(lambda: not client.is_owned(folder), 10)
    handle = await client.attach(folder)
    await handle.down()


async def test_a_folder_without_a_world_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="There is no world"):
        await client.attach(tmp_path)


@pytest.mark.parametrize(
    ("faults", "pace", "accounts"), [(("push-rase",), 1.0, 449), ((), 0.0, 449), ((), 1.0, 0), ((), -1.0, 1)]
)
async def test_an_order_that_makes_no_sense_starts_nothing(
    tmp_path: Path, faults: tuple[str, ...], pace: float, accounts: int
) -> None:
    with pytest.raises(ConfigError):
        await client.up(tmp_path / "world", faults=faults, pace=pace, accounts=accounts)
    assert not (tmp_path / "world").exists()


def test_an_order_is_kept_whole(tmp_path: Path) -> None:
    spec = new_spec(faults=("api-429", "build-fails=backend"), pace=60, accounts=7)
    spec.save(tmp_path)
    assert load_spec(tmp_path) == spec
