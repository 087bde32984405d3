"""Run the application under Hypercorn, in this process."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable, Collection
from pathlib import Path

import click
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart

from traceview.access import host_of, is_loopback
from traceview.app import create_app
from traceview.forwarding import Forwarder
from traceview.storage.file import TraceFile, open_file
from traceview.storage.retention import FileBounds
from traceview.store import bounds_of

GC_THRESHOLD = 50_000
"""Net allocations between garbage collections.

With Python's 700, the collections take a quarter of the CPU time of a response with 10,000 spans.
"""

GRACE_SECONDS = 0.2
"""Seconds for which requests in progress may continue at shutdown."""

LAST_SECONDS = 0.4
"""Seconds after which the process exits in any case, once the file is written."""

WRITE_SECONDS = 2.0
"""Seconds for which the last batch may be written at shutdown."""

PARENT_SECONDS = 0.5
"""Seconds between two checks of the parent process."""


class AddressError(Exception):
    """The address cannot be used; the message gives the reason."""


def listen(bind: str, *, allow_remote: bool) -> socket.socket:
    """Open the socket to serve on.

    Raises:
        AddressError: it is invalid or taken, or other machines could reach it.
    """
    host = host_of(bind)
    port = bind.rpartition(":")[2]
    if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise AddressError(f"cannot serve on {bind}: it is not HOST:PORT")
    if not allow_remote and not is_loopback(host):
        raise AddressError(
            f"cannot serve on {bind}: other machines could reach it; --allow-remote permits that"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        raise AddressError(f"cannot serve on {bind}: {error.strerror}") from error


def run(
    listener: socket.socket,
    *,
    allow_remote: bool,
    host_names: Collection[str],
    traces: int,
    parent: int | None,
    path: Path | None,
    file_bounds: FileBounds,
    forwarder: Forwarder | None,
) -> None:
    """Serve until SIGINT, SIGTERM, SIGHUP or, if its id is given, the exit of the parent.

    At most `traces` traces are kept in memory, and all in the file at `path`, unless it is None.
    `host_names` are served in addition to those of this machine. What is received is also given to
    the forwarder, if there is one.
    """
    gc.set_threshold(GC_THRESHOLD)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = GRACE_SECONDS
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.accesslog = None
    config.errorlog = "-"
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        names = {name.lower() for name in host_names}
        file, status = open_file(path, file_bounds)
        if path is not None and file is None:
            click.echo(f"traceview: traces are kept only in memory: {status.reason}", err=True)
        app = create_app(
            allow_remote=allow_remote,
            host_names=names,
            bounds=bounds_of(traces),
            file=file,
            status=status,
            forwarder=forwarder,
        )
        runner.run(_serve(app, config, file, parent=parent))


async def _serve(app: Quart, config: Config, file: TraceFile | None, *, parent: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        stop.set()
        # Hypercorn closes open connections, and the loop would print tracebacks for them.
        loop.set_exception_handler(lambda *_: None)
        loop.call_later(LAST_SECONDS, leave_now)

    def leave_now() -> None:
        if file is not None:
            file.close(WRITE_SECONDS)
        os._exit(0)

    def follow() -> None:
        # An orphan gets another parent process, however its own parent exited.
        if os.getppid() == parent:
            loop.call_later(PARENT_SECONDS, follow)
        else:
            leave()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):  # each system has some of them
        if hasattr(signal, name):
            _handle_signal(loop, signal.Signals[name], leave)
    if parent is not None:
        follow()
    await serve(app, config, shutdown_trigger=stop.wait)
    leave_now()


def _handle_signal(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, handler: Callable[[], None]
) -> None:
    """Call the handler in the loop when a signal arrives."""
    try:
        loop.add_signal_handler(number, handler)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(handler))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
