"""A push to a tracked branch starts a deploy, where the service's settings and the commit allow it."""

import asyncio
import logging
import re
from collections.abc import Iterable

from console.sandbox.contracts import Source
from console.sandbox.render.deploy_faults import DeployFaults
from console.sandbox.render.deployer import Deployer
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Service

_LOOK_EVERY = 0.1
_SKIP = re.compile(r"\[(?:skip (?:render|deploy|cd)|(?:render|deploy|cd) skip)\]", re.IGNORECASE)

_log = logging.getLogger(__name__)


class AutoDeploy:
    """Watches the branches that services track."""

    def __init__(self, ledger: Ledger, source: Source, deployer: Deployer, faults: DeployFaults) -> None:
        self._ledger = ledger
        self._source = source
        self._deployer = deployer
        self._faults = faults
        self._looking = asyncio.Lock()

    async def watch(self) -> None:
        """Look at every tracked branch ten times a second, until cancelled."""
        while True:
            for branch in sorted({service.branch for service in self._ledger.state.services.values()}):
                try:
                    await self.branch_moved(branch)
                except Exception:
                    # A look that failed is repeated with the next tick: the branch is still unseen then.
                    _log.exception("cannot look at branch %s", branch)
            await asyncio.sleep(_LOOK_EVERY)

    async def branch_moved(self, branch: str) -> None:
        """Deal with a branch's tip if it has not been dealt with; the deploys exist when this returns."""
        async with self._looking:
            tracking = [service for service in self._ledger.state.services.values() if service.branch == branch]
            head = await self._source.head(branch) if tracking else None
            if head is None:
                return
            for service in tracking:
                if service.seen_head != head:
                    await self._pushed(service, service.seen_head, head)

    async def _pushed(self, service: Service, former: str | None, head: str) -> None:
        commit = await self._source.commit(head)
        if commit is None:
            raise LookupError(f"branch {service.branch} names the unknown commit {head}")
        files = () if former is None else await self._source.changed_files(former, head)
        service.seen_head = head
        if service.autodeploy != "commit" or service.suspended:
            # `checksPass` waits for checks, and this repository has none: it never deploys by itself.
            self._ledger.save()
        elif _SKIP.search(commit.message) or not (former is None or triggers_build(service, files)):
            details: dict[str, object] = {"id": head, "url": f"{self._source.url}#{head}"}
            self._ledger.event(service.id, "commit_ignored", details)
            self._ledger.save()
        else:
            self._deployer.begin(service, self._faults.deployed_instead(service) or commit, "new_commit")


def triggers_build(service: Service, files: Iterable[str]) -> bool:
    """Whether a change of these files concerns a service: any push does where nothing narrows it down.

    Included paths, where there are any, take the place of the root directory; ignored paths always count.
    """
    included = [_glob(pattern) for pattern in service.build_filter.paths]
    ignored = [_glob(pattern) for pattern in service.build_filter.ignored_paths]
    root = service.root_dir.strip("/")
    if not (included or ignored or root):
        return True

    def concerns(file: str) -> bool:
        if any(pattern.fullmatch(file) for pattern in ignored):
            return False
        if included:
            return any(pattern.fullmatch(file) for pattern in included)
        return not root or file.startswith(f"{root}/")

    return any(concerns(file) for file in files)


def _glob(pattern: str) -> re.Pattern[str]:
    """A glob over whole paths: `*` and `?` stay within a folder, `**` crosses folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]/]+\])", pattern)
    wild = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(wild.get(part) or _literal(part) for part in parts))


def _literal(part: str) -> str:
    if part.startswith("[") and part.endswith("]"):
        return part.replace("[!", "[^", 1)
    return re.escape(part)
