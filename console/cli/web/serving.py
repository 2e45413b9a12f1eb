"""`release-console watch --web`: begins the server, says its address once, and ends it with everything it started.

What always holds: it listens on the loopback interface alone; the address, which lets in whoever knows it, is
printed and stands nowhere else: not in a log, not in the arguments or the environment of a process.
"""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from aiohttp import web

from console.cli.exits import Exit
from console.cli.web.gate import new_token
from console.cli.web.server import WatchServer
from console.domain.untrusted import one_line
from console.errors import ConsoleError
from console.redact import Redactor

_LOOPBACK = "127.0.0.1"
_ENDING_S = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def watch_in_browser(run: str, watch: Sequence[str], port: int | None) -> Exit:
    """Serve the run called `run` until interrupted; `watch` are the arguments with which each browser's viewer starts.

    `port` is free to be any when None. DONE at its end, however the run stands by then: each viewer tells that
    itself. Raises ConsoleError when the port cannot be had.
    """
    with _listening(port) as listening:
        return asyncio.run(_serve(run, watch, listening))


async def _serve(run: str, watch: Sequence[str], listening: socket.socket) -> Exit:
    interrupted = asyncio.Event()
    for each in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(each, interrupted.set)
    token = new_token()
    with _remarks_without(token):
        runner = web.AppRunner(
            await WatchServer(run, watch, token).application(), access_log=None, shutdown_timeout=_ENDING_S
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            print(f"http://{_LOOPBACK}:{listening.getsockname()[1]}/{token}/", flush=True)
            print(one_line(f"Watching {run} in the browser, read-only, on this machine alone."), file=sys.stderr)
            print("Whoever has the address can watch. Ctrl+C ends it.", file=sys.stderr, flush=True)
            await interrupted.wait()
        finally:
            await runner.cleanup()
    return Exit.DONE


@contextmanager
def _listening(port: int | None) -> Iterator[socket.socket]:
    """The loopback interface's socket, bound. Raises ConsoleError."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_LOOPBACK, port or 0))
        except OSError as error:
            raise ConsoleError(
                f"Port {port} of {_LOOPBACK} cannot be had: {error.strerror or error}.",
                production="Nothing was started, and nothing was changed.",
                remedy="Name another with --port N, or leave it out: then any that is free is taken.",
            ) from error
        yield listening


class _Remarks(logging.StreamHandler[TextIO]):
    """What the server has to remark goes to standard error, without the address in it."""

    def __init__(self, token: str) -> None:
        super().__init__(sys.stderr)
        self.setLevel(logging.WARNING)
        self._redactor = Redactor([token])

    def format(self, record: logging.LogRecord) -> str:
        """The record with its traceback, without secrets."""
        return self._redactor.text(super().format(record))


@contextmanager
def _remarks_without(token: str) -> Iterator[None]:
    handler = _Remarks(token)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
