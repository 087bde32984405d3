"""Build the OpenAPI 3.1 document from the declarations of the endpoints, and serve it."""

import base64
import hashlib
import inspect
import re
from collections.abc import Iterable
from functools import reduce
from importlib.resources import files
from operator import or_
from typing import Any, get_args, get_origin

import msgspec
from quart import Blueprint, Response

from cruddur.errors import GENERIC_CODES
from cruddur.identity.api_tokens import PREFIX
from cruddur.routes import cookies
from cruddur.routes.endpoint import Endpoint, Paged
from cruddur.routes.html import html_headers
from cruddur.routes.parsing import validation_codes
from cruddur.version import __version__
from cruddur.wire import (
    AccountChange,
    Crud,
    FollowChange,
    Gone,
    Hidden,
    LiveCounts,
    LivePreview,
    MessageRequest,
    Notification,
    Reset,
    SentMessage,
    ShortUser,
)

_REFERENCE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "handle": {"type": "string", "minLength": 1},
    "": {"type": "string", "minLength": 1},
}
_COMMON_STATUSES = (500, 503)
EVENTS = (
    Crud,
    LiveCounts,
    LivePreview,
    Gone,
    SentMessage,
    MessageRequest,
    Notification,
    ShortUser,
    FollowChange,
    Hidden,
    AccountChange,
    Reset,
)
"""The types of the data of events; OpenAPI cannot describe a stream."""

_STATUS_TEXT = {
    400: "The body is not JSON",
    401: "No valid access token, or wrong credentials",
    403: "Not allowed",
    404: "It does not exist, it has expired, or the caller is not allowed to see it",
    413: "The body is too large",
    415: "The body has the wrong content type",
    422: "The request is invalid",
    429: "Too many attempts",
    500: "Internal error",
    503: "The service is overloaded or a dependency does not answer",
}


def describe(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI document of these endpoints."""
    endpoints = list(endpoints)
    types = [kind for endpoint in endpoints for kind in _types(endpoint)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    for component in components.values():
        if "description" in component:  # a docstring; Python 3.13 and newer clean it
            component["description"] = inspect.cleandoc(component["description"])
    schemas_by_type = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _PARAMETER.sub(r"{\2}", endpoint.rule)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(
            endpoint, schemas_by_type, components
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cruddur",
            "version": __version__,
            "description": "A microblog whose posts expire. Every success is 200 with JSON;"
            " every failure is a JSON array of codes. `RateLimit` and `RateLimit-Policy`"
            " (draft-ietf-httpapi-ratelimit-headers-10) say how many requests a client has left.",
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "api_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": f"{PREFIX}…",
                    "description": "A token for programs (`POST /api/auth/tokens`). It needs all"
                    " scopes that the operation lists; an operation without this scheme accepts no"
                    " API token.",
                },
                "refresh": {"type": "apiKey", "in": "cookie", "name": cookies.REFRESH},
                "suspension": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookies.SUSPENSION,
                    "description": "For 15 minutes after a sign-in that was rejected because the"
                    " account is suspended.",
                },
            },
        },
    }


def encode(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode(describe(endpoints))


def blueprint(endpoints: Iterable[Endpoint]) -> Blueprint:
    """Return the routes of the document and its page, which are built once."""
    document = encode(endpoints)
    page = files("cruddur.routes").joinpath("docs.html").read_text("utf-8")
    headers = html_headers(scripts=_digest(page, "script"), styles=_digest(page, "style"))
    routes = Blueprint("openapi", __name__)

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        return Response(document, content_type="application/json")

    @routes.get("/docs")
    async def docs() -> Response:
        return Response(page, headers=headers, content_type="text/html; charset=utf-8")

    return routes


def _digest(page: str, element: str) -> str:
    """Return the CSP source that allows the page's only element with this name."""
    [text] = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _types(endpoint: Endpoint) -> list[Any]:
    event_types = EVENTS if endpoint.stream and not _is_text(endpoint) else ()
    kinds = (endpoint.query, endpoint.body, _answer(endpoint), *event_types)
    return [kind for kind in kinds if kind is not None]


def _answer(endpoint: Endpoint) -> Any:
    """Return the type of the response's body; for a page, the type of its content."""
    if endpoint.picture == "answer" or endpoint.stream or _is_text(endpoint):
        return None
    parts = get_args(endpoint.answer) if _is_union(endpoint.answer) else (endpoint.answer,)
    return reduce(or_, (get_args(part)[0] if get_origin(part) is Paged else part for part in parts))


def _is_text(endpoint: Endpoint) -> bool:
    return endpoint.content_type != "application/json"


def _is_union(kind: Any) -> bool:
    return get_origin(kind) not in {None, Paged, list, dict}


def _operation(
    endpoint: Endpoint, schemas_by_type: dict[str, Any], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.tag}_{endpoint.name}_{endpoint.method.lower()}",
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": " ".join(endpoint.description.split()),
        "parameters": _parameters(endpoint, components),
        "responses": _responses(endpoint, schemas_by_type),
    }
    if endpoint.access != "open":
        operation["security"] = [
            *([{}] if endpoint.access == "optional" else []),
            {"bearer": []},
            *([{"api_token": endpoint.scopes}] if endpoint.scopes else []),
            *([{"suspension": []}] if endpoint.suspended else []),
        ]
    elif endpoint.cookie:
        operation["security"] = [{}, {"refresh": []}]
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas_by_type[repr(endpoint.body)]}},
        }
    elif endpoint.picture == "upload":
        operation["requestBody"] = {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    return operation


def _parameters(endpoint: Endpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PATH_SCHEMAS[converter or (name if name == "handle" else "")],
        }
        for converter, name in _PARAMETER.findall(endpoint.rule)
    ]
    if endpoint.query is not None:
        schema = components[endpoint.query.__name__]
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": _without_null(field),
            }
            for name, field in schema["properties"].items()
        ]
    if endpoint.stream and not _is_text(endpoint):
        parameters.append(
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "The last event that was received; the stream continues after it.",
                "schema": {"type": "string"},
            }
        )
    if endpoint.idempotent:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "For 24 hours, the same key gets the first response again.",
                "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,128}$"},
            }
        )
    if _has_etag(endpoint):
        parameters.append(
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "description": "An ETag of an earlier response; 304 if it is still current.",
                "schema": {"type": "string"},
            }
        )
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove null from a schema: a query argument is absent or has a value."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        return dict(kinds[0])
    if None in schema.get("enum", ()):
        return {**schema, "enum": [choice for choice in schema["enum"] if choice is not None]}
    return {name: value for name, value in schema.items() if name != "default" or value is not None}


