"""From a step of the plan to the code behind it: every action of the catalogue, wired to the ports it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from console.domain.plan import Step
from console.errors import ConfigError
from console.ports import (
    Action,
    Backups,
    Database,
    Documents,
    Hosting,
    Instances,
    RecordPlace,
    Repository,
    ScratchPostgres,
    Switches,
    Telemetry,
    Web,
)


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world, as the actions reach it."""

    hosting: Hosting
    backups: Backups
    telemetry: Telemetry
    repository: Repository
    database: Database
    scratch: ScratchPostgres
    web: Web
    switches: Switches
    instances: Instances
    documents: Documents
    record: RecordPlace | None = None
    """Where the shared record lies; None where nothing is shared."""


def build(ports: Ports) -> Callable[[Step], Action]:
    """The function that gives a step its action.

    Actions are made once and keep nothing of a run. The function raises ConfigError for a step without an
    action, or with one that does not exist.
    """
    actions = _actions(ports)

    def action_of(step: Step) -> Action:
        action = actions.get(step.action or "")
        if action is None:
            raise ConfigError([f"Step {step.id} has no action that exists: {step.action!r}."])
        return action

    return action_of


def _actions(ports: Ports) -> dict[str, Action]:
    # Imported here: the actions bring the SQL parser's library with them, which the first frame must not wait for.
    from console.actions.backup import BackupExport
    from console.actions.backup_copy import BackupRecord, BackupVerify
    from console.actions.baseline import MonitorBaseline
    from console.actions.build import BuildFollow
    from console.actions.checks import ChecksRun
    from console.actions.communicate import communicate_actions
    from console.actions.connect import MigrateConnect
    from console.actions.databases import Databases
    from console.actions.logs import LogsSchemaErrors
    from console.actions.merge import SourceMerge
    from console.actions.migrate import MigrateRun
    from console.actions.monitor import MonitorActivity, MonitorErrors
    from console.actions.monitor_database import MonitorDatabase
    from console.actions.monitor_logs import MonitorLogs
    from console.actions.own_requests import OwnRequests
    from console.actions.push import SourcePush
    from console.actions.rollback.code import code_actions
    from console.actions.rollback.database import database_actions
    from console.actions.rollback.schema import schema_actions
    from console.actions.source import SourceContent, SourceDeployed
    from console.actions.verify import VerifyIntegrity, VerifyOrphans, VerifySchema

    own = OwnRequests(ports.web)
    return {
        "backup.export": BackupExport(ports.hosting, ports.backups, ports.database),
        "backup.verify": BackupVerify(ports.backups, ports.scratch),
        "backup.record": BackupRecord(),
        "source.deployed": SourceDeployed(ports.repository, ports.hosting),
        "source.content": SourceContent(ports.repository),
        "source.merge": SourceMerge(ports.repository),
        "source.push": SourcePush(ports.repository, ports.hosting, ports.database),
        "build.follow": BuildFollow(ports.hosting, ports.repository, ports.telemetry),
        "migrate.connect": MigrateConnect(ports.database),
        "migrate.run": MigrateRun(ports.database, ports.repository, ports.hosting),
        "verify.schema": VerifySchema(ports.database, ports.repository),
        "verify.integrity": VerifyIntegrity(ports.database),
        "verify.orphans": VerifyOrphans(ports.database, ports.repository, ports.hosting),
        "checks.run": ChecksRun(own, Databases(ports.database, ports.instances)),
        "logs.schema_errors": LogsSchemaErrors(ports.telemetry, ports.hosting, own),
        "monitor.baseline": MonitorBaseline(ports.telemetry, ports.hosting, ports.database),
        "monitor.logs": MonitorLogs(ports.hosting, ports.telemetry),
        "monitor.errors": MonitorErrors(ports.hosting, ports.telemetry),
        "monitor.activity": MonitorActivity(ports.hosting, ports.telemetry, own),
        "monitor.database": MonitorDatabase(ports.hosting, ports.database),
        **code_actions(ports),
        **schema_actions(ports),
        **database_actions(ports),
        **communicate_actions(ports),
    }
