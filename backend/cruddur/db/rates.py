"""Rate-limit spending of the workers, in seconds until a bucket is full again."""

from collections.abc import Mapping

from cruddur.db.statements import Connection, load

_SPEND = load("rates.spend")


async def upsert_spending(conn: Connection, spent: Mapping[bytes, float]) -> dict[bytes, float]:
    """Add to the spending of all workers.

    Args:
        conn: a connection for writing.
        spent: seconds by bucket.

    Returns:
        By bucket, the seconds until it is full again.
    """
    rows = await _SPEND.rows(conn, buckets=list(spent), seconds=list(spent.values()))
    return {row["bucket"]: row["seconds"] for row in rows}
