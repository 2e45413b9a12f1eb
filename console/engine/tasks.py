"""The tasks of a run's steps: at most one works on a step, beside it at most one preview is being taken."""

import asyncio
from collections.abc import Callable, Coroutine

from console.engine.writer import let_go
from console.errors import Refused

Work = Coroutine[None, None, None]


class Tasks:
    """Starts, shares and ends the tasks of steps. `ended` is called whenever one of them is over."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended
        self._working: dict[str, asyncio.Task[None]] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}

    @property
    def idle(self) -> bool:
        """Whether no step is being worked on; previews do not count."""
        return not self._working

    def busy(self, step_id: str) -> bool:
        """Whether something goes on with a step."""
        return step_id in self._working or step_id in self._looking

    def spawn(self, step_id: str, work: Work) -> None:
        """Let work on a step go on by itself."""
        self._keep(self._working, step_id, work)

    async def alone(self, step_id: str, work: Work) -> None:
        """Do work that somebody waits for; if they stop waiting it still comes to its end. Raises Refused when busy."""
        if self.busy(step_id):
            work.close()
            raise Refused("This step is being worked on.", remedy="Wait a moment, then ask again.")
        await _wait_for(self._keep(self._working, step_id, work))

    async def look(self, step_id: str, preview: Callable[[], Work]) -> None:
        """Take a preview, or wait for the one that is being taken. Raises Refused when the step is being started."""
        if step_id in self._working:
            raise Refused("This step is being worked on.", remedy="Wait a moment, then ask again.")
        task = self._looking.get(step_id) or self._keep(self._looking, step_id, preview())
        await _wait_for(task)

    async def settled(self, unless: asyncio.Event) -> None:
        """Wait until no work goes on, or until the event is set. Previews are ended."""
        for task in self._looking.values():
            task.cancel()
        leaving = asyncio.create_task(unless.wait())
        while self._working and not leaving.done():
            await asyncio.wait({leaving, *self._working.values()}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()

    async def cancel(self) -> None:
        """End every task where it stands."""
        tasks = [*self._working.values(), *self._looking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _keep(self, where: dict[str, asyncio.Task[None]], step_id: str, work: Work) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=step_id)
        where[step_id] = task

        def over(task: asyncio.Task[None]) -> None:
            del where[step_id]
            if not task.cancelled():
                task.exception()  # whoever waits for the task gets it; that nobody waits is no fault of the task
            self._ended()

        task.add_done_callback(over)
        return task


async def _wait_for(task: asyncio.Task[None]) -> None:
    """Wait for a task without ending it when the waiting ends. Raises Refused when the task itself was ended."""
    await asyncio.wait({task})
    if task.cancelled():
        raise let_go()
    task.result()
