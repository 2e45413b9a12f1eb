"""Every answer of the stand-in, and every request made here, against the provider's API description."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.openapi_contract import Contract, ContractViolation
from tests.sandbox.render.conftest import (
    BACKEND,
    DATABASE,
    OWNER,
    TOKEN,
    StartWorld,
    World,
    deploy_in,
    eventually,
)

LOGS = {"ownerId": OWNER, "resource": [BACKEND]}

REFUSALS: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("GET", "/services/srv-unknown", None, 404),
    ("GET", f"/services/{BACKEND}/deploys/dep-unknown", None, 404),
    ("GET", f"/services/{BACKEND}/env-vars/NONE", None, 404),
    ("GET", "/postgres/dpg-unknown", None, 404),
    ("GET", "/owners/tea-unknown", None, 404),
    ("GET", "/events/evt-00000000000000000000", None, 404),
    ("GET", f"/logs?ownerId={OWNER}&resource=srv-unknown", None, 404),
    ("GET", f"/logs?ownerId=tea-other&resource={BACKEND}", None, 403),
    ("GET", "/logs", None, 400),
    ("GET", f"/logs?ownerId={OWNER}&resource={BACKEND}&startTime=yesterday", None, 400),
    ("GET", f"/logs?ownerId={OWNER}&resource={BACKEND}&text=/(/", None, 400),
    ("GET", "/metrics/cpu", None, 400),
    ("GET", f"/metrics/cpu?resource={BACKEND}&resolutionSeconds=1", None, 400),
    ("PATCH", f"/services/{BACKEND}", {"branch": "gone"}, 400),
    ("PATCH", f"/services/{BACKEND}", {"autoDeploy": "perhaps"}, 400),
    ("POST", f"/services/{BACKEND}/deploys", {"commitId": "ffffffff"}, 400),
    ("POST", f"/services/{BACKEND}/deploys", {"clearCache": "maybe"}, 400),
    ("POST", f"/services/{BACKEND}/rollback", {"deployId": "dep-unknown"}, 404),
    ("POST", f"/services/{BACKEND}/rollback", {}, 400),
    ("PUT", f"/services/{BACKEND}/env-vars/A", {}, 400),
    ("POST", f"/postgres/{DATABASE}/recovery", {"restoreTime": "soon"}, 400),
    ("POST", f"/postgres/{DATABASE}/recovery", {"restoreTime": "2020-01-01T00:00:00Z"}, 400),
]


class CheckingTransport(httpx.AsyncHTTPTransport):
    """Passes requests on and holds both ways against the contract."""

    def __init__(self, contract: Contract) -> None:
        super().__init__()
        self.contract = contract

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        await response.aread()
        path, query = request.url.path, request.url.query.decode()
        if response.status_code < 400:
            self.contract.check_request(request.method, path, query, _json(request.content))
        assert response.headers["Date"]
        assert {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= response.headers.keys()
        self.contract.check_response(request.method, path, response.status_code, _json(response.content))
        return response


@pytest.fixture
def contract() -> Contract:
    return Contract.load()


@pytest.fixture
async def checked(world: World, contract: Contract) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose every exchange is checked."""
    async with httpx.AsyncClient(
        base_url=world.stand_in.url,
        headers={"Authorization": f"Bearer {TOKEN}"},
        transport=CheckingTransport(contract),
        timeout=10,
    ) as client:
        yield client


