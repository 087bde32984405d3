"""Cross-origin requests: which origins may call the API and read its responses."""

import dataclasses
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from quart import Quart
from werkzeug.routing import Rule

from cruddur.app import create_app
from cruddur.settings import Settings
from support import JSON, Api, Member

FRONTEND = "http://localhost:3000"
BACKEND = "http://localhost:4567"
STRANGER = "https://example.com"

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
HEADERS = {
    "authorization",
    "content-type",
    "accept",
    "if-modified-since",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "traceparent",
    "tracestate",
}
EXPOSED = {
    "location",
    "link",
    "etag",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "traceresponse",
    "server-timing",
    "x-request-id",
}


def names(response: httpx.Response, header: str) -> set[str]:
    """Return the names that a header lists."""
    return {name.strip() for name in response.headers.get(header, "").split(",") if name.strip()}


def path_of(rule: Rule) -> str:
    return re.sub(r"<uuid:\w+>", str(uuid4()), re.sub(r"<\w+>", "something", rule.rule))


async def preflight(api: Api, path: str, method: str, origin: str = FRONTEND) -> httpx.Response:
    return await api.request(
        "OPTIONS",
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ", ".join(sorted(HEADERS)),
        },
    )


def shared_with(response: httpx.Response, origin: str) -> None:
    """Check that a page of the origin may read the response and its headers."""
    assert response.headers["access-control-allow-origin"] == origin
    assert names(response, "access-control-expose-headers") == EXPOSED
    if origin == "*":
        assert "access-control-allow-credentials" not in response.headers
    else:
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in names(response, "vary")


def shared_with_nobody(response: httpx.Response) -> None:
    assert [name for name in response.headers if name.startswith("access-control-")] == []
    assert "Origin" in names(response, "vary")


@pytest.mark.rule("C13")
async def test_every_route_answers_preflight_requests(api: Api, app: Quart) -> None:
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 40
    for rule in rules:
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            response = await preflight(api, path_of(rule), method)
            shared_with(response, FRONTEND)
            assert names(response, "access-control-allow-methods") == METHODS
            assert names(response, "access-control-allow-headers") == HEADERS
            assert response.headers["access-control-max-age"] == "7200"


async def test_a_header_that_is_not_listed_is_not_allowed(api: Api) -> None:
    asked = {
        "Origin": FRONTEND,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "content-type, x-secret",
    }
    response = await api.request("OPTIONS", "/api/activities/home", headers=asked)
    assert names(response, "access-control-allow-headers") == {"content-type"}
    asked["Access-Control-Request-Method"] = "TRACE"
    response = await api.request("OPTIONS", "/api/activities/home", headers=asked)
    assert "access-control-allow-methods" not in response.headers


@pytest.mark.parametrize("origin", [FRONTEND, BACKEND])
async def test_our_own_pages_may_read_responses(andrew: Member, origin: str) -> None:
    crud = await andrew.crud()
    path = f"/api/activities/{crud['uuid']}"
    own = {"Origin": origin}
    first = await andrew.request("GET", path, headers=own)
    known = {**own, "If-None-Match": first.headers["etag"]}
    for response in (
        first,
        await andrew.request("GET", path, headers=known, expect=304),
        await andrew.request("PUT", f"{path}/like", headers=own),
        await andrew.request("DELETE", path, headers=own),
    ):
        shared_with(response, origin)


@pytest.mark.rule("C13")
async def test_our_own_pages_may_read_errors_too(
    api: Api, andrew: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"Origin": FRONTEND}
    posts = [(415, b"", {}), (400, b"{", JSON), (422, b"{}", JSON), (413, b" " * 70000, JSON)]
    failures = [
        await andrew.request(
            "POST", "/api/activities", content=content, headers={**own, **headers}, expect=status
        )
        for status, content, headers in posts
    ]
    for method, path, status in (
        ("GET", "/api/nowhere", 404),
        ("GET", "/", 404),
        ("GET", f"/api/activities/{uuid4()}", 404),
        ("DELETE", "/api/activities/home", 405),
        ("GET", "/api/auth/me", 401),
    ):
        failures.append(await api.request(method, path, headers=own, expect=status))

    async def fail(*_: Any) -> None:
        raise RuntimeError("the warp core is breached")

    monkeypatch.setattr("cruddur.services.activities.home", fail)
    broken = await api.request("GET", "/api/activities/home", headers=own, expect=500)
    assert broken.json() == ["generic_500"]
    for response in (*failures, broken):
        shared_with(response, FRONTEND)


@pytest.mark.rule("C13")
@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "null",
        "http://localhost",
        "http://localhost:30000",
        "https://localhost:3000",
        "http://LOCALHOST:3000",
        "http://localhost:3000.example.com",
        f"{FRONTEND}/",
        "*",
    ],
)
async def test_other_origins_may_not_read_responses(api: Api, andrew: Member, origin: str) -> None:
    for response in (
        await preflight(api, "/api/activities", "POST", origin),
        await api.request("GET", "/api/activities/home", headers={"Origin": origin}),
        await api.request("GET", "/api/nowhere", headers={"Origin": origin}, expect=404),
        # The original service let any origin write.
        await andrew.request(
            "POST",
            "/api/activities",
            json={"message": "hello", "ttl": "1-day"},
            headers={"Origin": origin},
        ),
    ):
        shared_with_nobody(response)


async def test_a_request_without_an_origin_gets_no_cors_headers(api: Api) -> None:
    shared_with_nobody(await api.request("GET", "/api/activities/home"))
    shared_with_nobody(await api.request("OPTIONS", "/api/activities/home"))


def with_origins(settings: Settings, frontend: str, backend: str) -> Api:
    """The API of an application with these origins, not started and without a database."""
    app = create_app(dataclasses.replace(settings, frontend_url=frontend, backend_url=backend))
    transport = httpx.ASGITransport(app=app)
    return Api(httpx.AsyncClient(transport=transport, base_url="http://localhost"))


@pytest.mark.parametrize("urls", [("*", "*"), ("*", BACKEND), (FRONTEND, "*")])
async def test_a_wildcard_allows_all_origins_without_credentials(
    settings: Settings, urls: tuple[str, str]
) -> None:
    api = with_origins(settings, *urls)
    async with api.http:
        response = await preflight(api, "/api/activities", "POST", STRANGER)
        shared_with(response, "*")
        assert names(response, "access-control-allow-methods") == METHODS
        health = await api.request("GET", "/api/health-check", headers={"Origin": STRANGER})
        shared_with(health, "*")
        lost = await api.request("GET", "/nowhere", headers={"Origin": "null"}, expect=404)
        shared_with(lost, "*")


async def test_only_the_configured_origins_are_allowed(settings: Settings) -> None:
    frontend, backend = "https://3000-cruddur.gitpod.example", "https://api.cruddur.example"
    api = with_origins(settings, f"{frontend}/", backend)
    async with api.http:
        for origin in (frontend, backend):
            shared_with(await preflight(api, "/api/activities", "PUT", origin), origin)
        shared_with_nobody(await preflight(api, "/api/activities", "PUT", FRONTEND))
