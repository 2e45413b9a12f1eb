"""The CRM's history: the commits of the old release and the three of the new one, byte for byte.

Everything that enters a commit's hash stands here or in `crm/`: authors, dates, messages, files. So every
world has the same hashes, and the last commit of the release begins with `TIP_PREFIX`, which its nonce
(`crm/nonce`, found by `python -m console.sandbox.mine`) brings about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

TREES = Path(__file__).parent / "crm"
NONCE_FILE = TREES / "nonce"
NONCE_TRAILER = "Rehearsal-Nonce: "
TIP_PREFIX = "26c5a9f"

MIGRATION = "database/migrations/020_consolidate_account_status.sql"
CHANGED_FILES = (
    "services/queryBuilderService.js",
    "services/reportingService.js",
    "services/leadConversionService.js",
    "controllers/fieldMappingController.js",
    MIGRATION,
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a commit."""

    name: str
    email: str

    def stamp(self, at: int) -> bytes:
        """The author as git writes it, at `at` (seconds since the epoch, UTC)."""
        return f"{self.name} <{self.email}> {at} +0000".encode()


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit to be made: `files` (path to content) are added to its parent's tree."""

    message: str
    author: Author
    at: int
    files: dict[str, bytes]


DEVELOPER = Author("Priya Raman", "priya@crm.example.com")
COLLEAGUE = Author("Tom Okafor", "tom@crm.example.com")

# 2026-01-12 09:00 UTC and, for the release, 2026-02-02 10:00 UTC.
_FIRST_DAY = 1768208400
_RELEASE_DAY = 1770026400
_DAY = 86400

_MAIN_HISTORY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Accounts, contacts and leads", ("*.json", "server.js", "README.md", "database/*00?_*", "database/pool.js")),
    ("Dashboard and account routes", ("services/query*", "services/account*", "routes/[ad]*", "frontend/*")),
    ("Lead conversion and field mapping", ("services/lead*", "controllers/*", "routes/[fl]*", "database/*01[0-7]*")),
    ("Reports, and the health of an account", ("*",)),
)


def main_commits() -> Iterator[Commit]:
    """The commits of `main` before the release, oldest first; together they hold the whole old tree."""
    left = _read_tree(TREES / "main")
    for day, (title, patterns) in enumerate(_MAIN_HISTORY):
        chosen = {path: left.pop(path) for path in sorted(left) if any(fnmatch(path, p) for p in patterns)}
        yield Commit(f"{title}\n", DEVELOPER, _FIRST_DAY + day * _DAY, chosen)


def release_commits(nonce: str | None = None) -> Iterator[Commit]:
    """The three commits of the release, oldest first.

    `nonce` takes the place of the stored one; only mining passes it.
    """
    tree = _read_tree(TREES / "release")
    if nonce is None:
        nonce = NONCE_FILE.read_text().strip()
    query_builder, reporting, conversion, mapping, migration = CHANGED_FILES
    steps = (
        (
            "Drop dependent views before dropping license_status column\n\n"
            "active_accounts and deleted_accounts select it; the migration makes them anew on account_status.\n",
            (migration,),
        ),
        ("Update references from license_status to account_status in services\n", (query_builder, reporting)),
        (
            "Update lead conversion and field mapping to use account_status\n\n" + NONCE_TRAILER + nonce + "\n",
            (conversion, mapping),
        ),
    )
    for hour, (message, paths) in enumerate(steps):
        yield Commit(message, DEVELOPER, _RELEASE_DAY + hour * 3600, {path: tree[path] for path in paths})


def conflicting_commit() -> Commit:
    """A colleague's change to a line of the reporting service that the release changes too."""
    path = "services/reportingService.js"
    text = (TREES / "main" / path).read_text()
    before, after = "coalesce(license_status, 'none') AS status", "lower(coalesce(license_status, 'none')) AS status"
    if before not in text:
        raise ValueError(f"{path} no longer holds {before!r}: the conflict cannot be made")
    changed = text.replace(before, after).encode()
    return Commit("Report account statuses in lower case\n", COLLEAGUE, _RELEASE_DAY + 5 * 3600, {path: changed})


def innocuous_commit() -> Commit:
    """A colleague's change that touches nothing which the release touches."""
    text = (TREES / "main" / "README.md").read_bytes()
    added = b"\nQuestions: ask in the sales-tools channel.\n"
    return Commit("Say where to ask questions\n", COLLEAGUE, _RELEASE_DAY + 6 * 3600, {"README.md": text + added})


def old_migrations() -> list[Path]:
    """The migration files of the old release, by number."""
    return sorted((TREES / "main" / "database" / "migrations").glob("*.sql"))


def new_migration() -> Path:
    """The release's migration file."""
    return TREES / "release" / MIGRATION


def _read_tree(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
