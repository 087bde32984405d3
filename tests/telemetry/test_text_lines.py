"""The readable form of log lines, for terminals."""

import io
import logging
import os
import pty
import subprocess
import sys

from opentelemetry import trace

from cruddur.telemetry.logs import TextFormatter

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
URL = "http://localhost:4318/trace/{trace_id}"

PROGRAM = """
import logging
from cruddur.telemetry.logs import write_lines
write_lines("INFO", constants={})
logging.getLogger("cruddur").warning("mind the gap")
"""


def written(*, is_colored: bool = False, trace_url: str = "", **record: object) -> str:
    """One record as text, inside a span of a known trace."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter(is_colored=is_colored, trace_url=trace_url))
    ids = trace.SpanContext(int(TRACE_ID, 16), 7, False)
    with trace.use_span(trace.NonRecordingSpan(ids)):
        made = {"name": "cruddur.request", "levelno": 20, "levelname": "INFO", **record}
        handler.handle(logging.makeLogRecord(made))
    return out.getvalue()


def test_a_line_shows_its_cost_and_its_trace() -> None:
    fields = {"app.db.statements": 2, "http.route": "/api/activities/home"}
    line = written(msg="GET /api/activities/home 200", fields=fields, trace_url=URL)
    assert "INFO" in line
    assert "GET /api/activities/home 200 db.statements=2" in line
    assert line.endswith(f"http://localhost:4318/trace/{TRACE_ID}\n")


def test_without_a_page_the_id_is_shown() -> None:
    assert written(msg="hello").endswith(f"cruddur.request: hello trace={TRACE_ID}\n")


def test_a_failure_has_its_stack_trace_below() -> None:
    try:
        raise ValueError("it broke")
    except ValueError:
        text = written(msg="oh", exc_info=sys.exc_info())
    assert text.splitlines()[1] == "Traceback (most recent call last):"
    assert text.splitlines()[-1] == "ValueError: it broke"


def test_a_level_has_its_color() -> None:
    coloured = written(msg="oh", levelname="ERROR", is_colored=True)
    assert "\x1b[31mERROR  \x1b[0m" in coloured


def test_a_terminal_gets_colors_and_a_pipe_gets_json() -> None:
    command = [sys.executable, "-c", PROGRAM]
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert piped.stdout.startswith('{"timestamp":')
    ours, theirs = pty.openpty()
    try:
        subprocess.run(command, stdout=theirs, check=True)
        shown = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "\x1b[33mWARNING\x1b[0m" in shown
    assert "mind the gap" in shown
