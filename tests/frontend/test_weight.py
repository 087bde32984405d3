"""The size of a first visit."""

import gzip
import re
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "frontend-react-js" / "dist"
MAX_BYTES = 120_000
"""Maximum gzipped size of the JavaScript that must load before the first render."""


@pytest.mark.skipif(not (BUILD / "index.html").exists(), reason="the page is not built")
def test_initial_javascript_is_small() -> None:
    index = (BUILD / "index.html").read_text("utf-8")
    scripts = set(re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', index))
    assert scripts
    weight = sum(len(gzip.compress((BUILD / name).read_bytes())) for name in scripts)
    assert weight <= MAX_BYTES
