"""What a world really holds, read past the console: its database, its repository, the stand-in's own records."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.end_to_end.rehearsals import Place
from tests.openapi_contract import Contract

# Migration 020 in the words of its document: which new status an account gets.
BECOMES = {
    "active": "active",
    "pending": "on_hold",
    "expired": "inactive",
    "suspended": "suspended",
    "cancelled": "cancelled",
}
OTHERWISE = "active"
DELETED = "cancelled"

_OLD_COUNTS = "SELECT license_status, deleted_at IS NOT NULL, count(*) FROM accounts GROUP BY 1, 2"


def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query, past the console."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as link:
        return link.execute(query.encode()).fetchall()


def execute(url: str, statement: str) -> None:
    """A statement of somebody else's."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as link:
        link.execute(statement.encode())


def expected_statuses(url: str) -> dict[str, int]:
    """The counts that migration 020 has to lead to, from the accounts as they are before it."""
    counts: Counter[str] = Counter()
    for licence, deleted, accounts in fetch(url, _OLD_COUNTS):
        counts[DELETED if deleted else BECOMES.get(licence, OTHERWISE)] += accounts
    return dict(counts)


def columns(url: str, table: str = "accounts") -> set[str]:
    """The columns of a table; empty when there is none."""
    query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    return {name for (name,) in fetch(url, query)}


def assert_untouched(url: str) -> None:
    """The database has nothing of migration 020, not even its saved copy or a session that waits."""
    assert {"license_status", "account_type", "is_trial"} <= columns(url)
    assert "account_status" not in columns(url)
    assert not columns(url, "accounts_before_020")
    assert fetch(url, "SELECT count(*) FROM schema_migrations WHERE version >= 20") == [(0,)]
    assert fetch(url, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'rc/%'") == [(0,)]


def git(here: Place, *arguments: str) -> str:
    """A command on the world's repository."""
    command = ["git", f"--git-dir={here.world / 'crm.git'}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def recorded_requests(here: Place) -> list[Mapping[str, Any]]:
    """Every exchange that the provider's stand-in has recorded, oldest first."""
    files = (here.world / "render" / name for name in ("api-requests.1.jsonl", "api-requests.jsonl"))
    return [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]


def assert_contract_kept(here: Place, contract: Contract) -> None:
    """Every request of the console and every answer of the stand-in is one that the provider's API allows."""
    exchanges = recorded_requests(here)
    assert len(exchanges) > 20
    for exchange in exchanges:
        contract.check_recorded(exchange)


def log_entries(file: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a log file, each as JSON."""
    return (json.loads(line) for line in file.read_text().splitlines())


def assert_log_heard_exactly_once(here: Place) -> None:
    """What the console showed of the log is what the services wrote while it listened: none lost, none doubled."""
    info = json.loads((here.world / "spec.json").read_text())
    followed = {service["id"] for service in info["services"] if service["environment"] == "production"}
    heard = [entry["id"] for entry in log_entries(here.run_folder / "tail.jsonl")]
    assert len(heard) == len(set(heard)), f"{len(heard) - len(set(heard))} lines were shown twice"
    written = [
        e["id"] for e in log_entries(here.world / "render" / "logs.jsonl") if e["labels"]["resource"] in followed
    ]
    first, last = _place(written, heard[0]), _place(written, heard[-1])
    between = written[min(first, last) : max(first, last) + 1]
    lost = set(between) - set(heard)
    assert not lost, f"{len(lost)} of {len(between)} lines were lost"
    assert len(between) > 100


def _place(written: list[str], entry: str) -> int:
    assert entry in written, "a line was shown that nobody wrote"
    return written.index(entry)


def secrets_of(here: Place) -> list[str]:
    """The world's secrets: the provider's token and the database's password."""
    spec = json.loads((here.world / "spec.json").read_text())
    url = (here.world / "database-url").read_text().strip()
    password = urlsplit(url).password
    assert password
    return [spec["render_token"], password]


def files_with(folder: Path, texts: list[str], *, except_below: Path) -> list[str]:
    """The files in a folder that hold one of some texts."""
    wanted = re.compile(b"|".join(re.escape(text.encode()) for text in texts))
    files = (file for file in folder.rglob("*") if file.is_file() and except_below not in file.parents)
    return [str(file.relative_to(folder)) for file in files if wanted.search(file.read_bytes())]


def moment(line: Mapping[str, Any]) -> datetime:
    """When an event happened."""
    return datetime.fromisoformat(line["at"])
