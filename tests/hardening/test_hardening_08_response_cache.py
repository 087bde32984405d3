"""A cached response depends only on its key, and a repeated header has one meaning."""

from dataclasses import replace

import httpx
import pytest
from quart import Quart, Response, request

from cruddur.app import ENDPOINTS, create_app
from cruddur.settings import Settings
from support import Api, Member, refused, serving, untraced

RULES = [one for one in ENDPOINTS if one.cached and one.access == "optional"]
PAGE = "http://localhost:3000"
# For each request header that may change a response: one value that does, and another one.
VARYING = {
    "Accept-Encoding": ("gzip", "identity"),
    "Authorization": ("Bearer nonsense", "Bearer other nonsense"),
    "Content-Type": ("application/json", "text/plain"),
    "Origin": (PAGE, "http://evil.example"),
}
# Headers that these responses ignore, with values that have an effect elsewhere.
IGNORED = {
    "Accept": "text/html",
    "Accept-Language": "tlh",
    "Access-Control-Request-Headers": "authorization",
    "Access-Control-Request-Method": "DELETE",
    "Cookie": "cruddur_refresh=stolen; session=stolen",
    "Forwarded": "for=192.0.2.1;host=evil.example;proto=https",
    "Host": "evil.example",
    "Idempotency-Key": "a",
    "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT",
    "Last-Event-ID": "1",
    "Range": "bytes=0-1",
    "Remote-Addr": "192.0.2.1",
    "User-Agent": "curl/8",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Proto": "https",
    "X-HTTP-Method-Override": "DELETE",
}
STORED = 3
"""The number of requests after which a response is cached."""


async def path_of(rule: str, member: Member) -> str:
    crud = await member.crud("something to find")
    path = rule.replace("<handle>", member.handle).replace("<uuid:uuid>", crud["uuid"])
    return f"{path}?term=find" if path.endswith("search") else path


