"""The rehearsal's world in one process: git remote, databases, the provider's stand-in, users, stakeholders, faults.

What always holds: everything it owns lies in its folder, so that another one on the same folder goes on where
the last one stood; what it reports was read from the servers themselves.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from pathlib import Path

from console.errors import SandboxError
from console.sandbox.apps import CrmApps
from console.sandbox.contracts import DatabaseInstance, EnvironmentName, Pace
from console.sandbox.databases import SandboxDatabases
from console.sandbox.fault_agents import FaultAgents
from console.sandbox.faults import WorldFaults, parse_fault
from console.sandbox.journal_server import JournalServer
from console.sandbox.old_values import OldValues
from console.sandbox.release_watch import ReleaseWatch
from console.sandbox.remote import GitRemote
from console.sandbox.render.http_server import LoopbackServer
from console.sandbox.render.stand_in import RenderStandIn
from console.sandbox.stakeholders import Stakeholders
from console.sandbox.traffic import Addresses, Traffic
from console.sandbox.user_writes import UserWrites
from console.sandbox.workspace_seed import workspace_seed
from console.sandbox.world_after import Evidence, read_after
from console.sandbox.world_birth import give_birth, read_birth
from console.sandbox.world_report import JsonObject, provider_commit, read_world
from console.sandbox.world_spec import WorldSpec

_CANCEL_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


class World:
    """The world of `spec` in `state_dir`; use it between `start` and `stop`.

    `attended` says whether a console watches; the users rest while none does.
    """

    def __init__(self, state_dir: Path, spec: WorldSpec, attended: Callable[[], bool] = lambda: True) -> None:
        self.spec = spec
        self._attended = attended
        self.remote = GitRemote(state_dir / "crm.git")
        self._state_dir = state_dir
        self._databases = SandboxDatabases(state_dir)
        self._journal = JournalServer(state_dir)
        self._faults = WorldFaults([parse_fault(text) for text in spec.faults], state_dir / "faults-taken.json")
        down = partial(self._faults.active, "notify-down")
        self.stakeholders = Stakeholders(state_dir / "messages.jsonl", spec.messages_token, down)
        self._mailbox = LoopbackServer(self.stakeholders.application())
        self.user_writes = UserWrites(state_dir / "user-writes.jsonl")
        self._old_values = OldValues(state_dir)
        self._stand_in: RenderStandIn | None = None
        self._watch = ReleaseWatch(self.remote, self._live_commit)
        self._living: list[asyncio.Task[None]] = []

    @property
    def render_url(self) -> str:
        """The base URL of the provider's API."""
        return self._running().url

    async def database(self) -> DatabaseInstance:
        """Production's database as it was at first."""
        instance = await self._databases.get(self.spec.postgres_id)
        if instance is None:
            raise SandboxError("The world has no production database: it was never brought up completely.")
        return instance

    async def start(self, say: Callable[[str], None]) -> None:
        """Bring everything up, or up again; `say` hears what is being done.

        Raises `SandboxError`, or an `OSError` for a port that is taken.
        """
        born = self._state_dir / "born"
        if born.exists():
            say("starting the databases again")
            await self._databases.start_all()
        else:
            say(f"seeding PostgreSQL with {self.spec.accounts} accounts, building the git remote")
            await give_birth(self.spec, self._state_dir, self.remote, self._databases, self._faults)
            born.touch()
        if self.spec.shared:
            say("starting the server of the shared record")
            await self._journal.start()
        await self._mailbox.start([self.spec.messages_port])
        say("starting the provider's stand-in and six services")
        await self._start_stand_in()
        self._live(self._traffic().run(), "traffic")
        self._live(FaultAgents(self._faults, await self.database(), self._watch.is_live).run(), "faults")
        if self._faults.active("error-spike"):
            self._live(self._watch.run(), "release")

    async def stop(self) -> None:
        """Stop everything; the folder keeps the state."""
        await _end(self._living)
        self._living.clear()
        self.user_writes.close()
        await self._mailbox.stop()
        if self._stand_in is not None:
            await self._stand_in.stop()
            self._stand_in = None
        await self._databases.stop_all()
        await self._journal.stop()

    async def remove(self) -> None:
        """Stop everything and delete the databases' files."""
        await self.stop()
        await self._databases.remove_all()
        await self._journal.remove()

    async def report(self) -> JsonObject:
        """What happened in this world, read from its own servers."""
        provider = self._running().world_report()
        birth = await asyncio.to_thread(read_birth, self._state_dir)
        own = Evidence(self.spec, self.remote, self._databases, birth, self._old_values, self.user_writes)
        messages = await asyncio.to_thread(self.stakeholders.messages)
        return {
            **await read_world(self.spec, self.remote, self._databases, provider),
            **await read_after(own, provider, len(messages)),
        }

    def _running(self) -> RenderStandIn:
        if self._stand_in is None:
            raise SandboxError("The world is not running.")
        return self._stand_in

    async def _start_stand_in(self) -> None:
        shared = await self._databases.get(self.spec.shared_postgres_id)
        if shared is None:
            raise SandboxError("The world has no staging database: it was never brought up completely.")
        production = await self.database()
        urls: dict[EnvironmentName, str] = {
            "production": production.url,
            "staging": shared.url,
            "devtest": shared.url,
        }
        self._stand_in = RenderStandIn(
            workspace_seed(self.spec, urls),
            self.remote,
            CrmApps(),
            self._databases,
            self._faults,
            Pace(self.spec.pace),
            self._state_dir / "render",
        )
        await self._stand_in.start()

    def _traffic(self) -> Traffic:
        backend = self.spec.service("production", "backend")
        frontend = self.spec.service("production", "frontend")
        addresses = Addresses(backend.url, frontend.url)
        return Traffic(addresses, self.user_writes, Pace(self.spec.pace), lambda: self._watch.seen, self._attended)

    def _live_commit(self) -> str | None:
        backend = self.spec.service("production", "backend")
        return provider_commit(self._running().world_report(), backend)

    def _live(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_report_failure)
        self._living.append(task)


def _report_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.error("%s ended", task.get_name(), exc_info=error)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: a library in the middle of closing a connection may lose a cancellation."""
    going_on = set(tasks)
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=_CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