def _responses(endpoint: Endpoint, schemas_by_type: dict[str, Any]) -> dict[str, Any]:
    if endpoint.picture == "answer":
        content = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    elif endpoint.stream and not _is_text(endpoint):
        content = {"text/event-stream": {"schema": {"type": "string"}}}
    elif _is_text(endpoint):
        content = {endpoint.content_type: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": schemas_by_type[repr(_answer(endpoint))]}}
    success: dict[str, Any] = {"description": "Done", "content": content}
    headers: dict[str, Any] = {}
    if get_origin(endpoint.answer) is Paged or _is_union(endpoint.answer):
        headers["Link"] = {
            "description": 'The next page, with `rel="next"`, if there is one',
            "schema": {"type": "string"},
        }
    if _has_etag(endpoint):
        headers["ETag"] = {"required": True, "schema": {"type": "string"}}
    if headers:
        success["headers"] = headers
    responses = {"200": success}
    if _has_etag(endpoint):
        responses["304"] = {"description": "Not modified since the ETag of If-None-Match"}
    for status, codes in sorted(refusals(endpoint).items()):
        responses[str(status)] = _failure(status, codes)
    return responses


def _has_etag(endpoint: Endpoint) -> bool:
    return endpoint.cached or endpoint.picture == "answer"


def refusals(endpoint: Endpoint) -> dict[int, list[str]]:
    """Return all error codes of an endpoint, by status."""
    codes_by_status: dict[int, dict[str, None]] = {}

    def add(status: int, codes: Iterable[str]) -> None:
        codes_by_status.setdefault(status, {}).update(dict.fromkeys(codes))

    for status in _COMMON_STATUSES:
        add(status, [GENERIC_CODES[status]])
    if endpoint.rate is not None:
        add(429, [GENERIC_CODES[429]])
    if endpoint.access == "required" or endpoint.stream or endpoint.personal:
        add(401, [GENERIC_CODES[401]])
    if endpoint.access != "open":
        add(403, ["insufficient_scope"])
    if endpoint.role != "member":
        add(403, [GENERIC_CODES[403], "second_factor_required"])
    if "<uuid:" in endpoint.rule:
        add(404, [GENERIC_CODES[404]])
    if endpoint.body is not None:
        for status in (400, 413, 415):
            add(status, [GENERIC_CODES[status]])
        add(422, validation_codes(endpoint.body))
    if endpoint.picture == "upload":
        add(413, [GENERIC_CODES[413]])
    if endpoint.query is not None:
        add(422, validation_codes(endpoint.query))
    if endpoint.idempotent:
        add(404, [GENERIC_CODES[404]])
        add(422, ["idempotency_key_invalid", "idempotency_key_reused"])
    for status, codes in endpoint.errors.items():
        add(status, codes)
    return {status: list(codes) for status, codes in codes_by_status.items()}


def _failure(status: int, codes: list[str]) -> dict[str, Any]:
    failure: dict[str, Any] = {
        "description": _STATUS_TEXT[status],
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "enum": codes},
                }
            }
        },
    }
    text = {"required": True, "schema": {"type": "string"}}
    if status == 401 or "insufficient_scope" in codes:
        failure["headers"] = {"WWW-Authenticate": {**text, "required": status == 401}}
    if status in {429, 503}:
        failure["headers"] = {"Retry-After": text}
    return failure
