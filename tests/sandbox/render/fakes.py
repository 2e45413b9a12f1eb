"""Small worlds for the stand-in: a repository of dictionaries, apps that are sockets, dumps of a few bytes."""

import asyncio
import io
import json
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path

from console.sandbox.contracts import CommitInfo, DatabaseInstance, Role

Files = dict[str, str]


class FakeSource:
    """A repository: commits are dictionaries of files."""

    url = "file:///srv/git/crm.git"

    def __init__(self) -> None:
        self.branches: dict[str, str] = {}
        self._commits: dict[str, tuple[CommitInfo, Files]] = {}
        self.may_check_out = asyncio.Event()
        self.may_check_out.set()

    def push(self, branch: str, message: str, changes: Mapping[str, str]) -> str:
        """Commit `changes` on top of a branch and move it; the new commit's hash."""
        former = self.branches.get(branch)
        files = {**(self._commits[former][1] if former else {}), **changes}
        commit = sha1(f"{former}{message}{len(self._commits)}".encode()).hexdigest()
        self._commits[commit] = (CommitInfo(commit, message, datetime.now(UTC)), files)
        self.branches[branch] = commit
        return commit

    async def head(self, branch: str) -> str | None:
        return self.branches.get(branch)

    async def commit(self, rev: str) -> CommitInfo | None:
        return next((info for name, (info, _) in self._commits.items() if name.startswith(rev)), None)

    async def changed_files(self, old: str, new: str) -> tuple[str, ...]:
        before, after = self._commits[old][1], self._commits[new][1]
        return tuple(sorted(name for name in before | after if before.get(name) != after.get(name)))

    async def checkout(self, commit: str, destination: Path) -> None:
        await self.may_check_out.wait()
        for name, content in self._commits[commit][1].items():
            path = destination / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)


@dataclass
class FakeApp:
    """A running app: `/` tells what it was started with, `/wait` answers when `release` is set."""

    role: Role
    root: Path
    env: dict[str, str]
    on_line: Callable[[str], None]
    may_be_healthy: asyncio.Event
    stopped: bool = False
    release: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def pid(self) -> int:
        return os.getpid()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.on_line(f"listening as {self.role}")

    async def healthy(self, timeout: float) -> bool:
        await self.may_be_healthy.wait()
        return not self.stopped and "healthy: no" not in self._version()

    async def stop(self) -> None:
        self.stopped = True
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def _version(self) -> str:
        return (self.root / "version.txt").read_text()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode().split("\r\n")
                sizes = [header.split(":")[1] for header in headers if header.lower().startswith("content-length:")]
                body = await reader.readexactly(int(sizes[0])) if sizes else b""
                status, answer = await self._answer(*line.split(" ")[:2], body)
                size = f"Content-Length: {len(answer)}"
                writer.write(f"HTTP/1.1 {status} X\r\nX-App: crm\r\n{size}\r\n\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the edge closed its connection, or the loop ends
        finally:
            writer.close()

    async def _answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if path.startswith("/broken"):
            self.on_line('ERROR column "license_status" does not exist (SQLSTATE 42703)')
            return 500, b"broken"
        if path.startswith("/wait"):
            self.waiting.set()
            await self.release.wait()
        return 200, json.dumps(
            {"version": self._version(), "env": self.env, "method": method, "path": path, "body": body.decode()}
        ).encode()


class FakeApps:
    """Starts `FakeApp`s and remembers them."""

    def __init__(self) -> None:
        self.started: list[FakeApp] = []
        self.may_be_healthy = asyncio.Event()
        self.may_be_healthy.set()

    @property
    def running(self) -> list[FakeApp]:
        return [app for app in self.started if not app.stopped]

    async def start(self, *, role: Role, root: Path, env: Mapping[str, str], on_line: Callable[[str], None]) -> FakeApp:
        app = FakeApp(role, root, dict(env), on_line, self.may_be_healthy)
        await app.start()
        self.started.append(app)
        return app


class FakeDatabases:
    """Databases that nobody can connect to, with dumps of a real archive's form."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.instances = {identity: self._instance(identity, name) for identity, name in names.items()}
        self.earliest = datetime(2026, 2, 4, 19, 0, tzinfo=UTC)
        self.recovered: list[tuple[str, datetime]] = []
        self.suspended: set[str] = set()
        self.dumping = asyncio.Event()
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    async def get(self, postgres_id: str) -> DatabaseInstance | None:
        return self.instances.get(postgres_id)

    async def dump(self, postgres_id: str, destination: Path) -> int:
        self.dumping.set()
        await self.may_finish.wait()
        with tarfile.open(destination, "w:gz") as archive:
            for name, size in (("toc.dat", 900), ("3381.dat.gz", 4000), ("3382.dat.gz", 100)):
                member = tarfile.TarInfo(f"dump/{name}")
                member.size = size
                archive.addfile(member, io.BytesIO(os.urandom(size)))
            return archive.offset

    async def earliest_recovery(self, postgres_id: str) -> datetime:
        return self.earliest

    async def recover(
        self, postgres_id: str, *, new_id: str, new_name: str, restore_time: datetime
    ) -> DatabaseInstance:
        await self.may_finish.wait()
        if new_name == "broken":
            raise OSError("no space left on device")
        self.recovered.append((postgres_id, restore_time))
        self.instances[new_id] = self._instance(new_id, new_name)
        return self.instances[new_id]

    async def create(
        self, postgres_id: str, name: str, *, database: str, user: str, protect: bool = False
    ) -> DatabaseInstance:
        await self.may_finish.wait()
        self.instances[postgres_id] = replace(self._instance(postgres_id, name), database=database, user=user)
        return self.instances[postgres_id]

    async def set_suspended(self, postgres_id: str, suspended: bool) -> None:
        (self.suspended.add if suspended else self.suspended.discard)(postgres_id)

    def _instance(self, identity: str, name: str) -> DatabaseInstance:
        born = datetime(2026, 1, 1, tzinfo=UTC)
        # Port 1 refuses: the stand-in's own measurements find no server here.
        return DatabaseInstance(identity, name, "127.0.0.1", 1, "crm", "crm", "s3cret", "18.4", born)


class FakeFaults:
    """A set of names, `build-fails=backend` among them; `take` is true once a name and target."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self._taken: set[str] = set()

    def active(self, name: str, target: str | None = None) -> bool:
        return name in self.names or (target is not None and f"{name}={target}" in self.names)

    def take(self, name: str, target: str | None = None) -> bool:
        key = name if target is None else f"{name}={target}"
        if not self.active(name, target) or key in self._taken:
            return False
        self._taken.add(key)
        return True
