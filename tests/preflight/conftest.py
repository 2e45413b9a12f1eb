"""One PostgreSQL for the run; a copy of the CRM's database for the tests that change it."""

from collections.abc import Iterator

import pytest

from tests.migration.postgres import Server
from tests.preflight.world import WatchedDatabase, World, healthy


@pytest.fixture(scope="session")
def preflight_server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def world(preflight_server: Server) -> World:
    """A healthy world whose database is only read."""
    return healthy(WatchedDatabase(preflight_server, "crm"))


@pytest.fixture
def own_world(preflight_server: Server) -> Iterator[World]:
    """A healthy world with a database of its own."""
    name = preflight_server.new_database()
    yield healthy(WatchedDatabase(preflight_server, name))
    preflight_server.drop(name)
