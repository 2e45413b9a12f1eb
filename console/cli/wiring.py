"""From a plan to the things that carry it out: secrets, adapters, actions.

The adapters and their libraries (httpx, psycopg, git, …) are imported when a plan is wired, not before.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.plan import Plan, Step
from console.engine.feed import RunFeed
from console.ports import Action, Assessor, Clock, Notifier, RecordPlace, TailStatus
from console.redact import Redactor

if TYPE_CHECKING:
    from console.actions.registry import Ports
    from console.secrets import PlanSecrets

_HEAVY = (
    "console.actions.assessment",
    "console.actions.registry",
    "console.adapters.database.database",
    "console.adapters.journal.location",
    "console.adapters.notify",
    "console.adapters.render",
    "console.adapters.repository",
    "console.adapters.scratch",
    "console.adapters.web",
    "console.secrets",
)


@dataclass(frozen=True, slots=True)
class Wired:
    """A plan's connections to the outside world: what actions and the preflight are given."""

    actions: Callable[[Step], Action]
    ports: "Ports"
    redactor: Redactor
    notifier: Notifier
    assessor: Assessor


def _record(plan: Plan, secrets: "PlanSecrets") -> RecordPlace | None:
    from console.adapters.journal.location import PostgresRecordPlace

    if secrets.journal_url is None:
        return None
    return PostgresRecordPlace((secrets.journal_url, plan.journal_tls), (secrets.database_url, plan.database.tls))


@asynccontextmanager
async def wired(plan: Plan, *, cache: Path, clock: Clock, feed: RunFeed | None = None) -> AsyncIterator[Wired]:
    """Resolve the plan's secrets and connect its adapters; everything is closed on the way out.

    `cache` is a folder of the console's own for its clone; `feed` is told whether the log is being heard.
    Raises SecretError.
    """
    await asyncio.to_thread(lambda: [importlib.import_module(name) for name in _HEAVY])

    from console.actions.assessment import ProductionAssessor
    from console.actions.registry import Ports, build
    from console.adapters.database.database import PostgresDatabase
    from console.adapters.notify import AppriseNotifier
    from console.adapters.render import (
        Patience,
        RenderBackups,
        RenderClient,
        RenderHosting,
        RenderInstances,
        RenderSwitches,
        RenderTelemetry,
    )
    from console.adapters.repository import GitRepository
    from console.adapters.scratch import ScratchServer
    from console.adapters.web import HttpWeb
    from console.report.incident import documents
    from console.secrets import resolve_plan

    def heard(connected: bool, reason: str) -> None:
        if feed is not None:
            feed.publish(TailStatus(connected, reason))

    secrets = resolve_plan(plan)
    redactor = Redactor(secrets.values())
    patience = Patience.for_answers_within(plan.hosting.answers_within)
    client = RenderClient(plan.hosting.api_url, secrets.token, plan.hosting.owner_id, clock, patience=patience)
    async with client, HttpWeb(clock) as web:
        ports = Ports(
            hosting=RenderHosting(client),
            backups=RenderBackups(client),
            telemetry=RenderTelemetry(client, on_status=heard),
            repository=GitRepository(plan.release.repository, cache / "clone.git"),
            database=PostgresDatabase(secrets.database_url, clock, tls=plan.database.tls),
            scratch=ScratchServer(clock, url=secrets.scratch_url),
            web=web,
            switches=RenderSwitches(client, redactor.add),
            instances=RenderInstances(client, clock, redactor.add, tls=plan.database.tls),
            documents=documents,
            record=_record(plan, secrets),
        )
        yield Wired(build(ports), ports, redactor, AppriseNotifier(secrets.channels), ProductionAssessor(ports))
