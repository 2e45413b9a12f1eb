"""What the preflight says of a shared record: reached and apart, lost, unusable, or where it must not be."""

from dataclasses import dataclass
from typing import Literal

import pytest

from console.domain.findings import go
from console.errors import ConsoleError, DatabaseError, JournalError, StoreLost
from tests.preflight.world import BLOCKER, NOTE, WARNING, World, findings

Place = Literal["database", "server", ""]


@dataclass
class FakePlace:
    """Where a store lies, or why that is not seen."""

    answer: Place | ConsoleError = ""

    async def place(self) -> Place:
        if isinstance(self.answer, ConsoleError):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "code", "severity"),
    [
        ("", "record.apart", NOTE),
        ("server", "record.server", WARNING),
        ("database", "record.database", BLOCKER),
        (StoreLost("It does not answer."), "record.lost", WARNING),
        (JournalError("It is not set up.", remedy="Run `release-console journal init`."), "record.not_seen", BLOCKER),
        (DatabaseError("The database does not answer."), "record.not_seen", BLOCKER),
    ],
)
async def test_what_is_found(world: World, answer: Place | ConsoleError, code: str, severity: str) -> None:
    world.record = FakePlace(answer)
    found = {name: each for name, each in (await findings(world)).items() if name.startswith("record.")}
    assert {name: each.severity for name, each in found.items()} == {code: severity}
    if isinstance(answer, ConsoleError):
        assert found[code].evidence == answer.message
        assert found[code].remedy
    assert go(found.values()) is (severity != BLOCKER)


async def test_nothing_is_said_where_nothing_is_shared(world: World) -> None:
    assert not [code for code in await findings(world) if code.startswith("record.")]
