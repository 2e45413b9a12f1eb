"""The client's behaviour when the provider refuses, fails, stalls or speaks otherwise than described."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from console.adapters.render import Patience, RenderBackups, RenderClient, RenderHosting, RenderSwitches
from console.errors import HostingError
from console.redact import Redactor
from console.secrets import Secret
from tests.adapters.conftest import API, OWNER, TOKEN, Connect, HeldToContract, JumpClock
from tests.openapi_contract import Contract

SERVICE = "srv-backendproduction000"
DEPLOY = {
    "id": "dep-1",
    "status": "live",
    "commit": {"id": "a" * 40, "message": "Merge"},
    "trigger": "new_commit",
    "createdAt": "2026-02-04T20:00:00.5Z",
    "unknown": {"to": "us"},
}


class Script:
    """Answers requests one after the other; exceptions are raised."""

    def __init__(self, *items: httpx.Response | Exception) -> None:
        self._items = list(items)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        item = self._items.pop(0)
        if isinstance(item, Exception):
            raise item
        return item


def deploy() -> httpx.Response:
    return httpx.Response(200, json=DEPLOY)


def error(status: int, message: str = "sorry", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"id": "e", "message": message}, headers=headers)


@pytest.mark.parametrize(
    "failure",
    [
        error(500),
        error(503),
        httpx.ReadTimeout("slow"),
        httpx.ConnectTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("gone"),
        httpx.ReadError("reset"),
    ],
)
async def test_a_read_is_repeated_with_growing_pauses(
    connect: Connect, jump: JumpClock, failure: httpx.Response | Exception
) -> None:
    script = Script(failure, failure, deploy())
    client, _ = connect(script)
    found = await RenderHosting(client).deploy(SERVICE, "dep-1")
    assert found.commit == "a" * 40
    assert len(script.asked) == 3
    first, second = jump.slept
    assert 0.25 <= first <= 0.5
    assert 0.5 <= second <= 1.0


async def test_how_long_an_answer_is_waited_for_is_the_plans_to_say(contract: Contract, jump: JumpClock) -> None:
    given: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        given.append(request.extensions["timeout"]["read"])
        if len(given) == 1:
            raise httpx.ReadTimeout("slow")
        return deploy()

    transport = HeldToContract(contract, httpx.MockTransport(answer))
    patience = Patience.for_answers_within(2.0)
    async with RenderClient(API, Secret(TOKEN, "KEY"), OWNER, jump, patience=patience, transport=transport) as client:
        await RenderHosting(client).deploy(SERVICE, "dep-1")
    assert given == [2.0, 5.0]
    assert Patience.for_answers_within(8.0) == Patience(), "what is waited for where the plan says nothing"


async def test_a_read_gives_up_in_the_end_and_may_be_retried(connect: Connect) -> None:
    script = Script(*[error(502, "bad gateway")] * 5)
    client, _ = connect(script)
    with pytest.raises(HostingError, match=r"502 to reading deploy dep-1.*bad gateway") as failed:
        await RenderHosting(client).deploy(SERVICE, "dep-1")
    assert failed.value.status == 502
    assert failed.value.retryable
    assert failed.value.production == "Nothing was changed."


@pytest.mark.parametrize(
    "failure", [error(500), error(502), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone")]
)
async def test_a_post_whose_answer_is_lost_is_never_repeated(
    connect: Connect, failure: httpx.Response | Exception
) -> None:
    script = Script(failure)
    client, _ = connect(script)
    with pytest.raises(HostingError) as lost:
        await RenderHosting(client).start_deploy(SERVICE, "b" * 40)
    assert len(script.asked) == 1
    assert lost.value.sent
    assert not lost.value.retryable
    assert "not known" in lost.value.production


async def test_a_post_that_never_left_is_repeated(connect: Connect) -> None:
    script = Script(httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.Response(202))
    client, _ = connect(script)
    assert await RenderHosting(client).start_deploy(SERVICE, "b" * 40) is None
    assert [json.loads(request.content) for request in script.asked] == [{"commitId": "b" * 40}] * 3


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": "7"}, 7.0, 7.25),
        ({"Retry-After": "Wed, 04 Feb 2026 20:00:09 GMT"}, 9.0, 9.25),
        ({"RateLimit-Reset": "11"}, 11.0, 11.25),
        ({"RateLimit-Reset": str(int(datetime(2026, 2, 4, 20, 0, 13, tzinfo=UTC).timestamp()))}, 13.0, 13.25),
        (
            {
                "RateLimit-Reset": str(int(datetime(2026, 2, 4, 21, 0, 5, tzinfo=UTC).timestamp())),
                "Date": "Wed, 04 Feb 2026 21:00:00 GMT",
            },
            5.0,
            5.25,
        ),
        ({"Retry-After": "soon"}, 0.25, 0.5),
        ({}, 0.25, 0.5),
    ],
)
async def test_a_refusal_for_the_rate_is_waited_out_also_for_a_post(
    connect: Connect, jump: JumpClock, headers: dict[str, str], low: float, high: float
) -> None:
    script = Script(error(429, "slow down", **headers), httpx.Response(202))
    client, _ = connect(script)
    await RenderBackups(client).request_export("dpg-1")
    assert len(script.asked) == 2
    assert low <= jump.slept[0] <= high


async def test_a_rate_that_stays_used_up_is_an_error(connect: Connect) -> None:
    script = Script(*[error(429, "slow down", **{"Retry-After": "1"})] * 8)
    client, _ = connect(script)
    with pytest.raises(HostingError, match="429") as refused:
        await RenderBackups(client).request_export("dpg-1")
    assert refused.value.retryable
    assert not refused.value.sent


async def test_requests_slow_down_before_the_limit_is_reached(connect: Connect, jump: JumpClock) -> None:
    limits = {"RateLimit-Limit": "400", "RateLimit-Remaining": "9", "RateLimit-Reset": "30"}
    client, _ = connect(lambda _: httpx.Response(200, json=DEPLOY, headers=limits))
    hosting = RenderHosting(client)
    await hosting.deploy(SERVICE, "dep-1")
    assert jump.slept == []
    await hosting.deploy(SERVICE, "dep-1")
    assert jump.slept == [3.0]


async def test_a_used_up_window_is_waited_out_and_others_are_not(connect: Connect, jump: JumpClock) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=DEPLOY, headers={"RateLimit-Limit": "400", "RateLimit-Remaining": "300"})
        used = {"RateLimit-Limit": "10", "RateLimit-Remaining": "0", "RateLimit-Reset": "40"}
        return httpx.Response(202, headers=used)

    client, _ = connect(answer)
    hosting = RenderHosting(client)
    await hosting.start_deploy(SERVICE, "b" * 40)
    await hosting.deploy(SERVICE, "dep-1")
    await hosting.start_deploy("srv-another", "b" * 40)
    assert jump.slept == []
    await hosting.start_deploy(SERVICE, "b" * 40)
    assert jump.slept == [40.0]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "API key is wrong"), (403, "may not do this"), (404, "Check this id"), (410, "deleted"), (400, "ids")],
)
async def test_refusals_say_what_to_do(connect: Connect, status: int, words: str) -> None:
    client, _ = connect(Script(error(status, f"no {TOKEN} here\x1b[31m")))
    with pytest.raises(HostingError) as refused:
        await RenderHosting(client).service(SERVICE)
    said = refused.value
    assert said.status == status
    assert words in said.remedy
    assert SERVICE in said.message
    assert not said.retryable
    assert not said.sent
    assert TOKEN not in said.message
    assert "\x1b" not in said.message


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"", b'{"id": 5}', b"[]", b'{"id":"d","status":"levitating"}'])
async def test_an_answer_that_is_none_is_an_error(connect: Connect, body: bytes) -> None:
    client, _ = connect(lambda _: httpx.Response(200, content=body))
    with pytest.raises(HostingError, match="cannot be understood") as odd:
        await RenderHosting(client).deploy(SERVICE, "dep-1")
    assert not odd.value.retryable
    assert odd.value.__cause__ is None
    assert odd.value.__context__ is None


async def test_no_redirect_is_followed_with_the_key(connect: Connect) -> None:
    script = Script(httpx.Response(302, headers={"Location": "https://evil.test/"}))
    client, _ = connect(script)
    with pytest.raises(HostingError, match="302"):
        await RenderHosting(client).service(SERVICE)
    assert len(script.asked) == 1


async def test_lists_are_read_page_by_page(connect: Connect) -> None:
    found = [{"deploy": {**DEPLOY, "id": f"dep-{n}"}, "cursor": f"c{n}"} for n in range(250)]

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        start = int(query["cursor"][1:]) + 1 if "cursor" in query else 0
        return httpx.Response(200, json=found[start : start + int(query["limit"])])

    client, transport = connect(answer)
    hosting = RenderHosting(client)
    assert [d.id for d in await hosting.deploys(SERVICE, limit=230)] == [f"dep-{n}" for n in range(230)]
    assert [request.url.params["limit"] for request in transport.requests] == ["100", "100", "30"]
    assert len(await hosting.deploys(SERVICE, limit=1000)) == 250
    assert len(await hosting.deploys(SERVICE)) == 20


async def test_ids_never_leave_their_place_in_the_path(jump: JumpClock) -> None:
    script = Script(error(404))
    transport = httpx.MockTransport(script)
    async with RenderClient(API, Secret(TOKEN, "KEY"), OWNER, jump, transport=transport) as client:
        with pytest.raises(HostingError):
            await RenderHosting(client).deploy(SERVICE, "../../../owners?x=1#")
    assert (
        script.asked[0].url.raw_path
        == b"/v1/services/srv-backendproduction000/deploys/..%2F..%2F..%2Fowners%3Fx%3D1%23"
    )


async def test_no_secret_is_in_any_repr_or_error(connect: Connect) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return error(400, f"bad value postgresql://crm:pa55 for {request.headers['authorization']}")

    client, _ = connect(answer)
    with pytest.raises(HostingError) as refused:
        await RenderSwitches(client, Redactor().add).set_env_var(SERVICE, "DATABASE_URL", "postgresql://crm:pa55")
    said = f"{refused.value!r} {vars(refused.value)} {client!r}"
    assert TOKEN not in said
    assert "pa55" not in said


async def test_autodeploy_that_does_not_stay_set_is_an_error(connect: Connect) -> None:
    service = {
        "id": SERVICE,
        "name": "crm",
        "autoDeploy": "yes",
        "suspended": "not_suspended",
        "rootDir": "",
        "serviceDetails": {"url": "https://crm.test"},
    }
    client, _ = connect(lambda _: httpx.Response(200, json=service))
    hosting = RenderHosting(client)
    assert (await hosting.set_auto_deploy(SERVICE, "commit")).auto_deploy == "commit"
    with pytest.raises(HostingError, match="left autodeploy") as left:
        await hosting.set_auto_deploy(SERVICE, "off")
    assert left.value.sent


async def test_the_provider_time_is_its_own(connect: Connect, jump: JumpClock) -> None:
    client, _ = connect(lambda _: httpx.Response(200, json={}, headers={"Date": "Wed, 04 Feb 2026 21:30:00 GMT"}))
    assert await RenderHosting(client).now() == jump.now().replace(hour=21, minute=30)
    assert jump.now() - await RenderHosting(client).now() < timedelta(0)
