"""Endpoints: a handler's signature is its declaration.

    @activities.handle("POST", "/api/activities/<uuid:uuid>/reply", summary="…", refuses={404: …})
    async def reply(viewer: Claimant, uuid: UUID, body: ReplyDraft) -> Raw: ...

`viewer: Viewer` demands a valid access token, `viewer: Claimant` as well, leaving it to the
handler's statement whether the session is open, `viewer: Viewer | None` uses a token if it is
valid, and no `viewer` means that nobody asks. What is refused to a claimant is answered once
more for the viewer, so such a handler refuses nothing after it has written.

`body` and `query` are drafts of `cruddur.wire`; other parameters come from the path. The
returned type is the answer, always 200 with JSON. The OpenAPI document is made of the same
declarations.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_type_hints
from urllib.parse import quote, urlencode

import msgspec
from quart import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from cruddur.errors import CruddurError, UnsupportedMediaTypeError
from cruddur.identity.authenticator import holds_token
from cruddur.identity.viewer import Claimant, Viewer
from cruddur.resources import Resources
from cruddur.routes.parsing import read_body, read_query
from cruddur.services.rates import RateClass
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Draft

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]
Access = Literal["open", "optional", "required"]
Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """An answer that is a page of something; the cursor of the next goes into `Link`."""

    answer: T
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method on one rule, as its handler declares it."""

    method: Method
    rule: str
    name: str
    area: str
    summary: str
    description: str
    access: Access
    query: type[Draft] | None
    body: type[Draft] | None
    answer: Any
    errors: Mapping[int, Sequence[str]]
    idempotent: bool
    cached: bool
    cookie: bool
    picture: Literal["upload", "answer"] | None
    probe: bool
    stream: bool
    personal: bool
    vary: Sequence[str]
    rate: RateClass | None


class Area(Blueprint):
    """A blueprint that keeps the declarations of its endpoints."""

    def __init__(self, name: str) -> None:
        """Take the area's name, which is also its tag in the OpenAPI document."""
        super().__init__(name, __name__)
        self.endpoints: list[Endpoint] = []

    def handle(
        self,
        method: Method,
        *rules: str,
        summary: str,
        errors: Mapping[int, Sequence[str]] | None = None,
        idempotent: type | None = None,
        cached: bool = False,
        cookie: bool = False,
        picture: Literal["upload", "answer"] | None = None,
        probe: bool = False,
        stream: bool = False,
        personal: bool = False,
        vary: Sequence[str] = (),
        rate: RateClass | None = None,
    ) -> Callable[[H], H]:
        """Register a handler for a method on one or more rules.

        Args:
            method: the HTTP method.
            rules: the paths, with Quart's converters.
            summary: a line for the OpenAPI document.
            refuses: the handler's own codes of refusal, by status.
            idempotent: the answer's type, where the handler honours `Idempotency-Key`
                and returns the bytes that it kept.
            cached: the answer carries an ETag and may be answered by 304.
            cookie: the refresh cookie is what the caller shows, or is set or taken away.
            picture: the body or the answer is a picture instead of JSON.
            probe: machines ask every few seconds whether the service is well: no server span, no
                HTTP metrics, no rate limit, and overload does not refuse the first few.
            stream: the response is a stream of events. An invalid access token is refused, because
                a member would otherwise miss their own events without any sign of it.
            personal: the answer is about the viewer alone, so a token that has expired or was
                revoked is refused: an empty answer would look as if nothing had happened.
            vary: request headers beside `Authorization` that change the answer.
            rate: the class of requests that share a rate limit, where it does not follow from
                the rest.
        """

        own_rate = self._rate(method, picture, stream)

        def register(handler: H) -> H:
            hints = get_type_hints(handler)
            viewer = hints.get("viewer")
            for number, rule in enumerate(rules):
                endpoint = Endpoint(
                    method=method,
                    rule=rule,
                    name=handler.__name__ + (f"_{number + 1}" if number else ""),
                    area=self.name,
                    summary=summary,
                    description=handler.__doc__ or "",
                    access=_access(viewer),
                    query=hints.get("query"),
                    body=hints.get("body"),
                    answer=idempotent or hints["return"],
                    errors=errors or {},
                    idempotent=idempotent is not None,
                    cached=cached,
                    cookie=cookie,
                    picture=picture,
                    probe=probe,
                    stream=stream,
                    personal=personal,
                    vary=vary,
                    rate=None if probe else rate or own_rate,
                )
                self.endpoints.append(endpoint)
                self.add_url_rule(
                    rule,
                    endpoint=f"{endpoint.name}_{method.lower()}",
                    view_func=_view(handler, endpoint, viewer),
                    methods=[method],
                )
            return handler

        return register

    def _rate(
        self, method: Method, picture: Literal["upload", "answer"] | None, stream: bool
    ) -> RateClass:
        """The class of requests that an endpoint belongs to unless it says otherwise."""
        if stream:
            return "stream"
        if picture is not None:  # a page of cruds asks for many
            return "upload" if picture == "upload" else "other"
        if method == "GET":
            return "read"
        return "account" if self.name == "accounts" else "write"


