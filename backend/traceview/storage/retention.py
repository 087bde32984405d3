"""Keep the file within its bounds of size and age.

Traces with an error, and slow traces, are kept FACTOR times as long as the others. Space is made
by the same rule: the oldest rows go first, and the age of such a trace counts as a quarter.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FACTOR = 4
"""How much longer errors and slow traces are kept."""

FULL_SHARE = 0.45
"""Rows are deleted when the data have grown to this share of the maximum size.

The rest is room for DuckDB, which writes a new copy of changed data before it frees the old one.
"""

TARGET_SHARE = 0.35
"""Target size of the data after a deletion, as a share of the maximum size of the file."""

ROUNDS = 4
"""Deleting a share of the rows frees about that share of the file, so it is repeated."""


class FileBounds(Struct, frozen=True, kw_only=True):
    """The bounds of the file."""

    bytes: int = 1_000_000_000
    age_s: float = 3 * 86_400
    """Maximum age of an ordinary row."""

    slow_ms: float = 1_000
    """The duration from which a trace is slow, by its longest root."""


def sweep(connection: "DuckDBPyConnection", bounds: FileBounds, now_s: float) -> int:
    """Delete what is too old, and more if the file is too large.

    Returns:
        The number of deleted rows.
    """
    deleted = _delete(connection, bounds, now_s, bounds.age_s)
    for _ in range(ROUNDS):
        used = used_bytes(connection)
        if used <= FULL_SHARE * bounds.bytes:
            break
        # The log of writes is part of the size, and a checkpoint frees what was deleted.
        connection.execute("CHECKPOINT")
        used = used_bytes(connection)
        if used <= FULL_SHARE * bounds.bytes:
            break
        share = 1 - TARGET_SHARE * bounds.bytes / used
        deleted += _delete(
            connection, bounds, now_s, _age_of_share(connection, bounds, now_s, share)
        )
        connection.execute("CHECKPOINT")
    if deleted:
        connection.execute(
            "DELETE FROM origins WHERE id NOT IN (SELECT origin FROM spans UNION "
            "SELECT origin FROM logs UNION SELECT origin FROM metrics UNION "
            "SELECT origin FROM exemplars)"
        )
    return deleted


def used_bytes(connection: "DuckDBPyConnection") -> int:
    """Return the size of the data in the file and in its log of writes."""
    [(blocks, size, wal)] = connection.execute(
        "SELECT used_blocks, block_size, wal_size FROM pragma_database_size()"
    ).fetchall()
    return int(blocks) * int(size) + _bytes(wal)


def _bytes(text: str) -> int:
    """Convert a size as DuckDB writes it, such as `1.5 MiB`."""
    number, _, unit = text.partition(" ")
    powers = {"bytes": 0, "byte": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4}
    return int(float(number) * float(1024 ** powers[unit]))


# A trace that is kept longer.
_NOTABLE = """
    SELECT trace_id FROM spans
    WHERE is_error OR (is_root AND NOT is_background AND duration_ns >= $slow_ns)
"""


_DELETE_LOGS = f"""
    DELETE FROM logs WHERE received_s < $oldest OR (
        received_s < $old AND severity_number < 17
        AND (trace_id IS NULL OR trace_id NOT IN ({_NOTABLE}))
    )
"""
_DELETE_SPANS = f"""
    DELETE FROM spans WHERE received_s < $oldest OR (
        received_s < $old AND trace_id NOT IN ({_NOTABLE})
    )
"""


def _delete(
    connection: "DuckDBPyConnection", bounds: FileBounds, now_s: float, age_s: float
) -> int:
    parameters = {
        "old": int(now_s - age_s),
        "oldest": int(now_s - FACTOR * age_s),
        "slow_ns": int(bounds.slow_ms * 1e6),
    }
    [(count,)] = connection.execute(
        "SELECT (SELECT count(*) FROM spans WHERE received_s < $old) + "
        "(SELECT count(*) FROM logs WHERE received_s < $old) + "
        "(SELECT count(*) FROM metrics WHERE received_s < $old) + "
        "(SELECT count(*) FROM exemplars WHERE received_s < $old)",
        {"old": parameters["old"]},
    ).fetchall()
    if not count:
        return 0
    deleted = 0
    # Log lines first: which of them are kept depends on the spans.
    for sql in (_DELETE_LOGS, _DELETE_SPANS):
        deleted += _count(connection, sql, parameters)
    for table in ("metrics", "exemplars"):
        sql = f"DELETE FROM {table} WHERE received_s < $old"
        deleted += _count(connection, sql, {"old": parameters["old"]})
    return deleted


def _count(connection: "DuckDBPyConnection", sql: str, parameters: dict[str, int]) -> int:
    [(count,)] = connection.execute(sql, parameters).fetchall()
    return int(count)


def _age_of_share(
    connection: "DuckDBPyConnection", bounds: FileBounds, now_s: float, share: float
) -> float:
    """Return the age above which this share of the spans is deleted."""
    [(age,)] = connection.execute(
        f"SELECT quantile_disc(($now - received_s) / "
        f"CASE WHEN trace_id IN ({_NOTABLE}) THEN $factor ELSE 1 END, $share) FROM spans",
        {
            "now": now_s,
            "factor": FACTOR,
            "share": 1 - share,
            "slow_ns": int(bounds.slow_ms * 1e6),
        },
    ).fetchall()
    return float(age or 0)
