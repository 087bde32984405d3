"""The front end served by the application: pages, files, and unknown paths."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from quart import Quart

from cruddur.app import create_app
from cruddur.routes.pages import FEED_RULE, PAGES
from cruddur.settings import Settings, SettingsError
from cruddur.telemetry.pipeline import Telemetry
from support import BUILD, refused, visiting

INDEX = BUILD["index.html"]
SCRIPT, STYLE, FONT = (f"/{name}" for name in BUILD if name.startswith("assets/"))
UUID = "0195f2a0-0000-7000-8000-000000000000"
# The Accept header of Firefox for a page.
VISIT = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
CANARY = "today-is-a-good-day"


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    """All spans that ended."""
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
async def site(
    worker_settings: Settings, build: Path, spans: InMemorySpanExporter
) -> AsyncIterator[Quart]:
    """The application with a front end, started."""
    settings = replace(worker_settings, frontend_directory=str(build))
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(spans)])
    app = create_app(settings, telemetry)
    async with app.test_app():
        yield app


@pytest.fixture
async def browser(site: Quart, spans: InMemorySpanExporter) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends the headers of a browser."""
    async with visiting(site) as api:
        api.http.headers.update(VISIT)
        spans.clear()
        yield api.http


def filled(rule: str) -> str:
    return (
        rule.replace("<handle>", "andrewbrown")
        .replace("<uuid:uuid>", UUID)
        .replace("<uuid:message_group_uuid>", UUID)
    )


async def test_a_page_has_the_shell_of_its_layout(
    worker_settings: Settings, tmp_path: Path
) -> None:
    shells = (
        "<!-- shell: pages -->\n<i>columns</i><!-- /shell --><!-- shell: account --><b>form</b>"
    )
    (tmp_path / "index.html").write_text(f"<body>{shells}<!-- /shell --></body>")
    app = create_app(replace(worker_settings, frontend_directory=str(tmp_path)))
    async with app.test_app(), visiting(app) as api:
        api.http.headers.update(VISIT)
        for path in ("/signup", "/confirm", "/signin", "/forgot/", "/reset"):
            assert (await api.http.get(path)).text == "<body><b>form</b></body>"
        for path in ("/", "/settings", "/@signin"):
            assert (await api.http.get(path)).text == "<body>\n<i>columns</i></body>"
        assert (await api.http.get("/nowhere")).text == "<body>\n<i>columns</i></body>"


def assert_page(response: httpx.Response, status: int = 200) -> None:
    assert response.status_code == status
    assert response.text == INDEX
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-robots-tag"] == "noarchive"
    assert "etag" not in response.headers
    policy = response.headers["content-security-policy"].split("; ")
    assert policy == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in response.headers["permissions-policy"]


@pytest.mark.parametrize("rule", [rule for rule in PAGES if not rule.startswith("/@")])
async def test_a_page_returns_the_index_and_names_its_span(
    browser: httpx.AsyncClient, spans: InMemorySpanExporter, rule: str
) -> None:
    assert_page(await browser.get(filled(rule)))
    assert_page(await browser.get(filled(rule), headers={"Accept": "*/*"}))
    assert_page(await browser.get(filled(rule).rstrip("/") + "/"))
    servers = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    assert {span.name for span in servers} == {f"GET {rule}"}


def test_the_front_end_has_no_other_routes(site: Quart) -> None:
    routes = [rule.rule for rule in site.url_map.iter_rules() if "pages." in rule.endpoint]
    files = [f"/{name}" for name in BUILD if "/" not in name and name != "index.html"]
    assert sorted(routes) == sorted([*PAGES, *files, FEED_RULE, "/assets/<path:asset>"])


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        (SCRIPT, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        (STYLE, "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        (FONT, "font/woff2", "public, max-age=31536000, immutable"),
        ("/icon.svg", "image/svg+xml", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/robots.txt", "text/plain; charset=utf-8", "no-cache"),
    ],
)
async def test_a_file_has_its_type_and_cache_control(
    browser: httpx.AsyncClient, path: str, kind: str, cache: str
) -> None:
    response = await browser.get(path)
    assert response.status_code == 200
    assert response.text == BUILD[path[1:]]
    assert response.headers["content-type"] == kind
    assert response.headers["cache-control"] == cache
    assert response.headers["x-content-type-options"] == "nosniff"

    head = await browser.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for header in ("content-type", "content-length", "etag", "cache-control"):
        assert head.headers[header] == response.headers[header]

    tag = {"If-None-Match": response.headers["etag"]}
    again = await browser.get(path, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == response.headers["etag"]
    assert again.headers["cache-control"] == cache
    assert (await browser.get(path, headers={"If-None-Match": '"another"'})).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("br", False),
        ("identity", False),
        ("gzip;q=0, *", False),
        ("", False),
    ],
)
async def test_text_is_compressed_for_clients_that_accept_it(
    browser: httpx.AsyncClient, accepted: str, is_packed: bool
) -> None:
    for path in ("/", SCRIPT, "/icon.svg"):
        response = await browser.get(path, headers={"Accept-Encoding": accepted})
        assert (response.headers.get("content-encoding") == "gzip") == is_packed
        text = BUILD[path[1:] or "index.html"]
        assert response.text == text
        assert (int(response.headers["content-length"]) < len(text) / 2) == is_packed
        assert "Accept-Encoding" in response.headers["vary"]


