"""Every failure has the one error shape: wrong paths, wrong bodies, bugs, no database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from outage import FOREVER, Limits
from support import JSON, Api, Member, refused, serving, untraced

ORIGIN = "http://localhost:3000"
HOST = "http://localhost:4567"
COMPOSED_LATER = r"e\u0301" * 280
"""280 characters, as soon as they are composed."""


async def at(http: httpx.AsyncClient, path: str, method: str = "GET") -> httpx.Response:
    """Request exactly this path; httpx would parse `//api` as a host."""
    return await http.request(method, f"{HOST}{path}", headers={"Origin": ORIGIN})


@pytest.mark.rule("C5")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "//api",
        "/api//activities/home",
        "/api/activities/home/",
        "/api/health-check/",
        "/api/activities/not-a-uuid",
        "/api/activities/@andrewbrown/status/1",
        "/api/activities/0198D5F2-0000-7000-8000-00000000000",
        "/api/%00",
        "/api/%FF%FE",
        "/api/activities/@%ED%A0%80",
        "/api/activities/@%00",
        "/api/users/@%C0%AF/short",
        "/.env",
        "/api/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/app.js",
        "/favicon.ico",
        "/api/" + "x" * 20_000,
        "/api/activities/@" + "x" * 20_000,
        "/api/activities/home;jsessionid=1",
        "/API/ACTIVITIES/HOME",
    ],
)
async def test_an_unknown_path_returns_404(http: httpx.AsyncClient, path: str) -> None:
    response = await at(http, path)
    assert response.status_code == 404
    assert refused(response) == ["not_found"]
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.rule("C5")
async def test_any_method_on_an_unknown_path_returns_404(http: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
        response = await at(http, "/api/nowhere", method)
        assert response.status_code == 404
        assert refused(response) == ["not_found"]


@pytest.mark.rule("C8")
@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/activities/home", "POST", {"GET", "HEAD", "OPTIONS"}),
        ("/api/activities/home", "DELETE", {"GET", "HEAD", "OPTIONS"}),
        ("/api/activities", "GET", {"POST", "OPTIONS"}),
        ("/api/activities", "HEAD", {"POST", "OPTIONS"}),
        ("/api/profile/update", "GET", {"POST", "PUT", "OPTIONS"}),
        ("/api/messages", "PATCH", {"POST", "OPTIONS"}),
        ("/api/health-check", "TRACE", {"GET", "HEAD", "OPTIONS"}),
        ("/api/health-check", "PROPFIND", {"GET", "HEAD", "OPTIONS"}),
        ("/api/auth/me", "POST", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("/openapi.json", "POST", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_a_wrong_method_returns_405_with_allow(
    app: Quart, http: httpx.AsyncClient, path: str, method: str, allowed: set[str]
) -> None:
    status, headers, body = await raw(app, method=method, path=path)
    assert (status, body) == (405, b'["method_not_allowed"]')
    assert set(headers["allow"].split(", ")) == allowed
    assert headers["content-type"] == "application/json"


async def raw(app: Quart, **changes: Any) -> tuple[int, dict[str, str], bytes]:
    """Call the application with a custom ASGI scope."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "2",
        "method": "GET",
        "scheme": "http",
        "path": "/api/activities/home",
        "raw_path": b"/api/activities/home",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost:4567")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 4567),
        "extensions": {},
        **changes,
    }
    sent: list[Any] = []
    waiting = asyncio.Event()
    body = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if not body:
            await waiting.wait()
        return body.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:])


@pytest.mark.parametrize(
    ("query", "expect"),
    [
        (b"limit=\xff", 422),
        (b"\xff=\xff", 200),
        (b"limit=%FF", 422),
        (b"cursor=%ED%A0%80", 422),
        (b"&&&===&", 200),
        (b"limit=1&limit=0", 200),
        (b"x=" + b"y" * 50_000, 200),
    ],
)
async def test_an_odd_query_is_not_a_server_error(
    app: Quart, database: asyncpg.Connection, query: bytes, expect: int
) -> None:
    status, _, body = await raw(app, query_string=query)
    assert status == expect, body


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"\xff\xfe")],
        [(b"authorization", b"Bearer \xff\xfe")],
        [(b"cookie", b"\xff\xfe=\x00; ;;=")],
        [(b"if-none-match", b'\xff,W/,"')],
        [(b"content-length", b"many")],
        [(b"content-length", b"-1")],
        [(b"content-type", b"\xff/\xfe; charset=\xff")],
        [(b"origin", b"\xff\xfe")],
        [(b"host", b"\xff\xfe")],
        [(b"host", b"[::1")],
        [(b"range", b"bytes=9-1")],
        [(b"accept", b"text/html")],
        [(b"x-forwarded-for", b"\xff" * 5000)],
    ],
)
async def test_odd_headers_are_not_a_server_error(
    app: Quart, database: asyncpg.Connection, headers: list[tuple[bytes, bytes]]
) -> None:
    status, answered, body = await raw(app, headers=headers)
    assert (status, body) == (200, b"[]")
    assert answered["content-type"] == "application/json"


