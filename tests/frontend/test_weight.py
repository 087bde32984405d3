"""What a first visit costs."""

import gzip
import re
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "frontend-react-js" / "dist"
MOST = 120_000
"""Bytes of JavaScript, gzipped, until something can be seen."""


@pytest.mark.skipif(not (BUILD / "index.html").exists(), reason="the page is not built")
def test_the_first_visit_fetches_little_javascript() -> None:
    index = (BUILD / "index.html").read_text("utf-8")
    scripts = set(re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', index))
    assert scripts
    weight = sum(len(gzip.compress((BUILD / name).read_bytes())) for name in scripts)
    assert weight <= MOST
