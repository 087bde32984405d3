"""Running the application under Hypercorn."""

import asyncio
import gc
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hypercorn.config import Config, Sockets
from hypercorn.run import run
from quart import Quart

from cruddur.settings import Settings

GRACE_SECONDS = 3.0
"""How long requests that are being answered may take when the server stops."""


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


_stop_asked_for = False


def defer_signals() -> None:
    """While the server is being set up, remember that a signal asked to stop.

    Breaking off half-way could leave a database server behind that nobody stops.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _remember)


def is_stop_asked_for() -> bool:
    """Whether a deferred signal came."""
    return _stop_asked_for


def _remember(*_: object) -> None:
    global _stop_asked_for  # signal handlers share nothing else with the code
    _stop_asked_for = True


def serve(settings: Settings, *, reload: bool = False) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    A single worker runs in this very process; several are spawned.
    """
    config = _Config()
    config.application_path = "cruddur.served:app"
    config.bind = list(settings.binds)
    config.worker_class = "uvloop"
    config.workers = settings.workers if settings.workers > 1 or reload else 0
    config.use_reloader = reload
    config.graceful_timeout = GRACE_SECONDS
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    _allow_many_connections()
    # The workers read their settings from the environment, as under any other server.
    os.environ["CONNECTION_URL"] = settings.connection_url
    os.environ["CRUDDUR_BIND"] = ",".join(settings.binds)
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    if config.workers:  # Hypercorn takes the other two over when it has spawned its workers
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not the default action: as the first process of a container we would not have it.
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    code = run(config)
    # Hypercorn returns when the first worker has; the others still use the database.
    for worker in multiprocessing.active_children():
        worker.join(GRACE_SECONDS + 5)
    return code


def check_free(binds: Sequence[str]) -> None:
    """Find out whether the addresses can be served on.

    Raises:
        AddressInUseError: the message names the one that cannot.
    """
    for bind in binds:
        _check_free(bind)


async def follow_parent() -> None:
    """In a spawned worker: stop when Hypercorn says so, and not before or after.

    Hypercorn terminates the slower workers as soon as the first has shut down, in the
    middle of their clean-up; they follow its event instead. A worker whose parent was
    killed would go on holding the port, so it leaves.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        if is_stop_asked_for():  # just before Hypercorn took the signals over
            os.kill(os.getpid(), signal.SIGTERM)
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 1)


async def settle() -> None:
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


def end_streams_in_time(app: Quart) -> None:
    """Have the streams end when Hypercorn begins to stop.

    It tells the application when all answers are complete, or have had their time; those
    without an end would be broken off. What it sets first is its workers' own mark, which
    is within reach of every request.
    """
    inner: Callable[..., Awaitable[None]] = app.asgi_app
    watching: set[asyncio.Task[None]] = set()

    async def watch(is_stopping: Any) -> None:
        await is_stopping.wait()
        app.extensions["cruddur"].live.close()

    def entry(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if not watching and scope["type"] != "lifespan":
            watching.add(asyncio.create_task(watch(send.__self__.context.terminated)))
        return inner(scope, receive, send)

    app.asgi_app = entry  # type: ignore[method-assign, assignment]  # how Quart says to wrap it


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


def _allow_many_connections() -> None:
    """As many open files as we may have: a stream is one, and the usual limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _check_free(bind: str) -> None:
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
