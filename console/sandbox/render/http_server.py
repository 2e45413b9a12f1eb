"""uvicorn inside the calling event loop: loopback sockets, no signal handlers, no output of its own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp, Message
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_STOP_SECONDS = 3
HOST = "127.0.0.1"
ABORT: Message = {"type": "websocket.abort"}


class AbortableWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that an application can also lose, as a broken network would: no closing frame."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send an ASGI message; the extension `websocket.abort` drops the connection."""
        if message["type"] == ABORT["type"]:
            self.transport.abort()
        else:
            await super().send(message)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signal handlers alone: they belong to whoever runs the loop."""
        yield

    def leave(self) -> None:
        """Begin to stop."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Refresh the answers' `Date` once a second until it is time to stop, and wake for nothing else."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1.0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class LoopbackServer:
    """Serves one application on some loopback ports."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            ws=AbortableWebSocket,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self, ports: Sequence[int]) -> list[int]:
        """Listen on `ports` (0: any free one); the real ports. OSError when one of them is taken."""
        sockets: list[socket.socket] = []
        try:
            for port in ports:
                sockets.append(_bound(port))
        except OSError:
            for bound in sockets:
                bound.close()
            raise
        real = [bound.getsockname()[1] for bound in sockets]
        self._task = asyncio.create_task(self._server.serve(sockets=sockets))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            ready.cancel()
            self._task.result()
        return real

    async def stop(self) -> None:
        """Stop listening, and end what is under way within some seconds."""
        if self._task is not None:
            self._server.leave()
            await self._task
            self._task = None


def _bound(port: int) -> socket.socket:
    # The protocol named, asyncio switches off Nagle's algorithm: otherwise each answer waits 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen on {HOST}:{port}: {error.strerror}") from error
    return bound