@pytest.mark.rule("C14")
async def test_head_returns_the_headers_of_get(http: httpx.AsyncClient, andrew: Member) -> None:
    """The server drops the body; the application must not fail or differ."""
    await andrew.crud()
    for path in ("/api/activities/home", "/api/health-check", "/.well-known/jwks.json"):
        head, full = await http.head(path), await http.get(path)
        assert head.status_code == 200
        for name in ("content-type", "content-length", "etag", "cache-control", "vary"):
            assert head.headers.get(name) == full.headers.get(name)
    missing = await http.head("/api/nowhere")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/json")


async def test_an_asterisk_is_not_a_path(app: Quart) -> None:
    status, _, body = await raw(app, path="*", raw_path=b"*")
    assert (status, body) == (404, b'["not_found"]')


async def test_any_path_and_method_accepts_a_preflight_request(http: httpx.AsyncClient) -> None:
    for path in ("/api/activities", "/api/auth/me", "/api/avatars/uploads/x", "/api/ready"):
        headers = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        response = await http.options(path, headers=headers)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert "PUT" in response.headers["access-control-allow-methods"]
        assert response.headers["access-control-max-age"] == "7200"


async def test_a_foreign_origin_gets_a_response_without_cors_headers(
    http: httpx.AsyncClient,
) -> None:
    for path in ("/api/activities/home", "/api/nowhere"):
        response = await http.get(path, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.rule("C12")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"message": "\xff"}',
        b'{"message": "\\ud800"}',
        b'{"message": "a" "b"}',
        b"[]",
        b"null",
        b'"message"',
        b"17",
        b"NaN",
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b'\xef\xbb\xbf{"message": "x"}',
        '{"message": "x"}'.encode("utf-16"),
    ],
    ids=range(16),
)
async def test_a_body_that_is_not_a_json_object_is_malformed(andrew: Member, body: bytes) -> None:
    response = await andrew.request(
        "POST", "/api/activities", content=body, headers=JSON, expect=400
    )
    assert response.json() == ["invalid_json"]


@pytest.mark.rule("C12")
@pytest.mark.parametrize(
    "fields",
    [
        '"message": 5, "message": "tea", "ttl": "1-day"',
        '"message": "", "message": "tea", "ttl": "1-day"',
        '"message": "tea", "ttl": "never", "t\\u0074l": "1-day"',
        f'"message": "{"x" * 281}", "message": "cafe\\u0301", "ttl": "1-day"',
        f'"message": "{COMPOSED_LATER}", "ttl": "never", "ttl": "1-day"',
        '"message": "tea", "ttl": "1-day", "pictures": 1, "pictures": []',
        f'"message": "tea", "ttl": "1-day", "pictures": [{{"uuid": 1, "uuid": "{UUID(int=1)}"}}]',
    ],
    ids=range(7),
)
async def test_a_wrong_value_is_an_error_although_the_field_has_a_right_one_too(
    andrew: Member, fields: str
) -> None:
    content = f"{{{fields}}}".encode()
    response = await andrew.request(
        "POST", "/api/activities", content=content, headers=JSON, expect=400
    )
    assert response.json() == ["invalid_json"]


