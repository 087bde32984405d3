"""Declare endpoints: the signature of a handler is its declaration.

    @notes.handle("POST", "/api/notes", summary="Create a note")
    async def create(body: NoteDraft) -> Created[Note]: ...

- `body` and `query` are drafts of `wire.py`, and are validated before the handler is called.
- Other parameters come from the path.
- The return type gives the status: 204 for None, 201 for `Created`, and otherwise 200.

The OpenAPI document is generated from the same declarations.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from quart import Blueprint, Response, current_app, request

from ..errors import InvalidError, MalformedError, UnsupportedMediaTypeError
from ..resources import Resources
from ..wire import Draft

T = TypeVar("T")
D = TypeVar("D", bound=Draft)
H = TypeVar("H", bound=Callable[..., Awaitable[Any]])
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Created(Generic[T]):
    """The response after a resource was created at an address."""

    answer: T
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The declaration of one method on one rule."""

    method: Method
    rule: str
    name: str
    summary: str
    parameters: dict[str, Any]
    query: type[Draft] | None
    body: type[Draft] | None
    answer: Any
    status: int


class ApiBlueprint(Blueprint):
    """A blueprint with the declarations of its endpoints."""

    def __init__(self, name: str) -> None:
        """Set the name, which is also the tag in the OpenAPI document."""
        super().__init__(name, __name__)
        self.endpoints: list[Endpoint] = []

    def handle(self, method: Method, rule: str, *, summary: str) -> Callable[[H], H]:
        """Register a handler for a method on a rule, with a line for the OpenAPI document."""

        def register(handler: H) -> H:
            hints = get_type_hints(handler, include_extras=True)
            answer, status = hints.pop("return"), 200
            if answer is type(None):
                answer, status = None, 204
            elif get_origin(answer) is Created:
                [answer], status = get_args(answer), 201
            endpoint = Endpoint(
                method=method,
                rule=rule,
                name=f"{self.name}_{handler.__name__}",
                summary=summary,
                query=hints.pop("query", None),
                body=hints.pop("body", None),
                parameters=hints,
                answer=answer,
                status=status,
            )
            self.endpoints.append(endpoint)
            self.add_url_rule(rule, handler.__name__, _view(handler, endpoint), methods=[method])
            return handler

        return register


def resources() -> Resources:
    """Return the resources that the application opened when it started."""
    opened: Resources = current_app.extensions["resources"]
    return opened


def _view(
    handler: Callable[..., Awaitable[Any]], endpoint: Endpoint
) -> Callable[..., Awaitable[Response]]:
    async def view(**arguments: Any) -> Response:
        if endpoint.query:
            arguments["query"] = _read_query(endpoint.query)
        if endpoint.body:
            arguments["body"] = await _read_body(endpoint.body)
        answer, headers = await handler(**arguments), {}
        if isinstance(answer, Created):
            answer, headers = answer.answer, {"Location": answer.location}
        return Response(
            b"" if answer is None else msgspec.json.encode(answer),
            status=endpoint.status,
            headers=headers,
            content_type=None if answer is None else "application/json",
        )

    return view


def _read_query(draft: type[D]) -> D:
    try:
        return msgspec.convert(request.args.to_dict(), draft, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidError(str(error)) from None


async def _read_body(draft: type[D]) -> D:
    if request.mimetype != "application/json":
        raise UnsupportedMediaTypeError("the body must be application/json")
    try:
        return msgspec.json.decode(await request.get_data(), type=draft)
    except msgspec.ValidationError as error:
        raise InvalidError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(str(error)) from None