def shown(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = untraced(response)
    for name in ("ratelimit", "ratelimit-policy"):  # which count, for each address
        headers.pop(name, None)
    return response.status_code, headers, response.content


@pytest.mark.parametrize("header", VARYING)
@pytest.mark.parametrize("rule", [one.rule for one in RULES])
async def test_hardening_08_a_repeated_header_changes_no_cached_response(
    api: Api, andrew: Member, rule: str, header: str
) -> None:
    path = await path_of(rule, andrew)
    honest: list[list[tuple[str, str]]] = [[], *([(header, value)] for value in VARYING[header])]
    before = [shown(await api.http.get(path, headers=headers)) for headers in honest]
    first, second = VARYING[header]
    for pair in ((first, second), (second, first), (first, first), (second, second)):
        for _ in range(STORED):
            doubtful = await api.http.get(path, headers=[(header, value) for value in pair])
            assert doubtful.status_code == before[1][0]
            if header != "Authorization":  # with it, no response is cached
                assert doubtful.headers.get("access-control-allow-origin") is None
    for _ in range(STORED):
        after = [shown(await api.http.get(path, headers=headers)) for headers in honest]
        assert after == before


async def test_hardening_08_a_repeated_origin_does_not_take_cors_from_a_page(
    api: Api, andrew: Member
) -> None:
    await andrew.crud()
    for _ in range(STORED):
        await api.http.get(
            "/api/activities/home", headers=[("Origin", "http://evil.example"), ("Origin", PAGE)]
        )
    response = await api.request("GET", "/api/activities/home", headers={"Origin": PAGE})
    assert response.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("rule", [one.rule for one in RULES])
async def test_hardening_08_other_headers_change_nothing(
    api: Api, andrew: Member, rule: str
) -> None:
    path = await path_of(rule, andrew)
    plain = shown(await api.http.get(path))
    for name, value in IGNORED.items():
        for headers in ([(name, value)], [(name, value), (name, "other")], []):
            assert shown(await api.http.get(path, headers=headers)) == plain, name


async def test_hardening_08_what_a_trusted_proxy_adds_changes_nothing(
    settings: Settings, andrew: Member
) -> None:
    path = await path_of("/api/activities/@<handle>", andrew)
    async with serving(create_app(replace(settings, trusted_hops=1))) as behind:
        plain = shown(await behind.http.get(path))
        for name in ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"):
            for values in (("evil.example",), ("one", "two"), ()):
                headers = [(name, value) for value in values]
                assert shown(await behind.http.get(path, headers=headers)) == plain, name


async def test_hardening_08_the_tests_cover_every_header_in_vary(api: Api, andrew: Member) -> None:
    varying = set()
    for one in RULES:
        response = await api.request("GET", await path_of(one.rule, andrew))
        names = {name.strip() for name in response.headers["vary"].split(",")}
        assert names == {"Accept-Encoding", "Authorization", "Origin", *one.vary}, one.rule
        varying |= names
    assert varying == set(VARYING)


async def test_hardening_08_a_header_that_no_rule_declares_reaches_no_cached_response(
    settings: Settings,
) -> None:
    application = create_app(settings)

    @application.after_request
    async def echo(response: Response) -> Response:
        """Simulate a careless change."""
        told = {**request.headers, "Address": request.remote_addr or ""}
        response.headers["X-Echo"] = " ".join(
            f"{name}={value}" for name, value in told.items() if "secret" in value
        )
        return response

    async with serving(application) as api:
        secrets = {"Accept-Language": "a secret", "X-Anything": "another secret"}
        for _ in range(STORED):
            response = await api.request("GET", "/api/activities/home", headers=secrets)
            assert response.headers["x-echo"] == ""
        health = await api.request("GET", "/api/health-check", headers=secrets)
        assert "another secret" in health.headers["x-echo"], "the response is not cached"


async def test_hardening_08_two_tokens_count_as_none(andrew: Member, bayko: Member) -> None:
    crud = await andrew.crud()
    for pair in ((andrew, bayko), (bayko, andrew), (andrew, andrew)):
        both = [("Authorization", one.headers["Authorization"]) for one in pair]
        response = await andrew.http.get("/api/auth/me", headers=both)
        assert response.status_code == 401
        assert refused(response) == ["generic_401"]
        response = await andrew.http.post(
            "/api/activities", headers=both, json={"message": "whose?", "ttl": "1-hour"}
        )
        assert response.status_code == 401
        [seen] = (await andrew.http.get("/api/activities/home", headers=both)).json()
        assert seen["uuid"] == crud["uuid"]
        assert "liked" not in seen, "the client counts as anonymous"


async def test_hardening_08_two_idempotency_keys_are_refused(andrew: Member) -> None:
    keys = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    response = await andrew.http.post(
        "/api/activities",
        headers=[*andrew.headers.items(), *keys],
        json={"message": "once", "ttl": "1-hour"},
    )
    assert response.status_code == 422
    assert refused(response) == ["idempotency_key_invalid"]


async def test_hardening_08_two_types_of_a_body_are_refused(andrew: Member) -> None:
    for types in (("application/json", "text/plain"), ("text/plain", "application/json")):
        response = await andrew.http.post(
            "/api/activities",
            headers=[*andrew.headers.items(), *(("Content-Type", one) for one in types)],
            content=b'{"message": "which?", "ttl": "1-hour"}',
        )
        assert response.status_code == 415
        assert refused(response) == ["unsupported_media_type"]


async def test_hardening_08_the_lines_of_a_cookie_and_of_a_list_are_all_read(
    api: Api, app: Quart, andrew: Member
) -> None:
    await andrew.crud()
    etag = (await api.request("GET", "/api/activities/home?limit=7")).headers["etag"]
    tags = [("If-None-Match", '"another"'), ("If-None-Match", etag)]
    for _ in range(STORED):
        response = await api.http.get("/api/activities/home?limit=7", headers=tags)
        assert response.status_code == 304
    # A browser on HTTP/2 sends each cookie in a separate line.
    crumbs = [("Cookie", "other=1"), ("Cookie", "cruddur_refresh=unknown")]
    response = await api.http.post("/api/auth/signout", headers=crumbs)
    assert response.json() == {"status": "signed_out"}
    assert "cruddur_refresh=;" in response.headers["set-cookie"]
