"""Run a scenario: its database, what is around the service, and its releases one after another."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import msgspec

from cruddur.cli import signals
from cruddur.cli.database import open_database
from cruddur.cli.summary import log_summary
from cruddur.db.pool import connect
from cruddur.process.server import STOP_SECONDS, check_addresses, server_config
from cruddur.process.trace_explorer import run_trace_explorer
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import configure_logging
from scenarios.database import fill, own_database
from scenarios.scenario import Release, Scenario, load

POLL_SECONDS = 0.1


def run(name: str, settings: Settings, release_after: float) -> int:
    """Run a scenario until a signal; return the exit code.

    Args:
        name: the scenario.
        settings: of the service.
        release_after: seconds until the next release is deployed, if there is one.
    """
    configure_logging(settings)
    scenario = load(name)
    is_embedded = not settings.connection_url
    with open_database(settings, exclusive=True) as dsn:
        check_addresses(settings.binds)
        with own_database(dsn) as own_dsn:
            members = signals.run(fill(own_dsn))
            settings = replace(settings, connection_url=own_dsn, direct_url="")
            with (
                run_trace_explorer(settings, signals) as (settings, page),
                scenario.surroundings(settings) as changed,
            ):
                signals.run(prepare(scenario, own_dsn, members))
                log_summary(settings, is_embedded=is_embedded, seeded=False, page=page)
                return _serve(name, scenario.releases, changed, release_after)


async def prepare(scenario: Scenario, dsn: str, members: Sequence[UUID]) -> None:
    """Let a scenario change its database."""
    conn = await connect(dsn)
    try:
        await scenario.prepare(conn, members)
    finally:
        await conn.close()


def _serve(name: str, releases: Sequence[Release], settings: Settings, release_after: float) -> int:
    """Deploy the releases; each takes over the listening sockets of the one before it."""
    listeners = server_config(settings.binds).listeners()
    descriptors = [listener.fileno() for listener in listeners]
    for listener in listeners:
        listener.listen()  # connections wait while a release starts
    serving: subprocess.Popen[bytes] | None = None
    try:
        for release in releases:
            following = _start(name, release, settings, descriptors)
            previous, serving = serving, following
            if previous is not None:
                _stop(previous)
            is_last = release is releases[-1]
            until = time.monotonic() + release_after
            while (is_last or time.monotonic() < until) and not signals.is_stopping:
                if (code := serving.poll()) is not None:
                    return code
                time.sleep(POLL_SECONDS)
    finally:
        if serving is not None:
            _stop(serving)
    return 0


def _start(
    name: str, release: Release, settings: Settings, descriptors: Sequence[int]
) -> "subprocess.Popen[bytes]":
    """Start a release, and wait until it serves or has ended."""
    environment = dict(os.environ)
    if release.version:
        attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
        version = f"service.version={release.version}"
        environment["OTEL_RESOURCE_ATTRIBUTES"] = f"{attributes},{version}".lstrip(",")
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as ready:
        process = subprocess.Popen(  # noqa: S603  # our own program
            [
                *(sys.executable, "-m", "scenarios.release", name, str(int(release.is_changed))),
                *map(str, (writing, *descriptors)),
            ],
            env=environment,
            pass_fds=[writing, *descriptors],
            stdin=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for this process
        )
        os.close(writing)
        if process.stdin is not None:
            with process.stdin:
                process.stdin.write(msgspec.json.encode(settings.overrides()))
        with selectors.DefaultSelector() as selector:
            selector.register(ready, selectors.EVENT_READ)
            while not signals.is_stopping and not selector.select(POLL_SECONDS):
                pass
    return process


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
