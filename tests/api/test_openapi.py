"""The OpenAPI document: valid, complete, and shown by its page."""

import ast
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

import cruddur
from cruddur.app import ENDPOINTS
from cruddur.routes import openapi
from cruddur.routes.endpoint import Endpoint
from cruddur.routes.parsing import validation_codes
from cruddur.wire import Draft
from support import Api, Member

DOCUMENT: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.describe(ENDPOINTS)))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
SOURCE = Path(cruddur.__file__).parent

# Codes that belong to no operation, because the method or the path is unknown.
WITHOUT_OPERATION = {"method_not_allowed"}


def operation_of(endpoint: Endpoint) -> dict[str, Any]:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", endpoint.rule)
    return OPERATIONS[f"{endpoint.method} {path}"]


async def test_the_document_is_served_and_valid(api: Api) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # the import takes a second

    served = await api.get("/openapi.json")
    assert served == DOCUMENT
    assert served["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(served).validate()


def test_every_endpoint_has_its_own_operation() -> None:
    described = [id(operation_of(endpoint)) for endpoint in ENDPOINTS]
    assert len(set(described)) == len(ENDPOINTS) == len(OPERATIONS)
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.rule("C4")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.rule}")
def test_an_operation_is_complete(endpoint: Endpoint) -> None:
    operation = operation_of(endpoint)
    assert operation["summary"]
    assert operation["description"]
    named = {(one["in"], one["name"]) for one in operation["parameters"]}
    assert {name for place, name in named if place == "path"} == set(
        re.findall(r"<(?:\w+:)?(\w+)>", endpoint.rule)
    )
    queried = set(endpoint.query.__struct_fields__) if endpoint.query else set()
    assert {name for place, name in named if place == "query"} == queried
    assert (("header", "Idempotency-Key") in named) == endpoint.idempotent
    has_etag = endpoint.cached or endpoint.picture == "answer"
    assert (("header", "If-None-Match") in named) == has_etag
    assert ("304" in operation["responses"]) == has_etag
    assert ("ETag" in operation["responses"]["200"].get("headers", {})) == has_etag
    assert ("requestBody" in operation) == (
        endpoint.body is not None or endpoint.picture == "upload"
    )
    security = operation.get("security", [{}])
    assert ({"bearer": []} in security) == (endpoint.access != "open")
    assert ({} in security) == (endpoint.access != "required")
    statuses = {int(status) for status in operation["responses"]}
    assert {200, 500, 503} <= statuses
    assert (401 in statuses) or endpoint.access != "required"
    if endpoint.body is not None:
        assert {400, 413, 415, 422} <= statuses
    for status, codes in openapi.refusals(endpoint).items():
        response = operation["responses"][str(status)]
        assert response["description"]
        assert response["content"]["application/json"]["schema"]["items"]["enum"] == codes


@pytest.mark.rule("C16")
def test_every_code_that_can_be_sent_is_documented() -> None:
    described = {
        code
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for code in response["content"]["application/json"]["schema"]["items"]["enum"]
    }
    raised = _raised_codes()
    drafts = {code for draft in _drafts(Draft) for code in validation_codes(draft)}
    assert {"message_to_self", "credentials_invalid"} <= raised
    assert (raised | drafts) - described == set()
    generic = set(cruddur.errors.GENERIC_CODES.values())
    assert generic - described == WITHOUT_OPERATION
    # And no code is documented that is never sent.
    assert described - raised - drafts - generic == set()


def _raised_codes() -> set[str]:
    """Return the codes of all errors that the source raises, or passes to what raises them."""
    calls = [
        node
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]
    passed = {
        keyword.value.value
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "error_code" and isinstance(keyword.value, ast.Constant)
    }
    return passed | {
        argument.value
        for call in calls
        if isinstance(call.func, ast.Name) and hasattr(cruddur.errors, call.func.id)
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def _drafts(kind: type[Draft]) -> list[type[Draft]]:
    return [one for sub in kind.__subclasses__() for one in (sub, *_drafts(sub))]


CACHED = [endpoint for endpoint in ENDPOINTS if endpoint.cached]


@pytest.mark.parametrize("endpoint", CACHED, ids=lambda e: f"{e.method} {e.rule}")
async def test_an_unchanged_document_returns_304(
    endpoint: Endpoint, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    sent = await bayko.message("andrewbrown")
    path = (
        endpoint.rule.replace(
            "<handle>", "andrewbrown" if "messages" not in endpoint.rule else "bayko"
        )
        .replace("<uuid:uuid>", crud["uuid"])
        .replace("<uuid:message_group_uuid>", sent["message_group_uuid"])
    )
    query = {"term": "good"} if path.endswith("/search") else {}
    first = await andrew.request("GET", path, params=query)
    tag = {"If-None-Match": first.headers["etag"]}
    again = await andrew.request("GET", path, params=query, headers=tag, expect=304)
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    other = {"If-None-Match": 'W/"another"'}
    assert (await andrew.request("GET", path, params=query, headers=other)).json() == first.json()
    head = await andrew.request("HEAD", path, params=query)
    assert head.content == b""
    assert head.headers["etag"] == first.headers["etag"]
    assert head.headers["content-type"] == "application/json"


async def test_the_page_shows_every_operation_and_loads_nothing_external(
    http: httpx.AsyncClient,
) -> None:
    response = await http.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    page = response.text
    assert page == files("cruddur.routes").joinpath("docs.html").read_text("utf-8")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|import\(""", page)
    assert re.findall(r"""fetch\(["']([^"']+)""", page) == ["/openapi.json"]
    # The script lists operations by tag, so every operation needs one.
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for name, operation in OPERATIONS.items():
        assert operation["tags"], name
        assert set(operation["tags"]) <= tags, name
        # Fields of an operation that the script reads without a check.
        assert {"summary", "description", "parameters", "responses"} <= set(operation), name
        assert "content" in operation["responses"]["200"], name
    assert "innerHTML" not in page