async def test_reading(world: World, checked: httpx.AsyncClient) -> None:
    await world.visit(path="/broken")
    project = (await checked.get("/projects")).json()[0]["project"]
    events = (await checked.get(f"/services/{BACKEND}/events", params={"limit": 5})).json()
    deploys = await checked.get(f"/services/{BACKEND}/deploys", params={"status": ["live"], "limit": 1})
    deploy = deploys.json()[0]["deploy"]
    paths = [
        "/owners",
        f"/owners/{OWNER}",
        f"/projects/{project['id']}",
        f"/environments?projectId={project['id']}",
        f"/environments/{project['environmentIds'][0]}",
        f"/services?name=crm-backend,crm-frontend&ownerId={OWNER}&limit=1",
        f"/services/{BACKEND}",
        f"/services/{BACKEND}/instances",
        f"/services/{BACKEND}/deploys/{deploy['id']}",
        f"/services/{BACKEND}/env-vars",
        f"/services/{BACKEND}/env-vars/FLAG",
        f"/events/{events[0]['event']['id']}",
        f"/postgres?ownerId={OWNER}",
        f"/postgres/{DATABASE}",
        f"/postgres/{DATABASE}/connection-info",
        f"/postgres/{DATABASE}/recovery",
        f"/postgres/{DATABASE}/export",
        "/users",
    ]
    for path in paths:
        response = await checked.get(path)
        assert response.status_code == 200, response.text


async def test_logs_and_metrics(world: World, checked: httpx.AsyncClient) -> None:
    for path in ("/", "/broken", "/x?y=1"):
        await world.visit(path=path)
    filters: list[dict[str, Any]] = [
        {},
        {"direction": "forward", "limit": 2, "startTime": "2026-01-01T00:00:00Z"},
        {"type": ["request"], "statusCode": ["5*"], "method": ["GET"], "path": ["/brok*"]},
        {"level": ["error"], "text": ["license_status"], "instance": [f"{BACKEND}*"]},
    ]
    for more in filters:
        assert (await checked.get("/logs", params=LOGS | more)).json()["logs"]
    values = await checked.get("/logs/values", params=LOGS | {"label": "statusCode"})
    assert values.json() == ["200", "500"]
    for name in ("cpu", "memory", "instance-count", "http-requests", "http-latency"):
        response = await checked.get(f"/metrics/{name}", params={"resource": BACKEND, "resolutionSeconds": 60})
        assert response.status_code == 200, response.text
    grouped = {"resource": BACKEND, "aggregateBy": "statusCode"}
    assert len((await checked.get("/metrics/http-requests", params=grouped)).json()) == 2
    assert (await checked.get("/metrics/http-latency", params={"resource": BACKEND, "quantile": 0.5})).json()
    assert (await checked.get("/metrics/active-connections", params={"resource": DATABASE})).json() == []


