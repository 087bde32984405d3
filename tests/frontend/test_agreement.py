"""What the page and the backend must say alike: addresses, codes of refusal, types."""

import json
import re
from pathlib import Path

from cruddur.app import ENDPOINTS
from cruddur.errors import GENERIC_CODES
from cruddur.routes.openapi import refusals
from cruddur.routes.pages import PAGES

SOURCE = Path(__file__).parents[2] / "frontend-react-js" / "src"


def test_the_pages_are_where_the_backend_serves_them() -> None:
    routes = re.findall(r'<Route path="([^"]+)"', (SOURCE / "App.tsx").read_text("utf-8"))
    drawn = {
        route.replace(":at", "@<handle>").replace(":uuid", "<uuid:uuid>")
        for route in routes
        if route != "*"
    }
    assert drawn == set(PAGES)
    assert "*" in routes


def test_every_code_of_refusal_has_a_sentence_and_every_sentence_a_code() -> None:
    sendable = set(GENERIC_CODES.values()) | {
        code for endpoint in ENDPOINTS for codes in refusals(endpoint).values() for code in codes
    }
    sentences = json.loads((SOURCE / "text" / "sentences.json").read_text("utf-8"))
    assert set(sentences) == sendable


def test_one_module_speaks_to_the_network() -> None:
    speaks = re.compile(r"\b(?:fetch|XMLHttpRequest|EventSource|WebSocket|sendBeacon)\b(?=\()")
    speakers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.ts*")
        if speaks.search(path.read_text("utf-8"))
    }
    assert speakers == {"api/http.ts"}


def test_pages_and_components_ask_by_hooks() -> None:
    imports = re.compile(r'^import (type )?.*from "\.\./api/(\w+)";$', re.M)
    reached = {
        (path.name, found[2])
        for folder in ("pages", "components")
        for path in (SOURCE / folder).glob("*.ts*")
        for found in imports.finditer(path.read_text("utf-8"))
        if not (found[1] and found[2] == "wire")
    }
    assert reached == set()
