"""The size of a first visit, and of the page's telemetry."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "frontend-react-js" / "dist"
MAX_BYTES = 120_000
"""Maximum gzipped size of the JavaScript that must load before the first render."""

MAX_RECORDER_BYTES = 3_320
"""Maximum gzipped size of the script that records telemetry. It is loaded when the page is idle."""

pytestmark = pytest.mark.skipif(not (BUILD / "index.html").exists(), reason="the page is not built")


def weight(scripts: Iterable[Path]) -> int:
    return sum(len(gzip.compress(script.read_bytes())) for script in scripts)


def initial_scripts() -> set[Path]:
    index = (BUILD / "index.html").read_text("utf-8")
    return {BUILD / name for name in re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', index)}


def test_initial_javascript_is_small() -> None:
    scripts = initial_scripts()
    assert scripts
    assert weight(scripts) <= MAX_BYTES


def test_the_recorder_is_small() -> None:
    later = sorted(set((BUILD / "assets").glob("*.js")) - initial_scripts())
    german, further, qr_code, recorder = later
    assert german.name.startswith("de-")
    assert further.name.startswith("further-")  # the pages that few visits begin with
    assert qr_code.name.startswith("qrCode-")  # loads when a second factor is set up
    assert recorder.name.startswith("recorder-")
    assert weight([recorder]) <= MAX_RECORDER_BYTES
