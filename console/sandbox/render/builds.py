"""One build: the commit is checked out and read, file by file, over the planned time, and tells so in the log."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from console.sandbox.contracts import Pace, Source
from console.sandbox.render.log_store import LogStore
from console.sandbox.render.state import Deploy, Service

_MOST_STEPS = 24


class BuildFailedError(Exception):
    """The build of a commit did not succeed; the message is the last thing that its log says."""


class Builder:
    """Builds commits into folders under `root`, at the rehearsal's pace."""

    def __init__(self, source: Source, logs: LogStore, pace: Pace, root: Path) -> None:
        self._source = source
        self._logs = logs
        self._pace = pace
        self._root = root

    async def build(self, service: Service, deploy: Deploy) -> AsyncIterator[float]:
        """Build `deploy.commit`; yields the share that is done (0 to 1) between the steps.

        `deploy.checkout` names the finished build. Raises BuildFailedError for a commit that does not build.
        """
        self.say(service, f"==> Cloning from {self._source.url}")
        self.say(service, f"==> Checking out commit {deploy.commit.id} in branch {service.branch}")
        folder = self._root / "builds" / deploy.id
        # A build that a stop of the stand-in interrupted begins anew.
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await asyncio.to_thread(folder.parent.mkdir, parents=True, exist_ok=True)
        await self._source.checkout(deploy.commit.id, folder)
        files = await asyncio.to_thread(_files_of, folder)
        self.say(service, f"==> Building {len(files)} files with node 22")
        steps = min(_MOST_STEPS, max(1, len(files)))
        # What the workspace is born with has been built long ago.
        pause = 0.0 if deploy.initial else self._pace.seconds(service.build_seconds) / steps
        for step in range(steps):
            share = files[step::steps]
            yield step / steps
            await asyncio.sleep(pause)
            for line in await asyncio.to_thread(_digests, folder, share):
                self.say(service, line)
            fails = deploy.unlucky or deploy.commit.id == service.unbuildable_commit
            if fails and step >= steps // 2:
                self.say(service, "error: the bundle exceeds the memory of the build (exit status 137)", "error")
                raise BuildFailedError("==> Build failed")
        deploy.checkout = str(folder.relative_to(self._root))
        self.say(service, "==> Build successful")

    def say(self, service: Service, line: str, level: str = "info") -> None:
        """Write a line of the service's build log."""
        self._logs.append(line, {"resource": service.id, "type": "build", "level": level})


def _files_of(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _digests(folder: Path, files: list[Path]) -> list[str]:
    lines = []
    for file in files:
        content = (folder / file).read_bytes()
        lines.append(f"    {file} {len(content)} bytes sha256:{hashlib.sha256(content).hexdigest()[:12]}")
    return lines
