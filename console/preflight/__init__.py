"""The preflight: go or no-go, before a plan starts and on demand. Reads only, changes nothing.

Each family of findings stands in a file of its own. A family that cannot look (its part of the world does not answer)
is a blocker: what was not seen is not taken for good.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from console.domain.findings import Finding, Severity, by_severity
from console.domain.plan import Plan
from console.errors import ConsoleError
from console.preflight import backup, database, migration, people, record, repository, services, window
from console.preflight.ground import Ground, Ports

__all__ = ["Ports", "run"]

_FAMILIES: dict[str, Callable[[Ground], AsyncIterator[Finding]]] = {
    "services": services.look,
    "repository": repository.look,
    "backup": backup.look,
    "database": database.look,
    "migration": migration.look,
    "window": window.look,
    "people": people.look,
    "record": record.look,
}


async def run(
    plan: Plan, ports: Ports, *, drivers: tuple[str, ...] = (), seconds: float = 120.0
) -> tuple[Finding, ...]:
    """All findings, blockers first. No family is given more than `seconds`; `drivers` are the names of who drives."""
    ground = await Ground.open(plan, ports, seconds, drivers)
    found = await asyncio.gather(*(_family(name, look, ground, seconds) for name, look in _FAMILIES.items()))
    return by_severity(finding for family in found for finding in family)


async def _family(
    name: str, look: Callable[[Ground], AsyncIterator[Finding]], ground: Ground, seconds: float
) -> list[Finding]:
    """What a family finds, up to where it could not look any further."""
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(seconds):
            findings += [finding async for finding in look(ground)]
    except ConsoleError as error:
        findings.append(_not_seen(name, error.message, error.remedy))
    except TimeoutError:
        findings.append(_not_seen(name, f"no answer within {seconds:.0f} s", ""))
    return findings


def _not_seen(family: str, why: str, remedy: str) -> Finding:
    return Finding(
        f"{family}.not_seen",
        Severity.BLOCKER,
        f"Not everything about the {family} could be looked at.",
        evidence=why,
        remedy=remedy or "Remove the cause and run the preflight again.",
    )