async def test_the_log_stream(world: World, contract: Contract) -> None:
    url = world.stand_in.url.replace("http", "ws") + f"/logs/subscribe?ownerId={OWNER}&resource={BACKEND}"
    async with connect(url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as stream:
        await world.visit(path="/broken")
        for _ in range(2):
            contract.check_response("GET", "/v1/logs/subscribe", 101, json.loads(await stream.recv()))


async def test_writing(world: World, checked: httpx.AsyncClient) -> None:
    service = f"/services/{BACKEND}"
    first = (await checked.get(f"{service}/deploys")).json()[0]["deploy"]
    await deploy_in(checked, BACKEND, "live", commit=await world.push(version="v2"))
    answers = [
        await checked.patch(service, json={"branch": "release", "autoDeploy": "no", "rootDir": ""}),
        await checked.patch(service, json={"buildFilter": {"paths": ["**"], "ignoredPaths": []}}),
        await checked.patch(
            service, json={"serviceDetails": {"maintenanceMode": {"enabled": True, "uri": "http://127.0.0.1/"}}}
        ),
        await checked.post(f"{service}/rollback", json={"deployId": first["id"]}),
        await checked.put(f"{service}/env-vars", json=[{"key": "A", "value": "1"}]),
        await checked.put(f"{service}/env-vars/B", json={"generateValue": True}),
        await checked.delete(f"{service}/env-vars/B"),
        await checked.post(f"{service}/deploys", json={"clearCache": "do_not_clear"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 201, 200, 200, 204, 201]
    await checked.post(f"{service}/deploys/{answers[-1].json()['id']}/cancel")
    assert (await checked.post(f"{service}/restart")).status_code == 200
    assert (await checked.post(f"{service}/suspend")).status_code == 202
    assert (await checked.post(f"{service}/resume")).status_code == 202
    assert (await checked.get(f"{service}/events", params={"limit": 100})).status_code == 200


async def test_databases(world: World, checked: httpx.AsyncClient) -> None:
    database = f"/postgres/{DATABASE}"
    assert (await checked.post(f"{database}/export")).status_code == 202

    async def ready() -> bool:
        return "url" in (await checked.get(f"{database}/export")).json()[0]

    await eventually(ready)
    await checked.post(f"{database}/recovery", json={"restoreTime": "2026-02-04T20:00:00Z"})
    wish = {"name": "crm-2", "plan": "standard", "ownerId": OWNER, "version": "18", "databaseName": "crm"}
    assert (await checked.post("/postgres", json=wish)).status_code == 201
    assert (await checked.post(f"{database}/suspend")).status_code == 202
    assert (await checked.get(database)).json()["status"] == "suspended"
    assert (await checked.post(f"{database}/resume")).status_code == 202


async def test_refusals(checked: httpx.AsyncClient) -> None:
    for method, path, body, status in REFUSALS:
        response = await checked.request(method, path, json=body)
        assert response.status_code == status, (method, path, response.text)


async def test_without_the_token_nothing_is_told(world: World, checked: httpx.AsyncClient) -> None:
    for header in ("", "Bearer wrong", f"Basic {TOKEN}"):
        response = await checked.get("/services", headers={"Authorization": header})
        assert response.status_code == 401


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/services/x", 501)])
async def test_what_is_not_offered_says_so(
    world: World, api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await api.request(method, path)
    assert (response.status_code, set(response.json())) == (status, {"id", "message"})


async def test_the_record_of_a_world_with_faults_keeps_the_contract(
    start_world: StartWorld, contract: Contract
) -> None:
    world = await start_world("api-429", "api-500")
    async with world.client() as api:
        for _ in range(12):
            for path in (f"/services/{BACKEND}", "/services", f"/postgres/{DATABASE}/connection-info"):
                await api.get(path)
            await api.put(f"/services/{BACKEND}/env-vars/KEY", json={"value": "hunter2"})
            await api.post(f"/services/{BACKEND}/rollback", json={})
            await api.post(f"/postgres/{DATABASE}/export")
    text = (world.folder / "api-requests.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        contract.check_recorded(line)
    assert {200, 202, 400, 429, 500, 502} == {line["status"] for line in lines}
    assert not [secret for secret in ("hunter2", "s3cret", TOKEN) if secret in text]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"id": "srv-1"}),
        (200, None),
        (201, {}),
        (404, {"error": "gone"}),
    ],
)
def test_the_contract_notices_a_wrong_answer(contract: Contract, status: int, body: object) -> None:
    with pytest.raises(ContractViolation):
        contract.check_response("GET", "/v1/services/srv-1", status, body)


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/v1/services", "limit=1000", None),
        ("GET", "/v1/services", "colour=red", None),
        ("GET", "/v1/logs", "ownerId=tea-1", None),
        ("GET", "/v1/nothing", "", None),
        ("PATCH", "/v1/owners", "", None),
        ("POST", "/v1/services/srv-1/rollback", "", {}),
        ("POST", "/v1/services/srv-1/rollback", "", None),
        ("POST", "/v1/services/srv-1/suspend", "", {}),
        ("PATCH", "/v1/services/srv-1", "", {"autoDeploy": True}),
    ],
)
def test_the_contract_notices_a_wrong_request(
    contract: Contract, method: str, path: str, query: str, body: object
) -> None:
    with pytest.raises(ContractViolation):
        contract.check_request(method, path, query, body)


def _json(content: bytes) -> object:
    return json.loads(content) if content else None
