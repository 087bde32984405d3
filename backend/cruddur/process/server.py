"""Serve the application with Hypercorn, in this process or in supervised workers."""

import asyncio
import importlib
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext

import hypercorn.asyncio
from hypercorn.config import Config, Sockets
from hypercorn.utils import check_for_updates, files_to_watch
from quart import Quart

from cruddur.operating_system import HAS_FORK, event_loop_factory, raise_open_files_limit
from cruddur.process.runtime import importing
from cruddur.process.signals import StopSignals
from cruddur.process.supervisor import Supervisor
from cruddur.process.tls import ServerCertificate
from cruddur.settings import OperatorError, Settings

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
"""How long requests in progress may take after the server begins to stop."""

STOP_SECONDS = GRACE_SECONDS + 5.0
"""How long a worker may take to stop: to finish its requests, then to export its telemetry."""

KEEP_ALIVE_SECONDS = 75.0
"""How long an idle connection stays open.

It must be longer than the idle timeout of a load balancer (60 s at AWS). Otherwise the balancer
could send a request on a connection that the server is closing.
"""

UNACKNOWLEDGED_MILLISECONDS = 30_000
"""How long a client may leave sent data unacknowledged.

After this time the kernel closes the connection and frees its buffers. Otherwise the server would
wait for the client to acknowledge them.
"""

HANDSHAKE_SECONDS = 10.0
"""How long a client may take for the TLS handshake."""

# On Windows, SO_REUSEADDR permits two servers at one address.
_PROBE_OPTION: int = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)


class AddressInUseError(OperatorError):
    """The server cannot listen on an address."""


def serve(
    settings: Settings,
    signals: StopSignals,
    certificate: ServerCertificate | None,
    *,
    reload: bool = False,
) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    A single worker runs in this process. Several workers run in child processes, which load the
    certificate themselves.
    """
    config = server_config(settings.binds, certificate)
    raise_open_files_limit()
    if settings.workers == 1 and not reload:
        return run_worker(settings, config, signals)
    if not HAS_FORK:
        raise OperatorError(
            "several workers and --reload need Linux or macOS: set WEB_CONCURRENCY to 1, and leave"
            " out --workers and --reload"
        )
    supervisor = Supervisor(
        signals,
        config.listeners(),
        overrides=settings.overrides(),
        workers=settings.workers,
        stop_seconds=STOP_SECONDS,
        has_changed=_watch_files() if reload else None,
    )
    return supervisor.run()


def server_config(
    binds: Sequence[str], certificate: ServerCertificate | None = None
) -> "ServerConfig":
    """Return Hypercorn's configuration for these addresses, with TLS if there is a certificate."""
    config = ServerConfig(certificate)
    config.bind = list(binds)
    config.graceful_timeout = GRACE_SECONDS
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


def run_worker(
    settings: Settings,
    config: "ServerConfig",
    signals: StopSignals,
    on_serving: Callable[[], None] = lambda: None,
) -> int:
    """Serve the application in this process until a signal and return the exit code.

    Args:
        settings: the settings of the application.
        config: where and how to serve.
        signals: the stop and reload signals of this process.
        on_serving: called in the event loop once the server accepts connections.

    Raises:
        StoppedError: a signal arrived before the application was created.
    """
    with signals.interrupting(), importing():
        app = importlib.import_module("cruddur.process.application").create_application(settings)
    return run_application(app, config, signals, on_serving)


def run_application(
    app: Quart,
    config: "ServerConfig",
    signals: StopSignals,
    on_serving: Callable[[], None] = lambda: None,
) -> int:
    """Serve an application in this process until a signal and return the exit code.

    Args:
        app: the application.
        config: where and how to serve.
        signals: the stop and reload signals of this process.
        on_serving: called in the event loop once the server accepts connections.
    """
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        try:
            runner.run(_serve(app, config, signals, on_serving))
        except asyncio.CancelledError:
            if not signals.is_stopping:
                raise
    return 0


async def _serve(
    app: Quart, config: "ServerConfig", signals: StopSignals, on_serving: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    starting = asyncio.current_task()
    stopping, is_serving = asyncio.Event(), False

    def stop() -> None:
        if is_serving:
            stopping.set()
        elif starting is not None:
            starting.cancel()

    async def wait_for_stop() -> None:
        nonlocal is_serving
        is_serving = True
        on_serving()
        await stopping.wait()

    def refuse_reload() -> None:
        logger.warning("SIGHUP: a single worker cannot be reloaded; restart the service")

    with signals.listening(
        lambda: loop.call_soon_threadsafe(stop),
        lambda: loop.call_soon_threadsafe(refuse_reload),
    ):
        async with config.watching_certificate():
            await hypercorn.asyncio.serve(app, config, shutdown_trigger=wait_for_stop)


def check_addresses(binds: Sequence[str]) -> None:
    """Check that the server can listen on these addresses.

    Raises:
        AddressInUseError: it cannot; the message names the address.
    """
    for bind in binds:
        _check_address(bind)


class ServerConfig(Config):
    """Hypercorn's configuration, with our certificate, and sockets that time out unacknowledged
    data."""

    ssl_handshake_timeout = HANDSHAKE_SECONDS

    def __init__(self, certificate: ServerCertificate | None) -> None:
        """Serve with TLS if there is a certificate."""
        super().__init__()
        self._certificate = certificate

    @property
    def ssl_enabled(self) -> bool:
        return self._certificate is not None

    def create_ssl_context(self) -> SSLContext | None:
        return self._certificate.context if self._certificate else None

    @asynccontextmanager
    async def watching_certificate(self) -> AsyncIterator[None]:
        """Load the certificate again whenever its files change."""
        if self._certificate is None:
            yield
            return
        watching = asyncio.create_task(self._certificate.watch())
        try:
            yield
        finally:
            watching.cancel()

    def listeners(self) -> Sequence[socket.socket]:
        """Open the sockets to listen on."""
        sockets = self.create_sockets()
        return [*sockets.secure_sockets, *sockets.insecure_sockets]

    def create_sockets(self) -> Sockets:
        sockets = super().create_sockets()
        if sys.platform == "linux":
            for listener in (*sockets.secure_sockets, *sockets.insecure_sockets):
                # Accepted connections inherit the option.
                if listener.family in {socket.AF_INET, socket.AF_INET6}:
                    listener.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS
                    )
        return sockets


def _watch_files() -> Callable[[], bool]:
    """Return a function that checks whether a Python file has changed since its last call."""
    importlib.import_module("cruddur.app")  # loads all modules to watch
    files = files_to_watch()

    def has_changed() -> bool:
        nonlocal files
        changed = check_for_updates(files)
        if changed:
            files = files_to_watch()
        return changed

    return has_changed


def _check_address(bind: str) -> None:
    host, _, port = bind.rpartition(":")
    if bind.startswith(("unix:", "fd:")) or not port.isdigit():
        return
    address = host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, _PROBE_OPTION, 1)
        try:
            probe.bind((address, int(port)))
        except OSError as error:
            raise AddressInUseError(f"cannot serve on {bind}: {error.strerror}") from error
