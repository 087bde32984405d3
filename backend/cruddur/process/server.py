"""Running the application under Hypercorn."""

import asyncio
import gc
import importlib
import logging
import os
import resource
import socket
import sys
from collections.abc import Callable, Sequence

import hypercorn.asyncio
import uvloop
from hypercorn.config import Config, Sockets
from hypercorn.utils import check_for_updates, files_to_watch
from quart import Quart

from cruddur.process.signals import StopSignals
from cruddur.process.supervisor import Supervisor
from cruddur.settings import Settings

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
"""How long requests that are being answered may take when the server stops."""


STOP_SECONDS = GRACE_SECONDS + 5.0
"""How long a worker may take to stop: its requests, then its telemetry."""


KEEP_ALIVE_SECONDS = 75.0
"""How long an idle connection stays open: longer than a load balancer keeps it for another
request, or it would send one just as it is closed (AWS's: 60 s)."""


STUCK_MILLISECONDS = 30_000
"""How long a caller may read nothing of what it was sent; then the kernel closes the connection
and gives its buffers back, which the server would wait for."""


YOUNG_OBJECTS = 5_000
"""How many objects are made, and not gone again, before the garbage collector looks at them."""


SWITCH_SECONDS = 0.001
"""For how long a thread may go on computing while the event loop waits for its turn."""


class AddressInUseError(Exception):
    """Another process serves on the address."""


def serve(settings: Settings, signals: StopSignals, *, reload: bool = False) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    A single worker runs in this process; several run in processes of their own.
    """
    config = server_config(settings.binds)
    _allow_many_connections()
    # The application reads its settings from the environment, as under any other server.
    os.environ["CONNECTION_URL"] = settings.connection_url
    os.environ["CRUDDUR_BIND"] = ",".join(settings.binds)
    if settings.workers == 1 and not reload:
        return run_worker(config, signals)
    supervisor = Supervisor(
        signals,
        config.create_sockets().insecure_sockets,
        workers=settings.workers,
        stop_seconds=STOP_SECONDS,
        has_changed=_watch_files() if reload else None,
    )
    return supervisor.run()


def server_config(binds: Sequence[str]) -> Config:
    """Return Hypercorn's configuration for these addresses."""
    config = _Config()
    config.bind = list(binds)
    config.graceful_timeout = GRACE_SECONDS
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


def run_worker(
    config: Config, signals: StopSignals, on_serving: Callable[[], None] = lambda: None
) -> int:
    """Serve the application in this process until a signal and return the exit code.

    Args:
        config: where and how to serve.
        signals: the handled signals of this process.
        on_serving: called in the event loop once connections are accepted.

    Raises:
        StoppedError: a signal came before the application was loaded.
    """
    with signals.interrupting():
        app = importlib.import_module("cruddur.process.application").app
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(app, config, signals, on_serving))
        except asyncio.CancelledError:
            if not signals.is_stopping:
                raise
    return 0


async def _serve(
    app: Quart, config: Config, signals: StopSignals, on_serving: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    starting = asyncio.current_task()
    stopping, is_serving = asyncio.Event(), False

    def stop() -> None:
        if is_serving:
            stopping.set()
        elif starting is not None:
            starting.cancel()

    async def until_stopped() -> None:
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
        await hypercorn.asyncio.serve(app, config, shutdown_trigger=until_stopped)


def check_addresses(binds: Sequence[str]) -> None:
    """Find out whether the addresses can be served on.

    Raises:
        AddressInUseError: the message names the one that cannot.
    """
    for bind in binds:
        _check_address(bind)


async def tune_runtime() -> None:
    """Before the first request: have none wait for what is not its own.

    What was made for the start stays to the end, so the garbage collector need not go through
    its 94,000 objects again and again. It comes when 5,000 objects are left of what was made
    since, not 700: with as many on their way to open streams it would take them for ones that
    stay, and go through all there are. And the threads that send telemetry give way sooner than
    after Python's 5 ms (docs/performance.md, p99).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    sys.setswitchinterval(SWITCH_SECONDS)


class _Config(Config):
    """Hypercorn's, with sockets that do not wait for ever."""

    def create_sockets(self) -> Sockets:
        sockets = super().create_sockets()
        if sys.platform == "linux":
            for listener in sockets.insecure_sockets:
                if listener.family != socket.AF_UNIX:  # what is accepted takes it over
                    listener.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_MILLISECONDS
                    )
        return sockets


def _watch_files() -> Callable[[], bool]:
    """Return a function that checks whether a Python file has changed since its last call."""
    importlib.import_module("cruddur.app")  # so that all modules to be watched are loaded
    files = files_to_watch()

    def has_changed() -> bool:
        nonlocal files
        changed = check_for_updates(files)
        if changed:
            files = files_to_watch()
        return changed

    return has_changed


def _allow_many_connections() -> None:
    """As many open files as we may have: a stream is one, and the usual limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _check_address(bind: str) -> None:
    host, _, port = bind.rpartition(":")
    if bind.startswith(("unix:", "fd:")) or not port.isdigit():
        return
    address = host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, int(port)))
        except OSError as error:
            raise AddressInUseError(f"cannot serve on {bind}: {error.strerror}") from error
