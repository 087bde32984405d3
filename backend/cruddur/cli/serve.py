"""The command that serves the API."""

import logging
import sys
from contextlib import nullcontext
from dataclasses import replace

import click

from cruddur.cli import signals
from cruddur.cli.database import open_database, require_migrated, seed
from cruddur.cli.errors import EXPECTED
from cruddur.cli.summary import log_summary
from cruddur.db.migrate import migrate
from cruddur.identity.keys import KeyRing, configured_keys
from cruddur.process import parent
from cruddur.process.server import check_addresses, serve
from cruddur.process.trace_explorer import run_trace_explorer
from cruddur.settings import Settings
from cruddur.settings.library_variables import set_variables
from cruddur.telemetry.pipeline import configure_logging, report_failed_start
from cruddur.telemetry.sinks import require_extras
from cruddur.telemetry.unused_variables import warn_of_unused_variables

logger = logging.getLogger("cruddur")


@click.command("serve")
@click.option("--bind", multiple=True, metavar="HOST:PORT", help="Address to serve on; repeatable.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.")
@click.option("--reload", is_flag=True, help="Restart when the code changes.")
@click.option("--setup", is_flag=True, help="Migrate first, and seed an empty database.")
@click.option("--traces", is_flag=True, help="Show traces on a page, unless they go elsewhere.")
@click.option("--follow-parent", type=int, metavar="PID", help="Stop when this parent ends.")
def serve_command(
    bind: tuple[str, ...],
    workers: int | None,
    reload: bool,
    setup: bool,
    traces: bool,
    follow_parent: int | None,
) -> None:
    """Serve the API; the embedded database is always set up."""
    if follow_parent is not None:
        parent.follow_parent(follow_parent)
    settings = Settings.from_env()
    settings = replace(
        settings, bind=",".join(bind) or settings.bind, workers=workers or settings.workers
    )
    settings.check()
    if settings.signing_key:
        KeyRing(configured_keys(settings.signing_key))
    require_extras(settings)
    configure_logging(settings)
    for warning in settings.warnings:
        logger.warning(warning)
    warn_of_unused_variables(set_variables("OTEL_"))
    try:
        code = _serve(settings, reload=reload, setup=setup, traces=traces)
    except EXPECTED as error:
        signals.run(report_failed_start(settings, error))
        raise
    sys.exit(code)


def _serve(settings: Settings, *, reload: bool, setup: bool, traces: bool) -> int:
    """Open the database and serve until a signal; return the exit code."""
    is_embedded = not settings.connection_url
    with open_database(settings, exclusive=True) as dsn:
        check_addresses(settings.binds)
        if is_embedded:
            settings = replace(settings, connection_url=dsn)
        seeded = False
        if setup or is_embedded:
            signals.run(migrate(dsn))
            seeded = signals.run(seed(dsn))
        else:
            require_migrated(dsn)
        explorer = run_trace_explorer(settings, signals) if traces else nullcontext((settings, ""))
        with explorer as (settings, page):
            log_summary(settings, is_embedded=is_embedded, seeded=seeded, page=page)
            return serve(settings, signals, reload=reload)
