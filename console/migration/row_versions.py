"""Which rows were written since a transaction, told from their `xmin`.

`xmin` has 32 bits and wraps; a transaction id of the server has 64. Within half the circle (two thousand million
transactions) the order of the low halves is the order of the transactions; ids below 3 are older than everything.
"""

from console.migration.names import QualifiedName
from console.migration.reading import Reader, whole

_CIRCLE = 1 << 32
_FIRST_NORMAL = 3


def written_since(transaction: int, row: str) -> str:
    """A SQL condition: the row version under the alias `row` is of this transaction or a later one."""
    low = transaction % _CIRCLE
    xmin = f"{row}.xmin::text::bigint"
    return f"({xmin} >= {_FIRST_NORMAL} AND ({xmin} - {low} + {_CIRCLE}) % {_CIRCLE} < {_CIRCLE >> 1})"


def written_by_others_since(transaction: int, own: tuple[int, ...], row: str) -> str:
    """A SQL condition: written since, by a transaction that is not among `own` (32-bit ids)."""
    others = f" AND {row}.xmin::text::bigint NOT IN ({', '.join(map(str, own))})" if own else ""
    return f"({written_since(transaction, row)}{others})"


async def own_versions(reader: Reader, table: QualifiedName, transaction: int) -> tuple[int, ...]:
    """The 32-bit ids under which this still open transaction wrote rows of a table that it has locked.

    Its own id, and those of its subtransactions: nobody else can have written there since.
    """
    rows = await reader.fetch(
        f"SELECT DISTINCT present.xmin::text AS xid FROM {table.sql} AS present "  # noqa: S608
        f"WHERE {written_since(transaction, 'present')} ORDER BY 1"
    )
    return tuple(whole(row["xid"]) for row in rows)
