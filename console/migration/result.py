"""What a migration left behind, in plain data: counted, timed, and with what a later look needs to find it again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from console.domain.loss import Mark
from console.domain.plan import Json
from console.domain.wire import encode
from console.migration.catalog import Counters
from console.migration.mapping import ClaimCount, Transition
from console.migration.marks import Counts


@dataclass(frozen=True, slots=True)
class Began:
    """What the console's transaction says of itself once the table is locked; journaled before anything is changed.

    `transaction` is the 64-bit id, `snapshot` as `pg_current_snapshot()` gives it, `at` the server's time (ISO 8601);
    `counters` were read just before the lock was asked for; `lock_wait` in seconds. `mark` is the moment just before
    the lock was asked for; `hidden` are the rows of the table that were written between it and the lock, and which
    the migration's own versions hide from then on.
    """

    transaction: int
    snapshot: str
    pid: int
    at: str
    table: str
    lock_wait: float
    counters: Counters
    mark: Mark
    hidden: int = 0

    def data(self) -> dict[str, Json]:
        """As plain JSON, for the journal."""
        return {
            "transaction": str(self.transaction),
            "snapshot": self.snapshot,
            "pid": self.pid,
            "at": self.at,
            "table": self.table,
            "lock_wait": self.lock_wait,
            "counters": {**asdict(self.counters)},
            "mark": encode(self.mark),
            "hidden": self.hidden,
        }


@dataclass(frozen=True, slots=True)
class StatementTiming:
    """One statement of the file as it ran: rows touched (-1 where that means nothing), seconds."""

    number: int
    line: int
    title: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """A committed migration.

    `own_xids` are the 32-bit row versions that the transaction itself wrote, by which rows written since are told
    apart, and `own_counters` what it inserted, updated and deleted by table. `locked` is for how many seconds readers
    of the table were kept waiting at most. `history_by_file`: the file wrote its history row itself.
    """

    began: Began
    saved_copy: str
    rows_saved: int
    old_counts: tuple[tuple[str | None, int], ...]
    new_counts: tuple[tuple[str | None, int], ...]
    transitions: tuple[Transition, ...]
    claims: tuple[ClaimCount, ...]
    statements: tuple[StatementTiming, ...]
    own_xids: tuple[int, ...]
    locked: float
    seconds: float
    notices: tuple[str, ...]
    history_by_file: bool
    own_counters: Mapping[str, Counts] = field(default_factory=dict)

    def own(self) -> dict[str, Json]:
        """What the transaction itself wrote, as plain JSON: by which the users' rows are told from it."""
        return {"own_xids": list(self.own_xids), "own_counters": encode(self.own_counters)}

    def data(self) -> dict[str, Json]:
        """As plain JSON, for the evidence; `console.migration.integrity.Baseline.from_data` reads it back."""
        return {
            **self.began.data(),
            "saved_copy": self.saved_copy,
            "rows_saved": self.rows_saved,
            "old_counts": [[value, rows] for value, rows in self.old_counts],
            "new_counts": [[value, rows] for value, rows in self.new_counts],
            "transitions": [[item.old, item.new, item.rows] for item in self.transitions],
            "claims": [
                {"title": claim.title, "promised": claim.promised, "rows": claim.rows, "instead": list(claim.instead)}
                for claim in self.claims
            ],
            "statements": [{**asdict(timing)} for timing in self.statements],
            **self.own(),
            "locked": self.locked,
            "seconds": self.seconds,
            "notices": list(self.notices),
            "history_by_file": self.history_by_file,
        }
