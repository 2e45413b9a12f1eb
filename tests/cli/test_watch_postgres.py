"""`release-console watch --journal` as it is started, over a real PostgreSQL: an observer whose login only reads."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from console.adapters.database.database import PostgresDatabase
from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.schema import install
from console.adapters.scratch.programs import Programs, Runner, embedded_bin
from console.adapters.scratch.server import Running, private_server, scratch_folder
from console.domain.events import Draft, Event, Kind
from console.domain.shared import Lease
from console.domain.wire import GENESIS, encode_event, encode_plan, line_digest
from console.engine.clock import WallClock
from console.secrets import Secret
from tests.cli.test_watch import watching
from tests.cli.test_watch_read_only import ENGINE, FORBIDDEN, did
from tests.engine.following import AT, CREATED, PLAN, RUN

PASSWORD = "a-word-for-tests"
OPS = Lease(0, "ops@laptop", "laptop", 4711, AT)


@dataclass
class Store:
    """A real store with a driver in it, and the address of an observer's login."""

    server: Running
    driver: PostgresDriverStore
    observer: str
    lines: list[bytes] = field(default_factory=list)

    async def does(self, *drafts: Draft) -> None:
        """Append events behind those that are there."""
        new: list[bytes] = []
        for draft in drafts:
            before = [*self.lines, *new]
            event = Event(len(before) + 1, AT, RUN, OPS.actor, draft.kind, None, draft.data)
            new.append(encode_event(event, line_digest(before[-1]) if before else GENESIS))
        await self.driver.append(RUN, 1, len(self.lines) + 1, new)
        self.lines += new

    async def end_sessions_of(self, login: str) -> None:
        """End them as a server does that is stopped."""
        admin = PostgresDatabase(self.server.url("record"), WallClock(), tls="disable")
        async with admin.session("tests") as session:
            ended = await session.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %(login)s", {"login": login}
            )
        assert ended


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A PostgreSQL of its own, set up, in which a run is driven."""
    place = embedded_bin()
    assert place is not None
    runner, clock = Runner.choose(), WallClock()
    async with (
        scratch_folder(runner) as folder,
        private_server(Programs(place, "18", True), runner, folder, clock) as running,
    ):
        async with PostgresDatabase(running.url("postgres"), clock, tls="disable").session("tests") as session:
            await session.execute("CREATE DATABASE record")
        await install(running.url("record"), tls="disable")
        async with PostgresDatabase(running.url("record"), clock, tls="disable").session("tests") as session:
            for login, role in (("ops", "release_console_driver"), ("eve", "release_console_observer")):
                await session.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'")
                await session.execute(f"GRANT {role} TO {login}")
        socket = quote(str(running.socket))
        ops, eve = (f"postgresql://{login}:{PASSWORD}@/record?host={socket}" for login in ("ops", "eve"))
        driver = PostgresDriverStore(Secret(ops, "JOURNAL_URL"), tls="disable")
        await driver.create(RUN, encode_plan(PLAN))
        await driver.claim(RUN, OPS, expected=0)
        yield Store(running, driver, eve)
        await driver.close()


def joined() -> Draft:
    return Draft(Kind.DRIVER_JOINED, data={"actor": OPS.actor, "host": OPS.host, "pid": OPS.pid})


def note(text: str) -> Draft:
    return Draft(Kind.NOTE_ADDED, data={"text": text})


async def test_it_follows_through_the_loss_of_the_store_to_the_end_of_the_run(store: Store, tmp_path: Path) -> None:
    await store.does(CREATED, joined())
    place = ("--journal", "env:RC_TEST_JOURNAL", "--journal-tls", "disable")
    async with watching(tmp_path, *place, RC_TEST_JOURNAL=store.observer) as watcher:
        await watcher.says("ops@laptop drives (process 4711 on laptop) since 2026-02-04 20:14:03 UTC.")
        await watcher.until(2)
        watchers = await store.driver.observers(RUN)
        assert [each.login for each in watchers] == ["eve"]
        assert watchers[0].person.endswith(f"@{os.uname().nodename}")
        await store.does(note("a"), note("b" * 20_000))
        await watcher.until(4)
        await store.end_sessions_of("eve")
        await watcher.says("The shared record is not reached: ")
        await store.does(note("c"))
        await watcher.says("The shared record is reached again.")
        await store.does(Draft(Kind.RUN_FINISHED, data={"outcome": "rolled_back", "reason": "r", "production": "p"}))
        await store.does(Draft(Kind.DRIVER_LEFT, data={"reason": "it is finished"}))
        assert await watcher.end() == 4
    assert watcher.seen == list(range(1, 8))


async def test_one_whose_session_ended_is_said_to_be_gone_from_the_record_and_not_dead(
    store: Store, tmp_path: Path
) -> None:
    await store.does(CREATED, joined())
    address = tmp_path / "journal-url"
    address.write_text(store.observer)
    address.chmod(0o600)
    async with watching(tmp_path, "--journal", f"file:{address}", "--journal-tls", "disable") as watcher:
        await watcher.says("ops@laptop drives")
        await store.end_sessions_of("ops")
        await watcher.says("ops@laptop is not at the shared record any more")
        await store.driver.hold(RUN, 1)
        await watcher.says("ops@laptop drives")
        await store.does(note("on"))
        await watcher.until(3)
        watcher.process.terminate()
        await asyncio.wait_for(watcher.process.wait(), 10)


OF_A_STORE = {
    *("adapters.database.connecting", "adapters.database.errors", "secrets", "redact"),
    *(
        f"adapters.journal.{name}"
        for name in ("observer", "link", "hearing", "deadline", "failures", "names", "reading")
    ),
    "adapters.journal.tail_lines",
}
"""What whoever watches a shared record loads beside what whoever watches a folder loads: no half but the observer's."""


async def test_who_watches_a_store_loads_only_the_half_that_reads_and_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    await store.does(CREATED, joined(), Draft(Kind.RUN_FINISHED, data={"outcome": "failed", "reason": "r"}))
    await store.does(Draft(Kind.DRIVER_LEFT, data={"reason": "it is finished"}))
    place = ("--journal", "env:RC_TEST_JOURNAL", "--journal-tls", "disable")
    state, home = tmp_path / "state", tmp_path / "home"
    watched = await asyncio.to_thread(did, "lines", state, home, *place, run=RUN, RC_TEST_JOURNAL=store.observer)
    code, told = watched
    assert code == 1
    modules = {name.removeprefix("console.") for name in told["modules"] if name.startswith("console.")}
    packages = {"adapters", "adapters.database", "adapters.journal"}
    of_the_world = {name for name in modules if name.split(".")[0] in ("adapters", "secrets", "redact")} - packages
    assert of_the_world <= OF_A_STORE, of_the_world - OF_A_STORE
    engine = {name.removeprefix("engine.") for name in modules if name.startswith("engine.")}
    assert engine <= {*ENGINE, "follow_store", "store_reader"}
    assert not modules & {"adapters.journal.driver", "adapters.journal.signer", "adapters.database.database"}
    assert not {name for name in told["modules"] if name.split(".")[0] in set(FORBIDDEN) - {"psycopg"}}
    assert told["changed"] == [os.devnull]
    assert not state.exists()
    assert not home.exists()