async def test_incompressible_files_are_not_compressed(browser: httpx.AsyncClient) -> None:
    for path in (FONT, "/robots.txt"):
        response = await browser.get(path, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in response.headers
        assert "Accept-Encoding" not in response.headers.get("vary", "")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/nowhere/at/all",
        "/index.html",
        "/signin/now",
        "/@andrewbrown/status/1",
        "/apiary",
        "/..%2f..%2fetc%2fpasswd",
    ],
)
async def test_an_unknown_address_returns_the_page_with_404(
    browser: httpx.AsyncClient, path: str
) -> None:
    assert_page(await browser.get(path), 404)
    head = await browser.head(path)
    assert (head.status_code, head.content) == (404, b"")
    assert head.headers["content-type"] == "text/html; charset=utf-8"
    for accept in ("*/*", "application/json", "text/html;q=0", "image/avif,image/*;q=0.8"):
        response = await browser.get(path, headers={"Accept": accept})
        assert response.status_code == 404
        assert refused(response) == ["not_found"]
    for method in ("POST", "PUT", "DELETE"):
        response = await browser.request(method, path)
        assert response.status_code == 404
        assert refused(response) == ["not_found"]


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "//api/nowhere",
        "/api/nowhere",
        "/api/activities/not-a-uuid",
        f"/api/activities/{UUID}",
        "/avatars/nowhere",
        "/.well-known/nowhere",
        "/assets",
        "/assets/",
        "/assets/index-00000000.js",
        "/assets/..%2findex.html",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets//etc/passwd",
    ],
)
async def test_api_clients_never_get_a_page(browser: httpx.AsyncClient, path: str) -> None:
    response = await browser.get(f"http://localhost:4567{path}")
    assert response.status_code == 404
    assert refused(response) == ["not_found"]
    assert response.headers["cache-control"] == "no-store"


async def test_pages_and_files_accept_only_get_and_head(browser: httpx.AsyncClient) -> None:
    for path in ("/", "/signin", "/@andrewbrown", "/@andrewbrown/feed.atom", "/icon.svg", SCRIPT):
        response = await browser.post(path)
        assert response.status_code == 405
        assert refused(response) == ["method_not_allowed"]
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_the_api_is_the_same_with_a_front_end(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/health-check")).json()["success"] is True
    assert (await browser.get("/api/activities/home")).json() == []
    assert (await browser.get("/docs")).headers["content-type"].startswith("text/html")
    assert (await browser.patch("/api/activities")).status_code == 405


async def test_without_a_front_end_unknown_paths_return_json(http: httpx.AsyncClient) -> None:
    for path in ("/", "/signin", "/nowhere", SCRIPT):
        response = await http.get(path, headers=VISIT)
        assert response.status_code == 404
        assert refused(response) == ["not_found"]


async def test_no_log_line_or_span_contains_the_query_of_a_page(
    browser: httpx.AsyncClient, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="cruddur.request")
    for path in ("/search", "/confirm", "/nowhere", SCRIPT):
        await browser.get(f"{path}?term={CANARY}&email={CANARY}")
    told = caplog.text + "".join(str(vars(line)) for line in caplog.records)
    told += "".join(span.to_json() for span in spans.get_finished_spans())
    assert "GET /search 200" in told
    assert "GET /nowhere 404" in told
    assert CANARY not in told


async def test_existing_files_are_logged_at_debug_level(
    browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="cruddur.request")
    tag = (await browser.get(SCRIPT)).headers["etag"]
    await browser.get(SCRIPT, headers={"If-None-Match": tag})
    await browser.get("/assets/gone.js")
    await browser.get("/about")
    lines = [line for line in caplog.records if line.name == "cruddur.request"]
    assert [line.levelname for line in lines] == ["DEBUG", "DEBUG", "INFO", "INFO"]
    facts: Any = lines[2]
    assert facts.fields["url.path"] == "/assets/gone.js"


def test_a_directory_without_an_index_is_rejected(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SettingsError, match=r"^CRUDDUR_FRONTEND_DIRECTORY has no index\.html"):
            Settings.from_env({"CRUDDUR_FRONTEND_DIRECTORY": str(directory)})
