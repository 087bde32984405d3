"""Open the database, set up the telemetry, and serve the API."""

import logging
from contextlib import nullcontext
from dataclasses import replace

from cruddur.cli import signals
from cruddur.cli.database import open_database, require_migrated, seed_if_empty
from cruddur.cli.summary import log_summary
from cruddur.db.migrate import migrate
from cruddur.identity.keys import KeyRing, configured_keys
from cruddur.operating_system import limitations
from cruddur.process.server import check_addresses, serve
from cruddur.process.tls import ServerCertificate
from cruddur.process.trace_explorer import run_trace_explorer
from cruddur.settings import OperatorError, Settings
from cruddur.settings.library_variables import set_variables
from cruddur.telemetry.pipeline import configure_logging, report_failed_start
from cruddur.telemetry.sinks import require_extras
from cruddur.telemetry.unused_variables import warn_of_unused_variables

logger = logging.getLogger("cruddur")


def run(settings: Settings, *, reload: bool, setup: bool, traces: bool) -> int:
    """Serve until a signal arrives; return the exit code."""
    if settings.signing_key:
        KeyRing(configured_keys(settings.signing_key))
    certificate = ServerCertificate.from_settings(settings)
    require_extras(settings)
    configure_logging(settings)
    for warning in (*settings.warnings, *limitations()):
        logger.warning(warning)
    warn_of_unused_variables(set_variables("OTEL_"))
    try:
        return _serve(settings, certificate, reload=reload, setup=setup, traces=traces)
    except OperatorError as error:
        signals.run(report_failed_start(settings, error))
        raise


def _serve(
    settings: Settings,
    certificate: ServerCertificate | None,
    *,
    reload: bool,
    setup: bool,
    traces: bool,
) -> int:
    """Open the database and serve until a signal; return the exit code."""
    is_embedded = not settings.connection_url
    with open_database(settings, exclusive=True) as dsn:
        check_addresses(settings.binds)
        if is_embedded:
            settings = replace(settings, connection_url=dsn)
        seeded = False
        if setup or is_embedded:
            signals.run(migrate(dsn))
            seeded = signals.run(seed_if_empty(dsn))
        else:
            require_migrated(dsn)
        explorer = run_trace_explorer(settings, signals) if traces else nullcontext((settings, ""))
        with explorer as (settings, page):
            log_summary(settings, is_embedded=is_embedded, seeded=seeded, page=page)
            return serve(settings, signals, certificate, reload=reload)
