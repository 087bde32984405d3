"""Who may use which route: every route with every kind of caller, by the declarations."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from quart import Quart

from api.test_hidden_people import DECISIONS
from api.test_routes import filled, named
from cruddur.app import ENDPOINTS
from cruddur.routes import openapi
from cruddur.routes.endpoint import Endpoint
from cruddur.wire import SCOPES
from moderators import appoint
from support import Api, Member, empty, insert_user, refused

Enter = Callable[[Api, Member, asyncpg.Connection], Awaitable[Api]]
SUSPENSION_PROOF = "suspended with the cookie"


async def _visitor(api: Api, andrew: Member, database: asyncpg.Connection) -> Api:
    del andrew, database
    return api


def _with_role(role: str) -> Enter:
    async def enter(api: Api, andrew: Member, database: asyncpg.Connection) -> Api:
        del api
        return await appoint(database, andrew, role)

    return enter


BLOCKER = "quark"
CRUD = UUID(int=0x0198_0000_0000_7000_8000_0000_0000_0000)


async def _blocked(api: Api, andrew: Member, database: asyncpg.Connection) -> Api:
    """Let the user and the author of the crud that the requests name block the caller."""
    del api
    blocker = await insert_user(database, BLOCKER, "Quark")
    await database.execute(
        "INSERT INTO activities (uuid, user_uuid, message, expires_at)"
        " VALUES ($1, $2, 'x', now() + interval '1 day')",
        CRUD, blocker,
    )  # fmt: skip
    await database.execute("INSERT INTO blocks VALUES ($1, $2)", blocker, andrew.uuid)
    return andrew


async def _suspended(api: Api, andrew: Member, database: asyncpg.Connection) -> Api:
    """Suspend an admin."""
    del api
    await database.execute(
        "UPDATE users SET suspended_until = 'infinity', role = 'admin' WHERE uuid = $1", andrew.uuid
    )
    return andrew


def _token(*scopes: str, role: str = "member") -> Enter:
    async def enter(api: Api, andrew: Member, database: asyncpg.Connection) -> Api:
        del api
        await appoint(database, andrew, role)
        return await andrew.api_token(*scopes)

    return enter


RANKS: Mapping[str, int] = {"member": 0, "moderator": 1, "admin": 2}

CALLERS: Mapping[str, Enter] = {
    "anonymous": _visitor,
    **{role: _with_role(role) for role in RANKS},
    "blocked": _blocked,
    "suspended": _suspended,
    SUSPENSION_PROOF: _suspended,
    **{f"token {scope}": _token(scope) for scope in SCOPES},
    "token read message": _token("read", "message"),
    "token of all scopes": _token(*SCOPES, role="admin"),
}

OF_THE_TAGS_WITHOUT_TOKENS = {
    *("accounts", "second_factors", "passkeys", "api_tokens"),
    *("reports", "notices", "moderation", "instance", "export", "email_changes"),
}
"""The areas that no API token may use."""


def _names_hidden(endpoint: Endpoint) -> bool:
    """Return whether the address names a user or crud that a blocked caller does not see."""
    hides = DECISIONS[named(endpoint)].startswith(("hides", "refuses"))
    is_named = "<handle>" in endpoint.rule or "<uuid:uuid>" in endpoint.rule
    return hides and is_named and endpoint.body is None


def expected(endpoint: Endpoint, caller: str) -> tuple[int, str] | None:
    """Return the status and code of a rejection, or None if the caller may use the route."""
    if endpoint.access == "open":
        return None
    if caller == SUSPENSION_PROOF:
        if endpoint.suspended:
            return None
        caller = "anonymous"
    if caller in {"anonymous", "suspended"}:
        # A token that has become invalid is rejected where a response without it would mislead.
        misleads = caller == "suspended" and (endpoint.personal or endpoint.stream)
        return (401, "generic_401") if endpoint.access == "required" or misleads else None
    if caller == "blocked":
        caller = "member"
    if caller in RANKS:
        return (403, "generic_403") if RANKS[caller] < RANKS[endpoint.role] else None
    scopes = SCOPES if caller == "token of all scopes" else caller.split()[1:]
    is_enough = endpoint.scopes and set(endpoint.scopes) <= set(scopes)
    return None if is_enough else (403, "insufficient_scope")


async def tried(api: Api, endpoint: Endpoint, **values: str) -> httpx.Response:
    """Send a request that a caller with access could send.

    The values for the parameters of its address do not exist by default.
    """
    method = "HEAD" if endpoint.stream else endpoint.method  # a stream never ends
    headers = {"Content-Type": "application/json", **api.headers}
    path = filled(endpoint.rule, **values)
    return await api.http.request(method, path, content="{}", headers=headers)


@pytest.mark.rule("C110", "C111", "C126", "C127")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
async def test_a_caller_may_use_a_route_exactly_as_it_declares(
    endpoint: Endpoint,
    api: Api,
    app: Quart,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    for caller in CALLERS:
        andrew = await member("andrewbrown", "Andrew Brown")
        await check_access(endpoint, caller, api, andrew, database, app)
        await empty(database)


async def check_access(
    endpoint: Endpoint,
    caller: str,
    api: Api,
    andrew: Member,
    database: asyncpg.Connection,
    app: Quart,
) -> None:
    """Check whether a caller may use a route. The database has no other users."""
    entered = await CALLERS[caller](api, andrew, database)
    if caller == SUSPENSION_PROOF:
        proof = app.extensions["cruddur"].suspensions.sign(andrew.uuid)
        entered = Api(api.http, {"Cookie": f"cruddur_suspension={proof}"})
    if caller == "blocked" and _names_hidden(endpoint):
        hidden = await tried(entered, endpoint, handle=BLOCKER, uuid=str(CRUD))
        unknown = await tried(entered, endpoint)
        assert (hidden.status_code, hidden.content) == (unknown.status_code, unknown.content)
        assert hidden.status_code in {200, 404}
        return
    response = await tried(entered, endpoint)
    codes = [] if response.status_code < 400 or endpoint.stream else refused(response)
    rejection = expected(endpoint, caller)
    if rejection is not None:
        status, code = rejection
        assert response.status_code == status
        assert codes in ([code], [])  # a response to HEAD has no body
        if code == "insufficient_scope":
            needed = f', scope="{" ".join(endpoint.scopes)}"' if endpoint.scopes else ""
            challenge = f'Bearer error="insufficient_scope"{needed}'
            assert response.headers["www-authenticate"] == challenge
        return
    assert "insufficient_scope" not in codes
    if endpoint.access == "open":
        assert response.status_code == (await tried(api, endpoint)).status_code
    else:
        assert response.status_code in {200, 404, 422}


def test_the_table_has_cells_of_every_kind() -> None:
    cells = {expected(endpoint, caller) for endpoint in ENDPOINTS for caller in CALLERS}
    assert {code for _, code in filter(None, cells)} == {
        "generic_401",
        "generic_403",
        "insufficient_scope",
    }
    assert None in cells
    assert {endpoint.role for endpoint in ENDPOINTS} == set(RANKS)
    assert all(one.role == "member" for one in ENDPOINTS if one.access != "required")


@pytest.mark.rule("C160")
def test_a_suspended_member_can_use_four_routes() -> None:
    assert {named(one) for one in ENDPOINTS if one.suspended} == {
        "GET /api/auth/suspension",
        "POST /api/notices/<uuid:uuid>/appeal",
        "GET /api/auth/export",
        "DELETE /api/auth/me",
    }


def test_every_area_except_accounts_has_scopes() -> None:
    """A new route either declares the scopes of API tokens, or its area is listed above."""
    without = {e.tag for e in ENDPOINTS if e.access != "open" and e.scopes is None}
    assert without == OF_THE_TAGS_WITHOUT_TOKENS


@pytest.mark.rule("C16", "C111")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
def test_the_document_describes_the_access_to_a_route(endpoint: Endpoint) -> None:
    document = openapi.describe([endpoint])
    assert document["components"]["securitySchemes"]["api_token"]["type"] == "http"
    [[operation]] = [path.values() for path in document["paths"].values()]
    ways = [way for way in operation.get("security", []) if "refresh" not in way]
    if endpoint.access == "open":
        assert ways in ([], [{}])
        assert "insufficient_scope" not in str(operation)
        return
    scopes = [{"api_token": endpoint.scopes}] if endpoint.scopes else []
    anonymous = [{}] if endpoint.access == "optional" else []
    suspended = [{"suspension": []}] if endpoint.suspended else []
    assert ways == [*anonymous, {"bearer": []}, *scopes, *suspended]
    schema = operation["responses"]["403"]["content"]["application/json"]["schema"]
    assert "insufficient_scope" in schema["items"]["enum"]
