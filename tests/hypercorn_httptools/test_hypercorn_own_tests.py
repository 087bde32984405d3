"""Hypercorn's own tests of HTTP/1.1, which its wheel does not have, with this package in place.

`make test` downloads the source distribution of the installed version to `.local/`.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / ".local" / "hypercorn" / f"hypercorn-{version('hypercorn')}"
TESTS = ("tests/protocol/test_h11.py", "tests/asyncio")

ONE_WRITE = "the head is written together with the body"
NO_EMPTY_WRITE = "h11 ends a response of known length with a write of no bytes"
NEW_H2 = "fails with Hypercorn's own class, too: the installed h2 refuses the request of the test"

EXCEPTIONS = {
    "test_complets_on_half_close": ONE_WRITE,
    "test_protocol_send_body": ONE_WRITE,
    "test_protocol_handle_max_incomplete": NO_EMPTY_WRITE,
    "test_protocol_handle_protocol_error": NO_EMPTY_WRITE,
    "test_http2_websocket": NEW_H2,
}
"""The tests that fail, and why that is correct."""

TIMED = "tests/asyncio/test_keep_alive.py"
"""These sleep for 20 ms and expect that a timer of 10 ms has fired, which a busy machine does not
keep. tests/hardening/test_hardening_18_timeouts.py waits for the same timeouts."""


@pytest.mark.skipif(
    not SOURCES.is_dir(), reason="the sources of Hypercorn could not be downloaded (make test)"
)
def test_hypercorns_own_tests_pass_with_httptools(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    options = [
        f"--ignore={TIMED}",
        "-p",
        "on_httptools",
        "-p",
        "no:schemathesis",
        "-p",
        "no:anyio",
        "-c",
        os.devnull,
    ]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", ".", "-p", "no:cacheprovider",
         f"--junitxml={report}", *TESTS],
        cwd=SOURCES,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert report.exists(), run.stdout + run.stderr
    cases = list(ET.parse(report).iter("testcase"))
    assert len(cases) > 30
    failed = {case.attrib["name"] for case in cases if len(case)}
    assert failed == set(EXCEPTIONS), run.stdout
