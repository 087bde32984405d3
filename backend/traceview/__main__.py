"""The command line: `python -m traceview`, which serves, and its commands that ask."""

import signal
import sys
from pathlib import Path

import click

from traceview.difference_command import difference_command
from traceview.query_command import query_command
from traceview.storage.retention import FileBounds

DEFAULT_FILE = Path(".local/traceview.duckdb")
_BOUNDS = FileBounds()


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--bind",
    default="127.0.0.1:4318",
    show_default=True,
    metavar="HOST:PORT",
    help="Address to serve on.",
)
@click.option("--allow-remote", is_flag=True, help="Accept other machines, by IP address.")
@click.option(
    "--host-name",
    "host_names",
    multiple=True,
    metavar="NAME",
    help="Serve this host name too; can be repeated.",
)
@click.option(
    "--traces",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="How many to keep in memory, for the list; above 500, memory grows with the number.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="Where everything is stored; needs the package duckdb.",
)
@click.option("--in-memory", is_flag=True, help="Store nothing; queries need a file.")
@click.option(
    "--max-mb",
    type=click.IntRange(min=20),
    default=_BOUNDS.bytes // 1_000_000,
    show_default=True,
    help="Maximum size of the file; the oldest traces are deleted first.",
)
@click.option(
    "--max-hours",
    type=click.FloatRange(min=0, min_open=True),
    default=_BOUNDS.age_s / 3600,
    show_default=True,
    help="Maximum age; errors and slow traces are kept four times as long.",
)
@click.option(
    "--slow-ms",
    type=click.FloatRange(min=0),
    default=_BOUNDS.slow_ms,
    show_default=True,
    help="From which duration on a trace is slow and is kept longer.",
)
@click.option(
    "--forward",
    "forward_url",
    metavar="URL",
    help="Also send everything that is received to this OTLP/HTTP endpoint.",
)
@click.option(
    "--forward-header",
    "forward_headers",
    multiple=True,
    metavar="NAME=VALUE",
    help="Header of forwarded requests, such as an API key; can be repeated.",
)
@click.option("--follow-parent", type=int, metavar="PID", help="Exit when this parent exits.")
@click.pass_context
def main(
    context: click.Context,
    bind: str,
    allow_remote: bool,
    host_names: tuple[str, ...],
    traces: int,
    path: Path,
    in_memory: bool,
    max_mb: int,
    max_hours: float,
    slow_ms: float,
    forward_url: str | None,
    forward_headers: tuple[str, ...],
    follow_parent: int | None,
) -> None:
    """Receive OpenTelemetry over OTLP/HTTP, store it, and show it on a page.

    Send to it with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318.
    """
    if context.invoked_subcommand is not None:
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    # Imported late, because it takes most of the start-up time, and signals must work before.
    from traceview.forwarding import Forwarder, ForwardError, check_url, read_header
    from traceview.server import AddressError, listen, run

    forwarder = None
    try:
        listener = listen(bind, allow_remote=allow_remote)
        if forward_url is not None:
            check_url(forward_url, own_port=listener.getsockname()[1])
            forwarder = Forwarder(forward_url, dict(map(read_header, forward_headers)))
    except (AddressError, ForwardError) as error:
        click.echo(f"traceview: {error}", err=True)
        sys.exit(1)
    click.echo(f"traceview: http://{bind}")
    run(
        listener,
        allow_remote=allow_remote,
        host_names=host_names,
        traces=traces,
        parent=follow_parent,
        path=None if in_memory else path,
        file_bounds=FileBounds(bytes=max_mb * 1_000_000, age_s=max_hours * 3600, slow_ms=slow_ms),
        forwarder=forwarder,
    )


main.add_command(query_command)
main.add_command(difference_command)

if __name__ == "__main__":
    main(prog_name="traceview")
