"""What the console's own checks write, told from what users write at the same time.

The services write for the checks, in transactions of their own. They are recognised by the rows that bear the step's
mark: whatever else those transactions wrote (history rows of a trigger, say) is the checks' too. What always holds:
what is found is journaled before the next request is sent; what cannot be found is said, and never stops a check.
"""

from collections.abc import Iterable, Mapping

from console.domain.outcome import Progress
from console.domain.plan import Json
from console.errors import DatabaseError
from console.migration.marks import Snapshot
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.reading import texts, whole
from console.migration.row_versions import written_since
from console.ports import Database, Report

OWN = "own"
"""The key of the journaled data: `{since, rows: {table: {key: {xids, gone}}}, trouble}`."""

# A name that no column has: as a column's, it would not mean the whole row.
_ROW = "row_of_release_console"

_KEYS = """
SELECT wanted.name, array(
    SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey::int2[])
    WHERE indrelid = to_regclass(wanted.name) AND indisprimary ORDER BY attnum
) AS key
FROM unnest(%(names)s::text[]) AS wanted (name) WHERE to_regclass(wanted.name) IS NOT NULL
"""


class OwnRows:
    """Follows the rows of one step's checks in the tables that they may write.

    `known` is what an earlier attempt journaled: its rows are followed further.
    """

    def __init__(
        self, database: Database, marker: str, tables: Iterable[str], report: Report, known: Mapping[str, Json]
    ) -> None:
        self._database = database
        self._marker = marker
        self._tables = {QualifiedName.parse(name).sql: name for name in tables}
        self._report = report
        self._keys: dict[str, tuple[str, ...]] = {}
        since = known.get("since")
        self._since = int(since) if isinstance(since, str) else 0
        self._rows = _rows_from(known)
        self._told: dict[str, Json] = dict(known)
        self.trouble = ""

    @property
    def data(self) -> dict[str, Json]:
        """What was found so far, for the journal; empty when the checks write nothing."""
        if not self._tables:
            return {}
        rows: dict[str, Json] = {
            table: {key: {"xids": list[Json](sorted(xids)), "gone": gone} for key, (xids, gone) in found.items()}
            for table, found in self._rows.items()
        }
        return {"since": str(self._since), "rows": rows, **({"trouble": self.trouble} if self.trouble else {})}

    async def begin(self) -> None:
        """Before the first request: from which transaction on to look, and by which key rows are told apart."""
        if not self._tables:
            return
        try:
            found = await self._database.fetch(_KEYS, {"names": list(self._tables)})
            self._keys = {str(row["name"]): texts(row["key"]) for row in found}
            if self._since:
                await self.look()
                return
            now = await self._database.fetch("SELECT pg_current_snapshot()::text AS snapshot")
            self._since = Snapshot.parse(str(now[0]["snapshot"])).upto
        except DatabaseError as error:
            self._give_up(error)

    async def look(self) -> None:
        """After a request that may have written: which rows are there, in which versions, and which are gone."""
        if not self._keys or self.trouble:
            return
        try:
            present = await self._database.fetch(self._query())
        except DatabaseError as error:
            self._give_up(error)
            return
        seen: set[tuple[str, str]] = set()
        for row in present:
            table, key = str(row["name"]), str(row["key"])
            seen.add((table, key))
            xids, _ = self._rows.setdefault(table, {}).get(key, (frozenset[int](), False))
            self._rows[table][key] = (xids | {whole(row["xid"])}, False)
        for table, found in self._rows.items():
            for key, (xids, _) in found.items():
                if (table, key) not in seen:
                    found[key] = (xids, True)
        if self.data != self._told:
            self._told = self.data
            text = f"what bears {self._marker} is recognised by its transactions"
            await self._report(Progress(text, data={OWN: self._told}, durable=True))

    def _query(self) -> str:
        parts = " UNION ALL ".join(self._versions(sql, key) for sql, key in self._keys.items())
        xids = {xid for found in self._rows.values() for versions, _ in found.values() for xid in versions}
        known = f" OR xid IN ({', '.join(map(str, sorted(xids)))})" if xids else ""
        return (
            f"WITH versions AS MATERIALIZED ({parts}) SELECT name, key, xid FROM versions "  # noqa: S608
            f"WHERE marked{known} OR xid IN (SELECT xid FROM versions WHERE marked)"
        )

    def _versions(self, sql: str, key: tuple[str, ...]) -> str:
        since = written_since(self._since, _ROW)
        identity = f"ROW({', '.join(f'{_ROW}.{quote_identifier(name)}' for name in key)})" if key else f"{_ROW}.ctid"
        # Only what is new is turned into text: a whole table would take its time.
        marked = f"CASE WHEN {since} THEN strpos({_ROW}::text, {quote_literal(self._marker)}) > 0 ELSE false END"
        return (
            f"SELECT {quote_literal(self._tables[sql])} AS name, {identity}::text AS key, "  # noqa: S608
            f"{_ROW}.xmin::text::bigint AS xid, {marked} AS marked FROM {sql} AS {_ROW} WHERE {since}"
        )

    def _give_up(self, error: DatabaseError) -> None:
        self.trouble = f"what the checks wrote could not be told from what users wrote: {error.message}"


def _rows_from(known: Mapping[str, Json]) -> dict[str, dict[str, tuple[frozenset[int], bool]]]:
    rows: dict[str, dict[str, tuple[frozenset[int], bool]]] = {}
    tables = known.get("rows")
    for table, found in (tables if isinstance(tables, dict) else {}).items():
        for key, row in (found if isinstance(found, dict) else {}).items():
            xids = row.get("xids") if isinstance(row, dict) else None
            versions = frozenset(each for each in xids if isinstance(each, int)) if isinstance(xids, list) else None
            if versions:
                rows.setdefault(table, {})[key] = (versions, isinstance(row, dict) and row.get("gone") is True)
    return rows
