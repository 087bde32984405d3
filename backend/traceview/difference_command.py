"""`python -m traceview difference`: print how selected rows differ from the others."""

from pathlib import Path

import click
import msgspec

from traceview.client import ask, leave_for
from traceview.difference.compare import compare, read_request
from traceview.difference.model import Difference
from traceview.difference.table import format_difference
from traceview.explorer import read_query, reading
from traceview.query.model import QueryError
from traceview.query_command import query_options
from traceview.storage.database import StatementError, StorageError


@click.command("difference")
@click.argument("text", default="from roots")
@click.option("--selection", default="", metavar="CONDITION", help="Which rows are selected.")
@click.option("--after", default="", metavar="A..B", help="Instead: the selected period.")
@click.option("--before", default="", metavar="A..B", help="The period to compare it with.")
@query_options
def difference_command(
    text: str,
    selection: str,
    after: str,
    before: str,
    since: str,
    until: str,
    background: bool,
    as_json: bool,
    url: str,
    path: Path | None,
) -> None:
    """Print how some rows of a query differ from its other rows.

    Examples: 'from roots' --selection 'duration > 1s', or --before 2h..1h --after 1h..

    Exit codes: 0, also without a difference; 1 if there is nothing to ask; 2 for invalid arguments.
    """
    sides = {"selection": selection, "before": before, "after": after}
    try:
        query = read_query(text, since=since, until=until, background=background)
        request = read_request(query, **sides)
        if path is not None:
            with reading(path) as database:
                result = compare(database, request)
        else:
            arguments: dict[str, str | int] = {
                "q": text,
                "since": since,
                "until": until,
                "background": int(background),
            }
            result = ask(url, "difference", {**arguments, **sides}, Difference)
    except (QueryError, StorageError, StatementError) as error:
        leave_for(error)
    output = msgspec.json.encode(result).decode() if as_json else format_difference(result)
    click.echo(output)
