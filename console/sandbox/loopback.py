"""Ports of the loopback interface for servers that keep theirs over a restart.

What always holds: a port is given to one process at a time, as long as that lives, and once by it; it lies below
those that the system itself gives to outgoing connections, where it would be taken sooner or later while its server is
not up.
"""

import errno
import random
import socket
from pathlib import Path

_LOWEST = 15_000
_BELOW = 32_768
_SYSTEM_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 1_000

_given: dict[int, int | None] = {}
"""The ports given by this process, each with the descriptor of the mark that keeps others from giving it as well."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    candidates = range(_LOWEST, _first_of_the_system())
    for _ in range(_TRIES if candidates else 0):
        port = random.choice(candidates)  # noqa: S311 - spreads, no secret
        if port not in _given and _is_free(port) and _reserved(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        last: int = probe.getsockname()[1]
        return last


def _reserved(port: int) -> bool:
    """Mark a port as given, for all sandboxes of the machine; the mark goes with this process. False: another has it.

    Where the system knows no such marks, ports are merely unlikely to meet.
    """
    with socket.socket(socket.AF_UNIX) as mark:
        try:
            mark.bind(f"\0release-console/port/{port}")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            _given[port] = None
        else:
            # Left open without an owner: it is to live as long as the process does.
            _given[port] = mark.detach()
    return True


def _first_of_the_system() -> int:
    """The lowest port that outgoing connections get."""
    try:
        return int(_SYSTEM_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _BELOW


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection that ended a moment ago does not keep a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
