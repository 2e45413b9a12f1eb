"""A real PostgreSQL for the actions that migrate and verify: a server for all, a database for each test."""

from collections.abc import Iterator

import pytest

from tests.migration.postgres import LiveDatabase, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def database(server: Server) -> Iterator[LiveDatabase]:
    name = server.new_database()
    yield LiveDatabase(server, name)
    server.drop(name)
