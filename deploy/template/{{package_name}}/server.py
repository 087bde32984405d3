"""Serve the application with Hypercorn until SIGINT or SIGTERM."""

import asyncio
import logging
import signal

import hypercorn.asyncio
from hypercorn.config import Config

from .app import create_app
from .db.migrate import require_migrated
from .errors import OperatorError
from .settings import Settings

GRACE_SECONDS = 5.0
"""How long requests in progress may take after the server begins to stop."""

KEEP_ALIVE_SECONDS = 75.0
"""How long an idle connection stays open: longer than load balancers keep it (AWS: 60 s)."""

logger = logging.getLogger(__name__)


async def serve(settings: Settings, dsn: str) -> None:
    """Serve until a signal, then finish the requests in progress and close the resources.

    Raises:
        OperatorError: the database cannot be reached, or has not been migrated; or the
            address cannot be used.
    """
    await require_migrated(dsn)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        logger.info("stopping")
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)

    config = Config()
    config.bind = [f"{settings.bind_address}:{settings.port}"]
    config.graceful_timeout = GRACE_SECONDS
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.errorlog = logging.getLogger("hypercorn.error")
    try:
        [listener] = config.create_sockets().insecure_sockets
    except OSError as error:
        raise OperatorError(f"cannot serve on {config.bind[0]}: {error.strerror}") from error
    config.bind = [f"fd://{listener.detach()}"]
    app = create_app(settings, dsn)
    await hypercorn.asyncio.serve(app, config, shutdown_trigger=stopping.wait)
