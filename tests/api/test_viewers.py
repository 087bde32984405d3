"""A member whose session has ended is refused everywhere, with the next request."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from cruddur.app import BLUEPRINTS
from cruddur.routes.endpoint import Endpoint
from support import Member, empty, refused

ENDPOINTS = [endpoint for blueprint in BLUEPRINTS for endpoint in blueprint.endpoints]
REQUIRED = [endpoint for endpoint in ENDPOINTS if endpoint.access == "required"]
PERSONAL = [endpoint for endpoint in ENDPOINTS if endpoint.personal or endpoint.stream]
OPTIONAL = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.access == "optional" and endpoint not in PERSONAL and endpoint.method == "GET"
]
ENDINGS = [
    "DELETE FROM sessions WHERE user_uuid = $1",
    "UPDATE sessions SET expires_at = now() WHERE user_uuid = $1",
    "DELETE FROM users WHERE uuid = $1",
    "UPDATE users SET suspended_until = now() + interval '1 day' WHERE uuid = $1",
]


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.rule}"


def address(endpoint: Endpoint, crud: UUID) -> str:
    """The path of an endpoint, with the uuid of a crud, an existing handle and a tag in it."""
    path = endpoint.rule.replace("<handle>", "bayko").replace("<tag>", "crud")
    for parameter in ("<uuid:uuid>", "<uuid:message_group_uuid>"):
        path = path.replace(parameter, str(crud))
    assert "<" not in path, path
    return path


async def tried(member: Member, endpoint: Endpoint, crud: UUID, **options: Any) -> httpx.Response:
    headers = {**member.headers, **options.pop("headers", {})}
    path = address(endpoint, crud)
    return await member.http.request(endpoint.method, path, headers=headers, **options)


@pytest.mark.parametrize("endpoint", REQUIRED + PERSONAL, ids=named)
async def test_an_ended_session_is_the_first_error(
    endpoint: Endpoint, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    """Whatever else is wrong with the request, and although the token was used before."""
    for ending in ENDINGS:
        andrew, bayko = await member("andrewbrown"), await member("bayko")
        await check_first_error(endpoint, ending, andrew, bayko, database)
        await empty(database)


async def check_first_error(
    endpoint: Endpoint, ending: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = UUID((await bayko.crud())["uuid"])
    await andrew.get("/api/auth/me")
    await database.execute(ending, andrew.uuid)
    tries: list[tuple[UUID, dict[str, Any]]] = [(crud, {}), (uuid4(), {})]
    if endpoint.query is not None:
        tries.append((crud, {"params": {"cursor": "?", "limit": "-1"}}))
    if endpoint.body is not None:
        for content in (b"", b"{", b"[]", b"{}", b"x" * 200_000):
            tries.append((crud, {"content": content}))
            tries.append(
                (crud, {"content": content, "headers": {"Content-Type": "application/json"}})
            )
    if endpoint.idempotent:
        tries.append((crud, {"json": {}, "headers": {"Idempotency-Key": "not valid"}}))
        tries.append((crud, {"json": {"message": "hello"}, "headers": {"Idempotency-Key": "1"}}))
    for uuid, options in tries:
        response = await tried(andrew, endpoint, uuid, **options)
        assert response.status_code == 401, (named(endpoint), options.keys(), response.text)
        assert refused(response) == ["generic_401"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("endpoint", OPTIONAL, ids=named)
async def test_where_a_token_is_optional_an_ended_session_is_an_anonymous_caller(
    endpoint: Endpoint, ending: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = UUID((await bayko.crud("a crud about tea"))["uuid"])
    await andrew.put(f"/api/activities/{crud}/like")
    query = {"params": {"term": "tea"}} if endpoint.rule.endswith("search") else {}
    path = address(endpoint, crud)
    shape = {"Content-Type": "application/json"}
    own = await tried(andrew, endpoint, crud, **query)
    await database.execute(ending, andrew.uuid)
    response = await tried(andrew, endpoint, crud, **query)
    assert response.status_code == 200
    assert response.json() == (await andrew.http.get(path, headers=shape, **query)).json()
    if endpoint.tag == "activities":
        assert '"liked":true' in own.text
        assert '"liked"' not in response.text