@pytest.mark.rule("C12")
@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "text/html", "application/x-www-form-urlencoded", "json"]
)
async def test_a_body_of_another_content_type_is_not_read(andrew: Member, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    body = b'{"message": "x", "ttl": "1-day"}'
    response = await andrew.request(
        "POST", "/api/activities", content=body, headers=headers, expect=415
    )
    assert response.json() == ["unsupported_media_type"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/ld+json"])
async def test_other_json_media_types_are_accepted(andrew: Member, kind: str) -> None:
    body = b'{"message": "x", "ttl": "1-day"}'
    await andrew.request("POST", "/api/activities", content=body, headers={"Content-Type": kind})


@pytest.mark.rule("C12")
async def test_a_body_of_more_than_64_kib_is_too_large(andrew: Member) -> None:
    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b" " * 1024

    for body in (b" " * (64 * 1024 + 1), in_parts()):
        response = await andrew.request(
            "POST", "/api/activities", content=body, headers=JSON, expect=413
        )
        assert response.json() == ["payload_too_large"]
    body = b'{"message": "x", "ttl": "1-day"}'.ljust(64 * 1024)
    await andrew.request("POST", "/api/activities", content=body, headers=JSON)


@pytest.mark.rule("C17")
async def test_the_token_is_checked_before_the_body(api: Api) -> None:
    """A visitor learns nothing about the expected body."""
    for options in ({"content": b"{"}, {"json": {}}, {"content": b"x", "headers": JSON}):
        await api.request("POST", "/api/activities", expect=401, **options)


@pytest.mark.rule("C9")
async def test_an_internal_error_reveals_no_details(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    application = create_app(settings)

    @application.get("/api/broken")
    async def broken() -> str:
        raise RuntimeError("the secret is 42")

    @application.get("/api/broken-later")
    async def broken_later() -> AsyncIterator[bytes]:
        raise KeyError("the secret is 42")

    async with serving(application) as api:
        for path in ("/api/broken", "/api/broken-later"):
            response = await api.request("GET", path, headers={"Origin": ORIGIN}, expect=500)
            assert response.content == b'["generic_500"]'
            assert response.headers["access-control-allow-origin"] == ORIGIN
            assert response.headers["cache-control"] == "no-store"
            assert "42" not in str(untraced(response))
    assert "the secret is 42" in caplog.text


@asynccontextmanager
async def closed(server_dsn: str, name: str) -> AsyncIterator[None]:
    """Reject connections to the database, and terminate the existing ones."""
    conn = await asyncpg.connect(server_dsn)
    try:
        await conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await conn.close()


@pytest.mark.rule("C7", "C66")
async def test_without_its_database_the_service_returns_503_and_recovers(
    settings: Settings, server_dsn: str, make_database: Callable[..., Any]
) -> None:
    dsn: str = await make_database()
    name = dsn.partition("?")[0].rpartition("/")[2]
    application = create_app(replace(settings, connection_url=dsn))
    conn = await asyncpg.connect(dsn)
    async with serving(application) as api:
        andrew = await Member.enter(api, conn, application, "andrewbrown", "Andrew Brown")
        await conn.close()
        await andrew.crud()
        assert await api.get("/api/ready") == {"success": True, "database": "ok"}
        async with closed(server_dsn, name):
            # Several at once, and twice, because the pool's connections fail one by one.
            for _ in range(2):
                responses = await asyncio.gather(
                    *(
                        andrew.http.request(
                            method, path, json=body, headers={**andrew.headers, "Origin": ORIGIN}
                        )
                        for method, path, body in (
                            ("GET", "/api/activities/home", None),
                            ("GET", "/api/message_groups", None),
                            ("GET", "/api/ready", None),
                            ("GET", "/api/users/@andrewbrown/short", None),
                            ("POST", "/api/activities", {"message": "x", "ttl": "1-day"}),
                            ("POST", "/api/auth/signin", {"email": "x", "password": "y"}),
                        )
                    )
                )
                for response in responses:
                    assert response.status_code == 503
                    assert refused(response) == ["unavailable"]
                    assert response.headers["access-control-allow-origin"] == ORIGIN
            assert await api.get("/api/health-check") == {"success": True, "ver": 1}
            await api.get("/api/nowhere", expect=404)
        assert await api.get("/api/ready") == {"success": True, "database": "ok"}
        assert len(await andrew.get("/api/activities/home")) == 1


async def test_broken_connections_are_replaced(
    settings: Settings, make_database: Callable[..., Any], server_dsn: str
) -> None:
    dsn: str = await make_database()
    name = dsn.partition("?")[0].rpartition("/")[2]
    async with serving(create_app(replace(settings, connection_url=dsn))) as api:
        await api.get("/api/ready")
        async with closed(server_dsn, name):
            pass
        responses = [(await api.http.get("/api/ready")).status_code for _ in range(3)]
        # The first request may hit a broken connection that was not noticed yet.
        assert responses[1:] == [200, 200]


async def test_a_slow_statement_is_cancelled(
    settings: Settings,
    andrew: Member,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = Limits(monkeypatch)
    app = create_app(replace(settings, statement_timeout=FOREVER))
    async with serving(app) as api:
        async with app.extensions["cruddur"].database.connection() as conn:
            assert await conn.fetchval("SHOW statement_timeout") == "1h"
        async with database.transaction():
            await database.execute("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE")
            await limits.statements(app, 0.2)
            assert await api.get("/api/activities/home", expect=503) == ["unavailable"]
            await limits.statements(app, FOREVER)
        assert await api.get("/api/activities/home") == []


async def test_an_exhausted_pool_returns_503(
    settings: Settings, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(monkeypatch)
    application = create_app(replace(settings, pool_size=1))
    async with serving(application) as api:
        async with application.extensions["cruddur"].database.connection():
            limits.acquire(0.2)
            assert await api.get("/api/activities/home", expect=503) == ["unavailable"]
            await api.get("/api/health-check")
            await api.get("/api/ready")
        limits.acquire(FOREVER)
        await api.get("/api/activities/home")