def resources() -> Resources:
    """What the application opened when it started."""
    found: Resources = current_app.extensions["cruddur"]
    return found


async def body_bytes() -> bytes:
    """The raw body, as far as the route's bound allows.

    Raises:
        werkzeug.exceptions.RequestEntityTooLarge: it is longer.
    """
    data = await request.get_data()
    return data.encode() if isinstance(data, str) else data


async def discard_body() -> None:
    """Read the body and keep nothing of it, for at most the time that a body may take.

    A client that is still sending when the answer arrives finds its connection reset, and never
    sees why.

    Raises:
        werkzeug.exceptions.RequestEntityTooLarge: it is too long anyway.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(request.body_timeout):
            async for _ in request.body:
                pass


def client_address() -> str:
    """The caller's address; behind trusted proxies, the one that they saw."""
    return request.remote_addr or "unknown"


def _access(viewer: Any) -> Access:
    if viewer is None:
        return "open"
    return "required" if viewer in {Viewer, Claimant} else "optional"


def _view(handler: Handler, endpoint: Endpoint, viewer: Any) -> Callable[..., Awaitable[Response]]:
    """The view of a handler, whose `viewer` is declared as this, or not at all."""

    async def view(**arguments: Any) -> Response:
        if viewer is Claimant:
            arguments["viewer"] = claimant = await _claimant()
            try:
                return await answer(arguments)
            except (CruddurError, HTTPException) as refusal:
                # Nothing was done. Before they are told why, their session has to be open.
                current_operation().user_uuid = None
                arguments["viewer"] = await _viewer(endpoint)
                if isinstance(claimant, Viewer) or isinstance(refusal, HTTPException):
                    raise
        elif viewer is not None:
            arguments["viewer"] = await _viewer(endpoint)
        return await answer(arguments)

    async def answer(arguments: dict[str, Any]) -> Response:
        if endpoint.query is not None:
            arguments["query"] = read_query(endpoint.query, request.args)
        if endpoint.body is not None:
            if not request.is_json:
                raise UnsupportedMediaTypeError
            arguments["body"] = body = read_body(endpoint.body, await body_bytes())
            current_operation().bodies.append(body)
        return respond(endpoint, await handler(**arguments))

    view.__name__ = endpoint.name
    return view


async def _claimant() -> Claimant:
    claimant = await resources().authenticator.claim(request.headers.get("Authorization"))
    current_operation().user_uuid = claimant.uuid
    return claimant


async def _viewer(endpoint: Endpoint) -> Viewer | None:
    header = request.headers.get("Authorization")
    authenticator = resources().authenticator
    if (
        endpoint.access == "required"
        or (endpoint.stream and header is not None)
        or (endpoint.personal and holds_token(header))
    ):
        viewer: Viewer | None = await authenticator.require(header)
    else:
        viewer = await authenticator.recognise(header)
    if viewer is not None:
        current_operation().user_uuid = viewer.uuid
    return viewer


def respond(endpoint: Endpoint, answer: Any) -> Response:
    """Turn a handler's answer into the response: encoded once, never cached unasked."""
    if isinstance(answer, Response):
        return answer
    cursor = None
    if isinstance(answer, Paged):
        cursor, answer = answer.cursor, answer.answer
    # An answer that was kept for an Idempotency-Key is sent as it was.
    body = bytes(answer) if isinstance(answer, msgspec.Raw) else msgspec.json.encode(answer)
    response = Response(body, content_type="application/json")
    if cursor is not None:
        arguments = {**request.args.to_dict(), "cursor": cursor}
        response.headers["Link"] = (
            f'<{quote(request.path, safe="/@")}?{urlencode(arguments)}>; rel="next"'
        )
    if endpoint.access != "open":
        response.vary.update(("Authorization", *endpoint.vary))
    if not endpoint.cached:
        response.headers["Cache-Control"] = "no-store"
        return response
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(hashlib.blake2b(body, digest_size=12).hexdigest(), weak=True)
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        not_modified(response)
    return response


def not_modified(response: Response) -> None:
    """Make it a 304: the headers without the body, or the length of one (RFC 9110, 15.4.5)."""
    response.status_code = 304
    response.set_data(b"")
    del response.headers["Content-Length"]
