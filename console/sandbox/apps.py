"""Starts the CRM's instances: real processes on loopback ports, each on a checkout of the commit it serves.

What always holds: an instance ends with the process that started it, however that ends; secrets reach it by
its environment alone.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from console.sandbox.contracts import Role
from console.sandbox.loopback import free_port

_LINE_LIMIT = 1 << 20
_STOP_TIMEOUT_S = 5.0
_PROBE_TIMEOUT_S = 2.0
_POLL_S = 0.05
_PACKAGES = Path(__file__).parents[2]


class CrmInstance:
    """One running instance."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, on_line: Callable[[str], None]) -> None:
        self._process = process
        self._port = port
        self._reading = asyncio.create_task(self._read(on_line))

    @property
    def port(self) -> int:
        """The loopback port it listens on."""
        return self._port

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def healthy(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for `/health` to answer 200; False at once when the process ended."""
        async with httpx.AsyncClient(trust_env=False, timeout=_PROBE_TIMEOUT_S) as client:
            try:
                async with asyncio.timeout(timeout):
                    while not await self._answers(client):
                        if self._process.returncode is not None:
                            return False
                        await asyncio.sleep(_POLL_S)
            except TimeoutError:
                return False
        return True

    async def stop(self) -> None:
        """End the process: SIGTERM, and after five seconds SIGKILL; returns when its last line was read."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            answer = await client.get(f"http://127.0.0.1:{self._port}/health")
        except httpx.TransportError:
            return False  # it does not listen yet
        return answer.status_code == 200

    async def _read(self, on_line: Callable[[str], None]) -> None:
        output = self._process.stdout
        if output is None:
            raise RuntimeError("an instance is started with its output piped")
        async for line in output:
            on_line(line.decode(errors="replace").rstrip("\r\n"))


class CrmApps:
    """Starts instances of the CRM."""

    async def start(
        self, *, role: Role, root: Path, env: Mapping[str, str], on_line: Callable[[str], None]
    ) -> CrmInstance:
        """Start one instance of `role` from the tree `root`; it may take a moment until it is healthy."""
        port = free_port()
        inherited = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(_PACKAGES)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "console.sandbox.crm_app", "--until-stdin-closes"),
            *("--role", role, "--root", str(root), "--port", str(port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**inherited, **env, "PORT": str(port)},
            limit=_LINE_LIMIT,
            start_new_session=True,
        )
        return CrmInstance(process, port, on_line)
