"""What the front end and the backend must agree on: addresses, error codes, types."""

import re
from pathlib import Path

from cruddur.app import ENDPOINTS
from cruddur.errors import GENERIC_CODES
from cruddur.routes.openapi import refusals
from cruddur.routes.pages import PAGES

SOURCE = Path(__file__).parents[2] / "frontend-react-js" / "src"


def test_the_backend_serves_every_page_of_the_front_end() -> None:
    routes = re.findall(r'<Route path="([^"]+)"', (SOURCE / "App.tsx").read_text("utf-8"))
    pages = {
        route.replace(":at", "@<handle>").replace(":uuid", "<uuid:uuid>")
        for route in routes
        if route != "*"
    }
    assert pages == set(PAGES)
    assert "*" in routes


def test_every_error_code_has_a_sentence_and_vice_versa() -> None:
    sendable = set(GENERIC_CODES.values()) | {
        code for endpoint in ENDPOINTS for codes in refusals(endpoint).values() for code in codes
    }
    catalogue = "".join(
        (SOURCE / "language" / "en" / name).read_text("utf-8")
        for name in ("errors.ts", "moreErrors.ts")
    )
    http = (SOURCE / "api" / "http.ts").read_text("utf-8")
    declaration = re.search(r"^export type OwnCode =([^;]+);", http, re.M)
    assert declaration is not None
    own = set(re.findall(r'"(\w+)"', declaration[1]))  # the page itself detects these
    assert set(re.findall(r"^  (\w+):", catalogue, re.M)) == sendable | own


def test_only_the_api_uses_the_network() -> None:
    calls = re.compile(r"\b(?:fetch|XMLHttpRequest|EventSource|WebSocket|sendBeacon)\b(?=\()")
    callers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.ts*")
        if calls.search(path.read_text("utf-8"))
    }
    assert callers == {"api/http.ts", "api/upload.ts"}


def test_pages_and_components_call_the_api_only_through_hooks() -> None:
    imports = re.compile(r'^import (type )?.*from "(?:\.\./)+api/(\w+)";$', re.M)
    reached = {
        (path.name, found[2])
        for folder in ("pages", "components")
        for path in (SOURCE / folder).rglob("*.ts*")
        for found in imports.finditer(path.read_text("utf-8"))
        if not (found[1] and found[2] == "wire")
    }
    assert reached == set()
