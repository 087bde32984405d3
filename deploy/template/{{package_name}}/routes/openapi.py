"""The OpenAPI 3.1 document, generated from the declarations of the endpoints."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from quart import Blueprint, Response

from .. import NAME, VERSION
from ..wire import Problem
from .endpoint import ApiBlueprint, Endpoint

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")
_COMPONENTS = "#/components/schemas/{name}"


def blueprint(blueprints: Sequence[ApiBlueprint]) -> Blueprint:
    """Return a blueprint that serves the document of the endpoints of other blueprints."""
    text = msgspec.json.encode(document(blueprints))
    routes = Blueprint("openapi", __name__)

    @routes.get("/api/openapi.json")
    async def openapi() -> Response:
        return Response(text, content_type="application/json")

    return routes


def document(blueprints: Sequence[ApiBlueprint]) -> dict[str, Any]:
    """Return the document of the endpoints of blueprints."""
    declared = [(each.name, endpoint) for each in blueprints for endpoint in each.endpoints]
    types = {
        kind
        for _, endpoint in declared
        for kind in (endpoint.body, endpoint.answer, *endpoint.parameters.values())
        if kind is not None
    }
    ordered = sorted({*types, Problem}, key=lambda kind: str(kind.__name__))
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_COMPONENTS)
    schema_of = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for tag, endpoint in declared:
        path = _CONVERTER.sub(r"{\1}", endpoint.rule)
        operation = {"tags": [tag], **_operation(endpoint, schema_of)}
        paths.setdefault(path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": NAME, "version": VERSION},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(endpoint: Endpoint, schema_of: dict[Any, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.answer is not None:
        answer["content"] = {"application/json": {"schema": schema_of[endpoint.answer]}}
    problem = {"application/problem+json": {"schema": schema_of[Problem]}}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint, schema_of),
        "responses": {
            str(endpoint.status): answer,
            "default": {"description": "An error", "content": problem},
        },
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": schema_of[endpoint.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint, schema_of: dict[Any, Any]) -> list[dict[str, Any]]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema_of[kind]}
        for name, kind in endpoint.parameters.items()
    ]
    if endpoint.query is not None:
        [_], schemas = msgspec.json.schema_components([endpoint.query])
        query = schemas[endpoint.query.__name__]
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in query["properties"].items()
        ]
    return parameters
