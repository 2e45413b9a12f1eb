"""The stakeholders' mailbox: what Apprise sends arrives, is counted and outlives the process; or it is down."""

import json
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from console.adapters.notify import AppriseNotifier
from console.sandbox.loopback import free_port
from console.sandbox.render.http_server import LoopbackServer
from console.sandbox.stakeholders import Stakeholders
from console.secrets import Secret

# Apprise imports a module of the standard library that is going to be removed.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TOKEN = "t0ken"
Open = Callable[..., Awaitable[tuple[Stakeholders, int]]]


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a mailbox on a free port; each one on the same file."""
    async with AsyncExitStack() as stack:

        async def open_one(*, down: bool = False) -> tuple[Stakeholders, int]:
            stakeholders = Stakeholders(tmp_path / "messages.jsonl", TOKEN, lambda: down)
            server = LoopbackServer(stakeholders.application())
            (port,) = await server.start([free_port()])
            stack.push_async_callback(server.stop)
            return stakeholders, port

        yield open_one


def channel(port: int, token: str = TOKEN) -> AppriseNotifier:
    return AppriseNotifier({"stakeholders": Secret(f"json://127.0.0.1:{port}/{token}", "test")})


async def test_a_message_arrives_whole_and_is_there_after_a_restart(mailbox: Open, tmp_path: Path) -> None:
    first, port = await mailbox()
    assert await channel(port).send("Incident", "Writes are fenced.\nZürich, 20:14") == {"stakeholders": ""}
    again, port = await mailbox()
    assert await channel(port).send("Over", "It is as it was.") == {"stakeholders": ""}
    assert [(one.title, one.text) for one in again.messages()] == [
        ("Incident", "Writes are fenced.\nZürich, 20:14"),
        ("Over", "It is as it was."),
    ]
    assert again.messages() == first.messages()
    assert stat.S_IMODE((tmp_path / "messages.jsonl").stat().st_mode) == 0o600


async def test_a_receiver_that_is_down_takes_nothing(mailbox: Open) -> None:
    stakeholders, port = await mailbox(down=True)
    (failure,) = (await channel(port).send("Incident", "Anybody there?")).values()
    assert failure
    assert stakeholders.messages() == ()


async def test_what_is_no_message_is_refused(mailbox: Open) -> None:
    stakeholders, port = await mailbox()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for path, body, status in (
            ("/wrong", {"title": "a", "message": "b"}, 404),
            (f"/{TOKEN}", {"title": "a"}, 400),
            (f"/{TOKEN}", ["a"], 400),
            (f"/{TOKEN}", {"title": "a", "message": "b" * 2**20}, 400),
        ):
            assert (await client.post(path, content=json.dumps(body))).status_code == status
        assert (await client.post(f"/{TOKEN}", content=b"{")).status_code == 400
    assert stakeholders.messages() == ()
