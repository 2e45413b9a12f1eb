"""Whether production runs the release by now: some faults wait for that moment."""

from collections.abc import Callable

from console.sandbox.release import MIGRATION
from console.sandbox.remote import GitRemote
from console.sandbox.waiting import watch_for

_LOOK_EVERY_S = 0.2


class ReleaseWatch:
    """Compares what is live with what `main` was before anybody pushed.

    `live_commit` tells the commit of production's backend, None without one.
    """

    def __init__(self, remote: GitRemote, live_commit: Callable[[], str | None]) -> None:
        self._remote = remote
        self._live_commit = live_commit
        self._seen = False

    @property
    def seen(self) -> bool:
        """Whether the release was live when `run` last looked."""
        return self._seen

    async def is_live(self) -> bool:
        """Whether production's backend runs a commit that brought the migration."""
        old, live = await self._old_release(), self._live_commit()
        if live is None or live == old:
            return False
        return MIGRATION in await self._remote.changed_files(old, live)

    async def run(self) -> None:
        """Keep `seen` up to date until cancelled."""

        async def look() -> bool:
            self._seen = await self.is_live()
            return False

        await watch_for(look, _LOOK_EVERY_S)

    async def _old_release(self) -> str:
        pushes = [push for push in self._remote.pushes() if push.branch == "main"]
        return pushes[0].old if pushes else (await self._remote.head("main") or "")
