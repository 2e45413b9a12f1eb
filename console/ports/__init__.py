"""The contracts between the rooms: what the engine and the actions ask of the outside world.

Ports speak the domain's types, translate every vendor error into `console.errors`, and bound every call
that leaves the process in time. Implementations are in `console.adapters`; fakes in the tests.
"""

from console.ports.database import Database, Row, ScratchPostgres, Session
from console.ports.feed import (
    DriverStatus,
    Driving,
    Feed,
    Helm,
    JournalFailed,
    LogLines,
    SharedStatus,
    StateChanged,
    StepNews,
    TailStatus,
    Update,
    Watched,
)
from console.ports.incident import Assessor, Documents, Notifier
from console.ports.provider import Backups, Hosting, Instances, Switches, Telemetry
from console.ports.running import Action, Clock, Context, Journal, Report
from console.ports.shared import DriverStore, News, ObserverStore, RecordPlace, SignerStore
from console.ports.source import Repository
from console.ports.web import HttpAnswer, Web

__all__ = [
    "Action",
    "Assessor",
    "Backups",
    "Clock",
    "Context",
    "Database",
    "Documents",
    "DriverStatus",
    "DriverStore",
    "Driving",
    "Feed",
    "Helm",
    "Hosting",
    "HttpAnswer",
    "Instances",
    "Journal",
    "JournalFailed",
    "LogLines",
    "News",
    "Notifier",
    "ObserverStore",
    "RecordPlace",
    "Report",
    "Repository",
    "Row",
    "ScratchPostgres",
    "Session",
    "SharedStatus",
    "SignerStore",
    "StateChanged",
    "StepNews",
    "Switches",
    "TailStatus",
    "Telemetry",
    "Update",
    "Watched",
    "Web",
]
