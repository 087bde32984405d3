"""The tables of the file.

Common keys have typed columns; the other attributes are in a VARIANT, which keeps their types and
stores frequent keys as columns. `received_s` is the time of arrival in seconds since 1970; the age
of a row counts from there, because clocks of senders can be wrong. `id` numbers log lines in the
order of their arrival.

`series` is a hash of the identity of a series of a metric. The buckets of a histogram with explicit
bounds are in `bounds` and `counts`. Those of an exponential one are in `counts`, from the index
`counts_from` on, and likewise in `negative_counts`.
"""

VERSION = 2
"""Changes with the columns. A file with another version is emptied."""

SPANS = {
    "received_s": "BIGINT",
    "trace_id": "UUID",
    "span_id": "UBIGINT",
    "parent_span_id": "UBIGINT",
    "time_ns": "BIGINT",
    "duration_ns": "BIGINT",
    "name": "VARCHAR",
    "kind": "VARCHAR",
    "status": "VARCHAR",
    "status_message": "VARCHAR",
    "is_error": "BOOLEAN",
    "is_root": "BOOLEAN",
    "is_background": "BOOLEAN",
    "service": "VARCHAR",
    "scope": "VARCHAR",
    "user_id": "VARCHAR",
    "http_method": "VARCHAR",
    "http_route": "VARCHAR",
    "http_status": "BIGINT",
    "url_path": "VARCHAR",
    "error_type": "VARCHAR",
    "exception_type": "VARCHAR",
    "exception_message": "VARCHAR",
    "db_summary": "VARCHAR",
    "db_system": "VARCHAR",
    "server_address": "VARCHAR",
    "client_address": "VARCHAR",
    "origin": "BIGINT",
    "attributes": "VARIANT",
    "details": "VARCHAR",
}

LOGS = {
    "received_s": "BIGINT",
    "id": "BIGINT",
    "trace_id": "UUID",
    "span_id": "UBIGINT",
    "time_ns": "BIGINT",
    "severity": "VARCHAR",
    "severity_number": "BIGINT",
    "event_name": "VARCHAR",
    "body": "VARCHAR",
    "is_body_json": "BOOLEAN",
    "service": "VARCHAR",
    "scope": "VARCHAR",
    "origin": "BIGINT",
    "attributes": "VARIANT",
}

METRICS = {
    "received_s": "BIGINT",
    "series": "UBIGINT",
    "start_ns": "BIGINT",
    "time_ns": "BIGINT",
    "name": "VARCHAR",
    "kind": "VARCHAR",
    "unit": "VARCHAR",
    "description": "VARCHAR",
    "temporality": "VARCHAR",
    "is_monotonic": "BOOLEAN",
    "value": "DOUBLE",
    "count": "BIGINT",
    "sum": "DOUBLE",
    "min": "DOUBLE",
    "max": "DOUBLE",
    "bounds": "DOUBLE[]",
    "counts": "BIGINT[]",
    "scale": "INTEGER",
    "counts_from": "INTEGER",
    "zero_count": "BIGINT",
    "zero_threshold": "DOUBLE",
    "negative_counts": "BIGINT[]",
    "negative_from": "INTEGER",
    "service": "VARCHAR",
    "scope": "VARCHAR",
    "origin": "BIGINT",
    "attributes": "VARIANT",
}

EXEMPLARS = {
    "received_s": "BIGINT",
    "series": "UBIGINT",
    "time_ns": "BIGINT",
    "name": "VARCHAR",
    "kind": "VARCHAR",
    "unit": "VARCHAR",
    "value": "DOUBLE",
    "trace_id": "UUID",
    "span_id": "UBIGINT",
    "service": "VARCHAR",
    "scope": "VARCHAR",
    "origin": "BIGINT",
    "attributes": "VARIANT",
}

ORIGINS = {
    "id": "BIGINT",
    "scope": "VARCHAR",
    "scope_version": "VARCHAR",
    "scope_attributes": "VARCHAR",
    "resource": "VARIANT",
}

TABLES = {
    "spans": SPANS,
    "logs": LOGS,
    "metrics": METRICS,
    "exemplars": EXEMPLARS,
    "origins": ORIGINS,
}


def create_statements() -> list[str]:
    """Return the statements that create the tables."""
    return [
        f"CREATE TABLE {name} ({', '.join(f'{key} {kind}' for key, kind in columns.items())})"
        for name, columns in TABLES.items()
    ]


def insert_statement(table: str) -> str:
    """Return the statement that appends the rows of a file with a JSON object per line."""
    columns = TABLES[table]
    read = ", ".join(
        f"{name}: '{'JSON' if kind == 'VARIANT' else kind}'" for name, kind in columns.items()
    )
    shown = ", ".join(
        f"{name}::VARIANT" if kind == "VARIANT" else name for name, kind in columns.items()
    )
    return (
        f"INSERT INTO {table} SELECT {shown} FROM read_json($file, "
        f"format = 'newline_delimited', maximum_object_size = $most, columns = {{{read}}})"
    )
