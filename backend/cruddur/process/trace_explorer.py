"""Run the local trace explorer as a child process, next to the service.

The explorer is a separate package (`traceview`) that is installed for development, but not in
production.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cruddur.operating_system import NEW_PROCESS_GROUP
from cruddur.process.signals import StopSignals
from cruddur.settings import Settings
from cruddur.settings.checks import is_loopback

START_SECONDS = 10.0
"""How long the explorer may take to respond after its start."""

STOP_SECONDS = 3.0
"""How long the explorer may take to stop before it is killed."""

# Without a proxy: the explorer runs on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def run_trace_explorer(settings: Settings, signals: StopSignals) -> Iterator[tuple[Settings, str]]:
    """Run the explorer, or use one that is running, and export telemetry to it.

    Yields:
        The settings that export to the explorer, and the URL of its page. If telemetry is exported
        elsewhere, or the explorer cannot run, the unchanged settings and the reason.
    """
    url = f"http://{settings.traces_bind}"
    page = f"http://localhost:{settings.traces_bind.rpartition(':')[2]}"
    if settings.traces_url or settings.is_sdk_disabled:
        yield settings, ""
    elif is_explorer(url):
        yield _export_to(settings, url, page), page
    elif not is_loopback(settings.traces_bind):
        yield settings, f"none: no trace explorer runs at {settings.traces_bind}"
    elif importlib.util.find_spec("traceview") is None:
        yield settings, "none: the package traceview is not installed"
    else:
        process = subprocess.Popen(  # noqa: S603  # our own program, with an address of ours
            [
                *(sys.executable, "-m", "traceview", "--bind", settings.traces_bind),
                *("--file", str(settings.data_directory / "traceview.duckdb")),
                *("--follow-parent", str(os.getpid())),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C stops the service, which then exports its last spans
            creationflags=NEW_PROCESS_GROUP,  # the same on Windows
        )
        try:
            with signals.listening(lambda: _ask_to_stop(process)):
                has_started = _wait_until_ready(process, url)
            signals.check()
            if has_started:
                yield _export_to(settings, url, page), page
            else:
                yield settings, f"none: {settings.traces_bind} is in use by another program"
        finally:
            _stop(process)


def _export_to(settings: Settings, url: str, page: str) -> Settings:
    """Return settings that export all telemetry to the explorer, with short delays."""
    return replace(
        settings,
        otlp_endpoint=url,
        logs_exporter="otlp",
        span_delay=min(settings.span_delay, 500.0),
        metric_interval=min(settings.metric_interval, 5000.0),
        trace_url=settings.trace_url or f"{page}/trace/{{trace_id}}",
    )


def _wait_until_ready(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_explorer(url):
            return True
        time.sleep(0.05)
    return False


def is_explorer(url: str) -> bool:
    """Return whether a trace explorer responds at a URL."""
    try:
        with _opener.open(f"{url}/healthz", timeout=1) as response:
            health = json.load(response)
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return isinstance(health, dict) and health.get("product") == "traceview"


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    # On Windows, `terminate` would not let it write its last spans.
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))


def _stop(process: subprocess.Popen[bytes]) -> None:
    _ask_to_stop(process)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
