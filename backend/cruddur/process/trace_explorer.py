"""The page that shows traces, for people without a backend for them: run beside the service.

It is a program of its own (`traceview`), installed in development and not in production.
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cruddur.process.signals import StopSignals
from cruddur.settings import Settings, is_loopback

START_SECONDS = 10.0
"""How long it may take until it answers."""

STOP_SECONDS = 3.0

# Without a proxy: it is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def run_trace_explorer(settings: Settings, signals: StopSignals) -> Iterator[tuple[Settings, str]]:
    """Run the page, or use the one that runs already, and send telemetry there.

    Yields the settings that do so, and where the page is; the settings as they were, and
    why there is no page, if telemetry goes elsewhere or the address is taken.
    """
    url = f"http://{settings.traces_bind}"
    page = f"http://localhost:{settings.traces_bind.rpartition(':')[2]}"
    if settings.traces_url or settings.is_sdk_disabled:
        yield settings, ""
    elif _is_page(url):
        yield _pointed(settings, url, page), page
    elif not is_loopback(settings.traces_bind):
        yield settings, f"none: there is no page at {settings.traces_bind}"
    elif importlib.util.find_spec("traceview") is None:
        yield settings, "none: the package traceview is not installed"
    else:
        process = subprocess.Popen(  # noqa: S603  # our own program, with an address of ours
            [
                *(sys.executable, "-m", "traceview", "--bind", settings.traces_bind),
                *("--follow-parent", str(os.getpid())),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us: the last spans still have to arrive
        )
        try:
            with signals.listening(process.terminate):
                answers = _answers(process, url)
            signals.check()
            if answers:
                yield _pointed(settings, url, page), page
            else:
                yield settings, f"none: {settings.traces_bind} is taken by something else"
        finally:
            _stop(process)


def _pointed(settings: Settings, url: str, page: str) -> Settings:
    """Settings that send everything there, soon; workers read theirs from the environment."""
    pointed = replace(
        settings,
        otlp_endpoint=url,
        logs_exporter="otlp",
        span_delay=min(settings.span_delay, 500.0),
        metric_interval=min(settings.metric_interval, 5000.0),
        trace_url=settings.trace_url or f"{page}/trace/{{trace_id}}",
    )
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = pointed.otlp_endpoint
    os.environ["OTEL_LOGS_EXPORTER"] = pointed.logs_exporter
    os.environ["OTEL_BSP_SCHEDULE_DELAY"] = f"{pointed.span_delay:g}"
    os.environ["OTEL_METRIC_EXPORT_INTERVAL"] = f"{pointed.metric_interval:g}"
    os.environ["CRUDDUR_TRACE_URL"] = pointed.trace_url
    return pointed


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _is_page(url):
            return True
        time.sleep(0.05)
    return False


def _is_page(url: str) -> bool:
    try:
        with _opener.open(f"{url}/healthz", timeout=1) as answer:
            found = json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return isinstance(found, dict) and found.get("product") == "traceview"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
