"""The CRM's users: they read and write through the services' public addresses, as long as a console is about.

What always holds: an error, an absent service or one in maintenance stops nobody; every write that a user tries is
recorded with what came of it; no user changes an account's status or makes an account, so that the counts per status
follow from the seed and the migration alone.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from console.sandbox.contracts import Pace
from console.sandbox.user_writes import Answer, UserWrites

_USERS = 4
_PLANNED_PAUSE_S = 6.0
_LEAST_PAUSE_S = 0.2
_TIMEOUT_S = 20.0
_REST_S = 1.0
_STATUSES = ("active", "suspended", "cancelled")
_SUFFIX = " (key account)"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_SPIKE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Addresses:
    """The public addresses of production."""

    backend: str
    frontend: str


class Traffic:
    """Four users, each with a pause between two requests: together some 20 a second at most.

    `record` hears of every write. `spike` says whether users now run into the report that the release broke;
    `attended` whether a console watches at all: without one the users rest, so that a world that waits to be resumed
    costs next to nothing.
    """

    def __init__(
        self,
        addresses: Addresses,
        record: UserWrites,
        pace: Pace,
        spike: Callable[[], bool],
        attended: Callable[[], bool],
    ) -> None:
        self._addresses = addresses
        self._record = record
        self._pause = max(pace.seconds(_PLANNED_PAUSE_S), _LEAST_PAUSE_S)
        self._spike = spike
        self._attended = attended

    async def run(self) -> None:
        """Go on until cancelled."""
        headers = {"User-Agent": _BROWSER}
        client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, headers=headers)
        async with client, asyncio.TaskGroup() as users:
            for number in range(_USERS):
                users.create_task(self._use(client, number))

    async def _use(self, client: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - not a secret
        user = _User(client, self._addresses, self._record, chance)
        await asyncio.sleep(self._pause * number / _USERS)
        while True:
            if not self._attended():
                await asyncio.sleep(_REST_S)
                continue
            try:
                await (user.open_broken_report() if self._spike() and user.unlucky() else user.act())
            except httpx.HTTPError:
                user.forget()
            await asyncio.sleep(self._pause)


class _User:
    """One user: what they see in a list is what they open and edit next."""

    def __init__(
        self, client: httpx.AsyncClient, addresses: Addresses, record: UserWrites, chance: random.Random
    ) -> None:
        self._client = client
        self._record = record
        self._api = addresses.backend
        self._site = addresses.frontend
        self._chance = chance
        self._seen: list[tuple[int, str]] = []
        self._habits: tuple[tuple[Callable[[], Awaitable[None]], int], ...] = (
            (self._list_accounts, 30),
            (self._look_at_dashboard, 20),
            (self._open_account, 15),
            (self._open_site, 10),
            (self._rename_account, 10),
            (self._read_reports, 8),
            (self._enter_lead, 4),
            (self._list_leads, 3),
        )

    def unlucky(self) -> bool:
        """Whether this time it is the broken report."""
        return self._chance.random() < _SPIKE_SHARE

    def forget(self) -> None:
        """Start anew with a list, as after reloading the page."""
        self._seen.clear()

    async def act(self) -> None:
        """One request, chosen by habit."""
        acts, weights = zip(*self._habits, strict=True)
        await self._chance.choices(acts, weights)[0]()

    async def open_broken_report(self) -> None:
        """The lead report of a team without a target yet."""
        await self._client.get(f"{self._api}/api/reports/leads", params={"target": 0})

    async def _list_accounts(self) -> None:
        query: dict[str, str | int] = {"limit": 20}
        if self._chance.random() < 0.5:
            query["status"] = self._chance.choice(_STATUSES)
        answer = await self._client.get(f"{self._api}/api/accounts", params=query)
        if answer.status_code == 200:
            self._seen = [(int(account["id"]), str(account["name"])) for account in answer.json()]

    async def _open_account(self) -> None:
        if not self._seen:
            await self._list_accounts()
            return
        account, _ = self._chance.choice(self._seen)
        await self._client.get(f"{self._api}/api/accounts/{account}")

    async def _rename_account(self) -> None:
        if not self._seen:
            await self._list_accounts()
            return
        account, name = self._chance.choice(self._seen)
        renamed = (name.removesuffix(_SUFFIX) if name.endswith(_SUFFIX) else name + _SUFFIX)[:200]
        told, answer = await self._write("PATCH", f"/api/accounts/{account}", {"name": renamed})
        version = str(answer.get("updatedAt", ""))
        self._record.add("accounts", "update", told, name=renamed, key=account, version=version)

    async def _look_at_dashboard(self) -> None:
        await self._client.get(f"{self._api}/api/dashboard/kpis")

    async def _open_site(self) -> None:
        await self._client.get(f"{self._site}/")
        await self._client.get(f"{self._site}/api/accounts", params={"limit": 20})

    async def _read_reports(self) -> None:
        report = self._chance.choice(("reports/accounts", "reports/leads", "field-mapping"))
        await self._client.get(f"{self._api}/api/{report}")

    async def _enter_lead(self) -> None:
        number = secrets.randbelow(10**9)  # never a second time, also after a restart: the record tells leads by it
        lead = {"name": f"Visitor {number}", "company": f"Prospect {number}"}
        told, answer = await self._write("POST", "/api/leads", lead)
        key = answer.get("id")
        self._record.add("leads", "insert", told, name=lead["name"], key=key if isinstance(key, int) else None)

    async def _list_leads(self) -> None:
        await self._client.get(f"{self._api}/api/leads", params={"limit": 20})

    async def _write(self, method: str, path: str, body: dict[str, str]) -> tuple[Answer, dict[str, object]]:
        """Send a write; what it was answered with, and the row where it was done."""
        try:
            answer = await self._client.request(method, self._api + path, json=body)
        except httpx.HTTPError:
            return Answer.UNKNOWN, {}
        if answer.is_success:
            return Answer.CONFIRMED, answer.json()
        return Answer.REFUSED if _wrote_nothing(answer) else Answer.UNKNOWN, {}


def _wrote_nothing(answer: httpx.Response) -> bool:
    """Whether an answer says that the write was not done: the edge's own page, a wrong request, an error in SQL."""
    if answer.status_code == 503 or answer.is_client_error:
        return True
    try:
        sqlstate = str(answer.json()["sqlstate"])
    except (ValueError, TypeError, KeyError):
        return False
    # A connection that was lost on the way (class 08), or ended by somebody (57), may have lost only the answer.
    return not sqlstate.startswith(("08", "57"))
