"""Ports that a world keeps: nobody's, given once, and not among those of outgoing connections."""

import socket

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


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    taken = free_port()
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", taken))
        somebody.listen()
        assert taken not in {free_port() for _ in range(100)}
