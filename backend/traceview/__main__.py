"""The command line: `python -m traceview`."""

import signal
import sys

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--bind",
    default="127.0.0.1:4318",
    show_default=True,
    metavar="HOST:PORT",
    help="Address to serve on.",
)
@click.option("--allow-remote", is_flag=True, help="Accept other machines and any host name.")
@click.option(
    "--traces",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="How many to keep; above 500, memory grows with the number.",
)
@click.option("--follow-parent", type=int, metavar="PID", help="Exit when this parent exits.")
def main(bind: str, allow_remote: bool, traces: int, follow_parent: int | None) -> None:
    """Receive OpenTelemetry over OTLP/HTTP and show it on a page.

    Send to it with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318. Data is kept only in memory.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    # Imported late, because it takes most of the start-up time, and signals must work before.
    from traceview.server import AddressError, listen, run

    try:
        listener = listen(bind, allow_remote=allow_remote)
    except AddressError as error:
        click.echo(f"traceview: {error}", err=True)
        sys.exit(1)
    click.echo(f"traceview: http://{bind}")
    run(listener, allow_remote=allow_remote, traces=traces, parent=follow_parent)


if __name__ == "__main__":
    main(prog_name="traceview")
