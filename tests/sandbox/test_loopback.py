"""Ports that a world keeps: nobody's, given once, and not among those of outgoing connections."""

import socket
import subprocess
import sys

import pytest

from console.sandbox import loopback
from console.sandbox.loopback import free_port


def test_ports_are_free_given_once_and_out_of_the_systems_own_range() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == 200
    for _ in range(50):
        with socket.socket() as somebody:
            somebody.bind(("127.0.0.1", 0))
            assert somebody.getsockname()[1] > max(ports)
    for port in ports[:20]:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


def test_a_port_that_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when it is the only candidate."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken: int = somebody.getsockname()[1]
        monkeypatch.setattr(loopback, "_LOWEST", taken)
        monkeypatch.setattr(loopback, "_first_of_the_system", lambda: taken + 1)
        assert free_port() != taken


def test_a_port_that_another_sandbox_was_given_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server is not up yet: nobody listens there."""
    port = free_port()
    ask = "import sys; from console.sandbox import loopback as l; port = int(sys.argv[1]); l._LOWEST = port; "
    ask += "l._first_of_the_system = lambda: port + 1; print(l.free_port() == port)"
    answer = subprocess.run(
        [sys.executable, "-c", ask, str(port)], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.strip() == "False"
    monkeypatch.setattr(loopback, "_LOWEST", port)
    monkeypatch.setattr(loopback, "_first_of_the_system", lambda: port + 1)
    assert free_port() != port
