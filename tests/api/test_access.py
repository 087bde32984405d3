"""Who may use which route: every route with every kind of caller, by the declarations."""

from collections.abc import Awaitable, Callable, Mapping

import httpx
import pytest

from api.test_routes import filled, named
from cruddur.app import ENDPOINTS
from cruddur.routes import openapi
from cruddur.routes.endpoint import Endpoint
from cruddur.wire import SCOPES
from support import Api, Member, refused

Enter = Callable[[Api, Member], Awaitable[Api]]


async def _visitor(api: Api, andrew: Member) -> Api:
    del andrew
    return api


async def _member(api: Api, andrew: Member) -> Api:
    del api
    return andrew


def _token(*scopes: str) -> Enter:
    async def enter(api: Api, andrew: Member) -> Api:
        del api
        return await andrew.api_token(*scopes)

    return enter


CALLERS: Mapping[str, Enter] = {
    "anonymous": _visitor,
    "member": _member,
    **{f"token {scope}": _token(scope) for scope in SCOPES},
    "token read message": _token("read", "message"),
    "token of all scopes": _token(*SCOPES),
}

OF_THE_TAGS_WITHOUT_TOKENS = {"accounts", "second_factors", "api_tokens"}
"""The areas that no API token may use."""


def expected(endpoint: Endpoint, caller: str) -> int | None:
    """Return the status of a rejection, or None if the caller may use the route."""
    if endpoint.access == "open" or caller == "member":
        return None
    if caller == "anonymous":
        return 401 if endpoint.access == "required" else None
    scopes = SCOPES if caller == "token of all scopes" else caller.split()[1:]
    return None if endpoint.scopes and set(endpoint.scopes) <= set(scopes) else 403


async def tried(api: Api, endpoint: Endpoint) -> httpx.Response:
    """Send a request that a caller with access could send, though nothing exists that it names."""
    method = "HEAD" if endpoint.stream else endpoint.method  # a stream never ends
    headers = {"Content-Type": "application/json", **api.headers}
    return await api.http.request(method, filled(endpoint.rule), content="{}", headers=headers)


@pytest.mark.rule("C110", "C111")
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
async def test_a_caller_may_use_a_route_exactly_as_it_declares(
    endpoint: Endpoint, caller: str, api: Api, andrew: Member
) -> None:
    response = await tried(await CALLERS[caller](api, andrew), endpoint)
    codes = [] if response.status_code < 400 or endpoint.stream else refused(response)
    rejection = expected(endpoint, caller)
    if rejection is not None:
        assert response.status_code == rejection
        code = "generic_401" if rejection == 401 else "insufficient_scope"
        assert codes in ([code], [])  # a response to HEAD has no body
        if rejection == 403:
            needed = f', scope="{" ".join(endpoint.scopes)}"' if endpoint.scopes else ""
            challenge = f'Bearer error="insufficient_scope"{needed}'
            assert response.headers["www-authenticate"] == challenge
        return
    assert "insufficient_scope" not in codes
    if endpoint.access == "open":
        assert response.status_code == (await tried(api, endpoint)).status_code
    else:
        assert response.status_code in {200, 404, 422}


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
    assert ways == [*anonymous, {"bearer": []}, *scopes]
    schema = operation["responses"]["403"]["content"]["application/json"]["schema"]
    assert "insufficient_scope" in schema["items"]["enum"]
