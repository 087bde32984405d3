"""All routes: each is documented, declares its authentication, and has the one error shape."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from quart import Quart

from cruddur.app import BODY_BYTES, ENDPOINTS, create_app
from cruddur.routes import openapi
from cruddur.routes.endpoint import Endpoint
from cruddur.services.pictures import PICTURE_BYTES
from cruddur.settings import Settings
from support import Api, Member, refused

# The document, its page, and a page for setting up Rollbar.
UNDESCRIBED = {"/openapi.json", "/docs", "/rollbar/test"}
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.rule}"


def filled(rule: str, **values: str) -> str:
    """Fill in the parameters of a rule; by default with values that do not exist."""
    nothing = {"handle": "nobody", "token": "no-token", "subject": "nobody"}
    values = {**nothing, **values}
    return PARAMETER.sub(lambda match: values.get(match[2]) or str(uuid4()), rule)


def _routed(app: Quart) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if rule.rule in UNDESCRIBED or rule.endpoint.startswith("pages."):  # pages of the front end
            continue
        for method in rule.methods or ():
            # HEAD is GET without the body, and the framework answers OPTIONS.
            if method not in {"HEAD", "OPTIONS"}:
                yield f"{method} {rule.rule}"


@pytest.mark.rule("C16")
def test_every_route_is_declared_and_documented(
    app: Quart, worker_settings: Settings, build: Path
) -> None:
    routed = sorted(_routed(app))
    assert routed == sorted(map(named, ENDPOINTS))
    with_pages = create_app(replace(worker_settings, frontend_directory=str(build)))
    assert sorted(_routed(with_pages)) == routed
    described = [
        f"{method.upper()} {path}"
        for path, operations in openapi.describe(ENDPOINTS)["paths"].items()
        for method in operations
    ]
    assert sorted(described) == sorted(PARAMETER.sub(r"{\2}", route) for route in routed)
    assert {endpoint.access for endpoint in ENDPOINTS} == {"open", "optional", "required"}


@pytest.mark.rule("C8", "C17")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
async def test_a_visitor_is_rejected_exactly_where_a_member_is_required(
    endpoint: Endpoint, http: httpx.AsyncClient
) -> None:
    # A stream never ends, so only its headers are read.
    method = "HEAD" if endpoint.stream else endpoint.method
    response = await http.request(method, filled(endpoint.rule), json={})
    if endpoint.access == "required":
        assert response.status_code == 401
        assert method == "HEAD" or refused(response) == ["generic_401"]
        return
    # Refresh requires no token: its credential is the cookie, and so is its 401.
    allowed = {401} if 401 in endpoint.errors else set()
    assert response.status_code in {200, 403, 404, 422} | allowed
    if response.status_code >= 400:
        refused(response)


TOKENS = {
    "signed out, as sent by the final front end": "Bearer null",
    "two tokens": "Bearer a b",
    "another scheme": "Basic YTpi",
    "the scheme alone": "Bearer",
    "not a token": "Bearer not.a.token",
    "no key id": "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.eA",
    "nothing": "",
}


# All routes that require a token share the check, so one route is enough.
TRIED = [
    (endpoint, header)
    for endpoint in ENDPOINTS
    for header in TOKENS.values()
    if endpoint.access == "optional" or (endpoint.access == "required" and header == "Bearer a b")
]


@pytest.mark.rule("C18")
@pytest.mark.parametrize(
    ("endpoint", "header"), TRIED, ids=[f"{named(endpoint)} {header}" for endpoint, header in TRIED]
)
async def test_a_bad_token_counts_as_no_token(
    endpoint: Endpoint, header: str, http: httpx.AsyncClient
) -> None:
    query = {"term": "x"} if endpoint.rule.endswith("/search") else {}
    response = await http.request(
        endpoint.method, filled(endpoint.rule), params=query, headers={"Authorization": header}
    )
    is_refused = (
        endpoint.access == "required"
        or endpoint.stream
        or (endpoint.personal and header.count(".") == 2)
    )
    assert response.status_code in ({401} if is_refused else {200, 404})


@pytest.mark.rule("C13")
@pytest.mark.parametrize("path", ["/api/activities/home", "/api/activities", "/api/nowhere", "/"])
async def test_options_is_answered_everywhere_without_a_token(path: str, api: Api) -> None:
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "PUT"}
    response = await api.request("OPTIONS", path, headers=headers)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert set(response.json()) == {
        method for method in response.headers.get("allow", "").split(", ") if method
    }


LONG = "x" * 1025
NUL = "nul \x00"
BLANK = " \t\u200b\u3000"
PASSWORD = "correct horse battery"

# (method, path, body, status, code): the error table of the contract, and our own additions.
# {crud} is a crud, {other} a conversation of other members, {nothing} an unknown uuid.
REFUSALS: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/api/activities", {"message": "x", "ttl": ""}, 422, "ttl_blank"),
    ("POST", "/api/activities", {"message": "x"}, 422, "ttl_blank"),
    ("POST", "/api/activities", {"message": "x", "ttl": None}, 422, "ttl_blank"),
    ("POST", "/api/activities", {"message": "x", "ttl": 7}, 422, "ttl_blank"),
    ("POST", "/api/activities", {"message": "x", "ttl": "2-days"}, 422, "ttl_blank"),
    ("POST", "/api/activities", {"ttl": "1-day"}, 422, "message_blank"),
    ("POST", "/api/activities", {"message": "", "ttl": "1-day"}, 422, "message_blank"),
    ("POST", "/api/activities", {"message": BLANK, "ttl": "1-day"}, 422, "message_blank"),
    ("POST", "/api/activities", {"message": None, "ttl": "1-day"}, 422, "message_blank"),
    ("POST", "/api/activities", {"message": ["x"], "ttl": "1-day"}, 422, "message_blank"),
    ("POST", "/api/activities", {"message": NUL, "ttl": "1-day"}, 422, "message_invalid"),
    ("POST", "/api/activities", {"message": "x" * 281, "ttl": "1-day"}, 422,
     "message_exceed_max_chars"),
    ("POST", "/api/activities", {"message": "", "ttl": ""}, 422, "message_blank"),
    ("POST", "/api/activities/{crud}/reply", {}, 422, "message_blank"),
    ("POST", "/api/activities/{crud}/reply", {"message": " "}, 422, "message_blank"),
    ("POST", "/api/activities/{crud}/reply", {"message": LONG}, 422,
     "message_exceed_max_chars_1024"),
    ("POST", "/api/activities/{nothing}/reply", {"message": "x"}, 404, "not_found"),
    ("POST", "/api/activities/not-a-uuid/reply", {"message": "x"}, 404, "not_found"),
    ("POST", "/api/messages", {"handle": "bayko"}, 422, "message_blank"),
    ("POST", "/api/messages", {"handle": "bayko", "message": ""}, 422, "message_blank"),
    ("POST", "/api/messages", {"handle": "bayko", "message": LONG}, 422,
     "message_exceed_max_chars_1024"),
    ("POST", "/api/messages", {"message": "x"}, 422, "user_reciever_handle_blank"),
    ("POST", "/api/messages", {"message": "x", "handle": ""}, 422, "user_reciever_handle_blank"),
    ("POST", "/api/messages", {"message": "x", "user_receiver_handle": " "}, 422,
     "user_reciever_handle_blank"),
    ("POST", "/api/messages", {"message": "x", "handle": 7}, 422, "user_reciever_handle_blank"),
    ("POST", "/api/messages", {"message": "x", "message_group_uuid": ""}, 422,
     "message_group_uuid_blank"),
    ("POST", "/api/messages", {"message": "x", "message_group_uuid": "no"}, 422,
     "message_group_uuid_blank"),
    ("POST", "/api/messages", {"message": "x", "handle": "andrewbrown"}, 422, "message_to_self"),
    ("POST", "/api/messages", {"message": "x", "handle": "nobody"}, 404, "not_found"),
    ("POST", "/api/messages", {"message": "x", "message_group_uuid": "{other}"}, 404,
     "not_found"),
    ("GET", "/api/messages/{other}", None, 404, "not_found"),
    ("GET", "/api/messages/{nothing}", None, 404, "not_found"),
    ("PUT", "/api/profile/update", {"bio": "x"}, 422, "display_name_blank"),
    ("POST", "/api/profile/update", {"display_name": "  "}, 422, "display_name_blank"),
    ("PUT", "/api/profile/update", {"display_name": "x" * 51}, 422,
     "display_name_exceed_max_chars"),
    ("PUT", "/api/profile/update", {"display_name": "x", "bio": "x" * 501}, 422,
     "bio_exceed_max_chars"),
    ("PUT", "/api/profile/update", {"display_name": "x", "bio": 7}, 422, "bio_invalid"),
    ("PUT", "/api/profile/update", {"display_name": "x", "bio": NUL}, 422, "bio_invalid"),
    ("GET", "/api/activities/search", None, 422, "search_term_blank"),
    ("GET", "/api/activities/search?term=", None, 422, "search_term_blank"),
    ("GET", "/api/activities/search?term=%20", None, 422, "search_term_blank"),
    ("GET", "/api/activities/search?term=%00", None, 422, "search_term_invalid"),
    ("GET", f"/api/activities/search?term={'x' * 201}", None, 422,
     "search_term_exceed_max_chars"),
    ("GET", "/api/activities/home?limit=0", None, 422, "limit_invalid"),
    ("GET", "/api/activities/home?limit=101", None, 422, "limit_invalid"),
    ("GET", "/api/activities/home?limit=x", None, 422, "limit_invalid"),
    ("GET", "/api/activities/home?limit=", None, 422, "limit_invalid"),
    ("GET", "/api/activities/home?cursor=", None, 422, "cursor_invalid"),
    ("GET", "/api/activities/home?cursor=AAAA", None, 422, "cursor_invalid"),
    ("GET", "/api/activities/home?cursor=null", None, 422, "cursor_invalid"),
    ("GET", f"/api/activities/home?cursor={'_' * 32}", None, 422, "cursor_invalid"),
    ("GET", "/api/activities/@andrewbrown?shape=round", None, 422, "shape_invalid"),
    ("GET", "/api/activities/@andrewbrown?shape=null", None, 422, "shape_invalid"),
    ("GET", "/api/activities/@nobody", None, 404, "not_found"),
    ("GET", "/api/activities/@", None, 404, "not_found"),
    ("GET", "/api/activities/@nobody/status/{crud}", None, 404, "not_found"),
    ("GET", "/api/activities/@andrewbrown/status/not-a-uuid", None, 404, "not_found"),
    ("GET", "/api/activities/{nothing}", None, 404, "not_found"),
    ("DELETE", "/api/activities/{nothing}", None, 404, "not_found"),
    ("PUT", "/api/activities/{nothing}/like", None, 404, "not_found"),
    ("DELETE", "/api/activities/{nothing}/repost", None, 404, "not_found"),
    ("GET", "/api/users/@nobody/short", None, 404, "not_found"),
    ("GET", "/api/users/@nobody/followers", None, 404, "not_found"),
    ("GET", "/api/users/@nobody/following", None, 404, "not_found"),
    ("GET", "/api/users/@andrewbrown/followers?limit=0", None, 422, "limit_invalid"),
    ("GET", "/api/users/@andrewbrown/following?cursor=AAAA", None, 422, "cursor_invalid"),
    ("PUT", "/api/users/@nobody/follow", None, 404, "not_found"),
    ("PUT", "/api/users/@andrewbrown/follow", None, 422, "follow_self"),
    ("DELETE", "/api/users/@nobody/follow", None, 404, "not_found"),
    ("GET", "/api/avatars/nobody.jpg", None, 404, "not_found"),
    ("PUT", "/api/avatars/uploads/no-token", None, 403, "generic_403"),
    ("POST", "/api/avatars/key_upload", {}, 422, "extension_invalid"),
    ("POST", "/api/avatars/key_upload", {"extension": "../x"}, 422, "extension_invalid"),
    ("POST", "/avatars/key_upload", {"extension": "svg"}, 422, "extension_invalid"),
    ("POST", "/api/auth/signup", {"email": "no", "password": PASSWORD, "handle": "worf",
     "display_name": "Worf"}, 422, "email_invalid"),
    ("POST", "/api/auth/signup", {"email": "w@example.com", "password": "short",
     "handle": "worf", "display_name": "Worf"}, 422, "password_too_weak"),
    ("POST", "/api/auth/signup", {"email": "w@example.com", "password": PASSWORD,
     "handle": "W!", "display_name": "Worf"}, 422, "handle_invalid"),
    ("POST", "/api/auth/signup", {"email": "w@example.com", "password": PASSWORD,
     "handle": "andrewbrown", "display_name": "Worf"}, 422, "handle_taken"),
    ("POST", "/api/auth/signup", {"email": "w@example.com", "password": PASSWORD,
     "handle": "worf", "display_name": ""}, 422, "display_name_blank"),
    ("POST", "/api/auth/confirm", {"email": "w@example.com", "code": "000000"}, 422,
     "code_invalid"),
    ("POST", "/api/auth/confirm", {"email": "w@example.com", "code": "x"}, 422, "code_invalid"),
    ("POST", "/api/auth/signin", {"email": "", "password": "x"}, 422, "email_blank"),
    ("POST", "/api/auth/signin", {"email": "x"}, 422, "password_blank"),
    ("POST", "/api/auth/signin", {"email": "nobody@example.com", "password": "x"}, 401,
     "credentials_invalid"),
    ("POST", "/api/auth/refresh", None, 401, "generic_401"),
    ("POST", "/api/auth/reset", {"email": "w@example.com", "code": "000000",
     "password": PASSWORD}, 422, "code_invalid"),
    ("PUT", "/api/auth/password", {"current_password": "x", "password": "x"}, 422,
     "password_too_weak"),
    ("DELETE", "/api/auth/me", {"password": ""}, 422, "password_blank"),
    ("DELETE", "/api/auth/me", {"password": "x"}, 401, "credentials_invalid"),
    ("DELETE", "/api/auth/sessions/{nothing}", None, 404, "not_found"),
    ("GET", "/", None, 404, "not_found"),
    ("GET", "/api/", None, 404, "not_found"),
    ("GET", "/api//activities//home", None, 404, "not_found"),
    ("PATCH", "/api/activities", None, 405, "method_not_allowed"),
    ("DELETE", "/api/activities/home", None, 405, "method_not_allowed"),
]  # fmt: skip


@pytest.mark.rule("C5", "C6", "C7")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    REFUSALS,
    ids=[
        f"{method} {path[:60]} {code} {n}" for n, (method, path, _, _, code) in enumerate(REFUSALS)
    ],
)
async def test_an_error_has_the_status_and_code_of_the_contract(
    method: str,
    path: str,
    body: Any,
    status: int,
    code: str,
    andrew: Member,
    bayko: Member,
    member: Any,
) -> None:
    found = {"crud": "", "other": "", "nothing": str(uuid4())}
    if "{crud}" in path:
        found["crud"] = (await andrew.crud())["uuid"]
    if "{other}" in f"{path} {body}":
        await member("londo")
        found["other"] = (await bayko.message("londo"))["message_group_uuid"]
    if body is not None:
        body = {
            name: value.format(**found) if isinstance(value, str) else value
            for name, value in body.items()
        }
    options = {} if body is None else {"json": body}
    response = await andrew.request(method, path.format(**found), expect=status, **options)
    assert refused(response) == [code]
    if status == 405:
        assert response.headers["allow"]


BODIES: list[tuple[str, bytes, str, int, str]] = [
    ("not JSON", b"{", "application/json", 400, "invalid_json"),
    ("nothing", b"", "application/json", 400, "invalid_json"),
    ("no object", b"[]", "application/json", 400, "invalid_json"),
    ("null", b"null", "application/json", 400, "invalid_json"),
    ("not UTF-8", b'{"message": "\xff", "ttl": "1-day"}', "application/json", 400, "invalid_json"),
    ("too deep", b"[" * 10_000, "application/json", 400, "invalid_json"),
    ("a form", b"message=x&ttl=1-day", "application/x-www-form-urlencoded", 415,
     "unsupported_media_type"),
    ("of no type", b'{"message": "x", "ttl": "1-day"}', "", 415, "unsupported_media_type"),
    ("too large", b" " * (BODY_BYTES + 1), "application/json", 413, "payload_too_large"),
]  # fmt: skip


@pytest.mark.rule("C7")
@pytest.mark.parametrize(
    ("body", "kind", "status", "code"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
async def test_a_body_that_is_not_a_json_object_is_rejected_and_stores_no_row(
    body: bytes, kind: str, status: int, code: str, andrew: Member
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = await andrew.request(
        "POST", "/api/activities", expect=status, content=body, headers=headers
    )
    assert refused(response) == [code]
    assert await andrew.get("/api/activities/home") == []


async def test_a_lone_surrogate_is_rejected(andrew: Member) -> None:
    response = await andrew.http.post(
        "/api/activities",
        headers={**andrew.headers, "Content-Type": "application/json"},
        content=b'{"message": "\\ud800", "ttl": "1-day"}',
    )
    assert response.status_code in {400, 422}  # the decoder may reject it as malformed
    refused(response)


async def test_a_picture_that_is_too_large_or_invalid_is_rejected(andrew: Member) -> None:
    upload = await andrew.post("/api/avatars/key_upload", {"extension": "png"})
    api = Api(andrew.http)
    for content, status, code in (
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "avatar_invalid"),
        (b"", 422, "avatar_invalid"),
        (b"x" * (PICTURE_BYTES + 1), 413, "payload_too_large"),
    ):
        response = await api.request("PUT", upload["url"], expect=status, content=content)
        assert refused(response) == [code]
