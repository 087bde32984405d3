"""`python -m traceview query`: print the result of a query."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from traceview.client import ask, leave_for
from traceview.explorer import read_query, reading, run_query
from traceview.query.model import QueryError
from traceview.result import Result, format_table
from traceview.storage.database import StatementError, StorageError

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--since", default="", metavar="TIME", help="Start: 15m (ago), or a time in ISO 8601."
    ),
    click.option("--until", default="", metavar="TIME", help="End; the default is now."),
    click.option("--background", is_flag=True, help="Include background work, such as sweeps."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
    click.option(
        "--url",
        default="http://127.0.0.1:4318",
        show_default=True,
        help="The running traceview to ask.",
    ),
    click.option(
        "--file",
        "path",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Read this file instead, while no traceview runs on it.",
    ),
)


def query_options(command: F) -> F:
    """Add the options of every command that reads what is stored."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("query")
@click.argument("text")
@query_options
def query_command(
    text: str, since: str, until: str, background: bool, as_json: bool, url: str, path: Path | None
) -> None:
    """Print the result of a query, such as 'where error | count by route'.

    Exit codes: 0, also without rows; 1 if there is nothing to ask; 2 if the query is invalid.
    """
    try:
        # Parsed here too, so that a mistake is reported without a server.
        query = read_query(text, since=since, until=until, background=background)
        if path is not None:
            with reading(path) as database:
                result = run_query(database, query)
        else:
            arguments: dict[str, str | int] = {
                "q": text,
                "since": since,
                "until": until,
                "background": int(background),
            }
            result = ask(url, "query", arguments, Result)
    except (QueryError, StorageError, StatementError) as error:
        leave_for(error)
    output = msgspec.json.encode(result).decode() if as_json else format_table(result)
    click.echo(output)
