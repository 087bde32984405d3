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
@click.option("--allow-remote", is_flag=True, help="Let other machines in, under any host name.")
@click.option(
    "--traces",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="How many are kept; the memory of more than 500 grows with them.",
)
@click.option("--follow-parent", type=int, metavar="PID", help="End when this parent ends.")
def main(bind: str, allow_remote: bool, traces: int, follow_parent: int | None) -> None:
    """Receive OpenTelemetry over OTLP/HTTP and show it on a page.

    Send to it with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318. What arrives is kept
    in memory only.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    # Imported when a signal can be taken: this is most of the time that it needs to start.
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
