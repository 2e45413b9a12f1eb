"""A statement's end in time, also when the network swallows everything.

A cancelled statement is first cancelled in the server, which a hanging network does not let through either. So a
connection whose time is over is cut here, at the socket: whatever waits for it fails at once.
"""

import asyncio
import contextlib
import os
import socket
from types import TracebackType
from typing import Self

from console.adapters.database.connecting import Link


class Deadline:
    """Cuts a connection at a time of the event loop, unless the block has ended before. `passed`: it did."""

    def __init__(self, link: Link, at: float) -> None:
        self._link = link
        self._at = at
        self._timer: asyncio.TimerHandle | None = None
        self.passed = False

    def __enter__(self) -> Self:
        self._timer = asyncio.get_running_loop().call_at(self._at, self._cut)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cut(self) -> None:
        self.passed = True
        if self._link.closed:
            return
        # A copy: the connection closes its own descriptor itself, once it has seen the end.
        with socket.socket(fileno=os.dup(self._link.pgconn.socket)) as line, contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)  # an OSError says that it has ended already
