"""Declare endpoints: the signature of a handler is its declaration.

    @activities.handle("POST", "/api/activities/<uuid:uuid>/reply", summary="…", errors={404: …})
    async def reply(conn: Writing, viewer: Viewer, uuid: UUID, body: ReplyDraft) -> Created: ...

- `viewer: Viewer` requires a valid access token, `viewer: Viewer | None` uses one if it is valid,
  and a handler without `viewer` ignores tokens. An API token is accepted in its place if it has all
  scopes that the endpoint declares; without such a declaration, none is.
- `body` and `query` are drafts of `cruddur.wire`.
- `conn` is a unit of work (`cruddur.services.unit_of_work`). It opens when the request has been
  parsed, and commits when the handler returns. `conn: Writing | None` is None for an anonymous
  caller.
- Other parameters come from the path.
- The return type describes the response, which is always 200 with JSON.

The OpenAPI document is generated from the same declarations.

A token does not show whether its session is still open. The handler's own statement checks that
(`cruddur.db.viewers`). If the request fails before or in that statement, the endpoint checks the
session itself, so a caller whose session has ended always gets 401.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar, get_type_hints
from urllib.parse import quote, urlencode

import msgspec
from quart import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from cruddur.db.pool import DeletedMeanwhileError
from cruddur.errors import (
    CruddurError,
    InvalidError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from cruddur.identity.authenticator import has_token
from cruddur.identity.viewer import Viewer, check_role, check_session
from cruddur.request_context import current_request
from cruddur.resources import Resources
from cruddur.routes.cookies import SUSPENSION, read_cookie
from cruddur.routes.idempotency_key import has_key, idempotent_call
from cruddur.routes.origin import check_origin
from cruddur.routes.parsing import InvalidFieldsError, read_body, read_query
from cruddur.services.idempotency import run_once
from cruddur.services.rates import RateClass
from cruddur.services.shared_pages import Shows, without_hidden
from cruddur.services.unit_of_work import Unit, declared_unit, open_unit, repeated
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Draft, Role, Scope, entity_tag

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]
Access = Literal["open", "optional", "required"]
Handler = Callable[..., Awaitable[Any]]
FieldRules = Callable[[Mapping[str, Any]], Awaitable[Sequence[str]]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """A response that is one page of a list.

    Attributes:
        answer: the page.
        cursor: the cursor of the next page, which goes into `Link`; None for the last page.
        hidden: the handles on the page of users who are hidden from the viewer. What they wrote is
            left out of the response.
        is_private: whether the page is for the viewer alone. Then it has no ETag, and the pages
            that members share do not include it.
        subject: the handle of the user that the whole page is about; None for a list of cruds of
            any authors.
    """

    answer: T
    cursor: str | None
    hidden: frozenset[str] = frozenset()
    is_private: bool = False
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The declaration of one method on one rule; `ApiBlueprint.handle` explains the fields."""

    method: Method
    rule: str
    name: str
    tag: str
    summary: str
    description: str
    access: Access
    unit: Unit | None
    query: type[Draft] | None
    body: type[Draft] | None
    answer: Any
    errors: Mapping[int, Sequence[str]]
    idempotent: bool
    cached: bool
    shows: Shows
    public_feed: bool
    cookie: bool
    picture: Literal["upload", "answer"] | None
    content_type: str
    probe: bool
    untraced: bool
    priority: bool
    stream: bool
    personal: bool
    checks_session: bool
    suspended: bool
    role: Role
    field_rules: FieldRules | None
    vary: Sequence[str]
    rate: RateClass | None
    scopes: Sequence[Scope] | None


class ApiBlueprint(Blueprint):
    """A blueprint with the declarations of its endpoints."""

    def __init__(self, name: str) -> None:
        """Set the name, which is also the tag in the OpenAPI document."""
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
        shows: Shows = "any",
        public_feed: bool = False,
        cookie: bool = False,
        picture: Literal["upload", "answer"] | None = None,
        content_type: str = "application/json",
        probe: bool = False,
        untraced: bool = False,
        priority: bool = False,
        stream: bool = False,
        personal: bool = False,
        checks_session: bool = False,
        suspended: bool = False,
        role: Role = "member",
        field_rules: FieldRules | None = None,
        vary: Sequence[str] = (),
        rate: RateClass | None = None,
        scopes: Sequence[Scope] | None = None,
    ) -> Callable[[H], H]:
        """Register a handler for a method on one or more rules.

        Args:
            method: the HTTP method.
            rules: the paths, with Quart's converters.
            summary: a line for the OpenAPI document.
            errors: the handler's own error codes, by status.
            idempotent: the response's type, if the endpoint honors `Idempotency-Key`. The handler
                returns `Created`, or the bytes of a response that it stored itself.
            cached: the response carries an ETag and may be 304.
            shows: what appears on the page, if all viewers share it (`edge/response_cache.py`).
            public_feed: the page has the cruds of all users, without those of limited ones for
                viewers who do not follow them.
            cookie: the endpoint reads, sets or deletes the refresh cookie.
            picture: the body or the response is a picture instead of JSON.
            content_type: of the response, if it is a text other than JSON.
            probe: monitoring systems call the endpoint every few seconds: no server span, no HTTP
                metrics, no rate limit, and the first few pass while the worker is overloaded.
            untraced: like a probe without server span and HTTP metrics, but with a rate limit.
            priority: the first few requests pass while the worker is overloaded.
            stream: the response is a stream of events. An invalid access token is an error:
                otherwise a member would miss their own events without noticing.
            personal: the response is about the viewer alone. An access token that has expired or
                was revoked is an error: otherwise an empty response would look as if there was
                nothing new.
            checks_session: the endpoint checks the viewer's session before it calls the handler,
                because no statement of the handler does.
            suspended: a suspended user may use it, too, without a token and with the cookie of a
                rejected sign-in. What the handler calls checks the session with `check_session`.
            role: the role that the viewer needs, or a higher one. Others get 403, and so does a
                viewer without a second factor if the settings require one. The endpoint checks
                it, and the viewer's session, before it reads the request.
            field_rules: returns the codes of further rules that the valid fields of a body break,
                if other fields are invalid, so that the response reports all errors. The handler
                checks the same rules.
            vary: request headers other than `Authorization` that change the response.
            rate: the class of requests that share a rate limit, if it does not follow from the
                other arguments.
            scopes: the scopes that an API token needs; None if no API token may use the endpoint.
        """

        default_rate = self._default_rate(method, picture, stream)

        def register(handler: H) -> H:
            hints = get_type_hints(handler, include_extras=True)
            for number, rule in enumerate(rules):
                endpoint = Endpoint(
                    method=method,
                    rule=rule,
                    name=handler.__name__ + (f"_{number + 1}" if number else ""),
                    tag=self.name,
                    summary=summary,
                    description=handler.__doc__ or "",
                    access=_access(hints.get("viewer")),
                    unit=declared_unit(hints.get("conn")),
                    query=hints.get("query"),
                    body=hints.get("body"),
                    answer=idempotent or hints["return"],
                    errors=errors or {},
                    idempotent=idempotent is not None,
                    cached=cached,
                    shows=shows,
                    public_feed=public_feed,
                    cookie=cookie,
                    picture=picture,
                    content_type=content_type,
                    probe=probe,
                    untraced=untraced,
                    priority=priority,
                    stream=stream,
                    personal=personal,
                    checks_session=checks_session,
                    suspended=suspended,
                    role=role,
                    field_rules=field_rules,
                    vary=vary,
                    rate=None if probe else rate or default_rate,
                    scopes=scopes,
                )
                self.endpoints.append(endpoint)
                self.add_url_rule(
                    rule,
                    endpoint=f"{endpoint.name}_{method.lower()}",
                    view_func=_view(handler, endpoint),
                    methods=[method],
                )
            return handler

        return register

    def _default_rate(
        self, method: Method, picture: Literal["upload", "answer"] | None, stream: bool
    ) -> RateClass:
        """Return the rate class of an endpoint that does not declare one."""
        if stream:
            return "stream"
        if picture is not None:  # a page of cruds loads many
            return "upload" if picture == "upload" else "other"
        if method == "GET":
            return "read"
        return "account" if self.name == "accounts" else "write"


def resources() -> Resources:
    """Return the resources that the application opened when it started."""
    opened: Resources = current_app.extensions["cruddur"]
    return opened


async def body_bytes() -> bytes:
    """Return the raw body, up to the route's size limit.

    Raises:
        werkzeug.exceptions.RequestEntityTooLarge: the body is larger.
    """
    data = await request.get_data()
    return data.encode() if isinstance(data, str) else data


async def discard_body() -> None:
    """Read and discard the body, for at most the time that a body may take.

    If a response is sent while the client is still sending, the client finds its connection reset
    and never sees the response.

    Raises:
        werkzeug.exceptions.RequestEntityTooLarge: the body is larger than the route's limit.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(request.body_timeout):
            async for _ in request.body:
                pass


def client_address() -> str:
    """Return the client's address; behind trusted proxies, the address that they report."""
    return request.remote_addr or "unknown"


def _access(viewer: Any) -> Access:
    if viewer is None:
        return "open"
    return "required" if viewer is Viewer else "optional"


def _view(handler: Handler, endpoint: Endpoint) -> Callable[..., Awaitable[Response]]:
    async def answer(**arguments: Any) -> Response:
        if endpoint.access == "open":
            return respond(endpoint, await _call(handler, endpoint, arguments, None))
        header = request.headers.get("Authorization")
        is_required = _requires_viewer(endpoint, header)
        arguments["viewer"] = viewer = await _viewer(endpoint, header, is_required=is_required)
        try:
            async with _prefer_session_error(viewer if is_required else None):
                return respond(endpoint, await _call(handler, endpoint, arguments, viewer))
        except UnauthenticatedError:
            resources().authenticator.evict(header)
            raise

    async def view(**arguments: Any) -> Response:
        # A write may have been committed although its connection broke. With a key, the second
        # call then gets the first response.
        if endpoint.method == "GET" or (endpoint.idempotent and has_key()):
            return await repeated(partial(answer, **arguments))
        return await answer(**arguments)

    view.__name__ = endpoint.name
    return view


@contextlib.asynccontextmanager
async def _prefer_session_error(viewer: Viewer | None) -> AsyncIterator[None]:
    """Check the viewer's session when an error is raised: 401 has precedence over other errors.

    Raises:
        UnauthenticatedError: the session is not open.
    """
    try:
        yield
    except UnauthenticatedError:
        raise
    except (CruddurError, HTTPException, DeletedMeanwhileError):  # perhaps the viewer was deleted
        if viewer is not None:
            await resources().authenticator.check_session(viewer)
        raise


async def _viewer(endpoint: Endpoint, header: str | None, *, is_required: bool) -> Viewer | None:
    authenticator = resources().authenticator
    authenticate = authenticator.require if is_required else authenticator.recognize
    proof = read_cookie(SUSPENSION) if endpoint.suspended and header is None else None
    try:
        if proof is not None:
            check_origin(resources().settings.origins)
            viewer: Viewer | None = await authenticator.require_suspended(proof)
        else:
            viewer = await authenticate(header, endpoint.scopes)
        if viewer is not None and endpoint.role != "member":
            needed = resources().settings.moderator_second_factor == "required"
            async with resources().database.connection() as conn:
                await check_role(conn, viewer, endpoint.role, needs_second_factor=needed)
        elif viewer is not None and endpoint.checks_session:
            await authenticator.check_session(viewer)
    except UnauthenticatedError:
        if is_required:
            raise
        return None
    current_operation().user_uuid = viewer.uuid if viewer else None
    return viewer


def _requires_viewer(endpoint: Endpoint, header: str | None) -> bool:
    return (
        endpoint.access == "required"
        or (endpoint.stream and header is not None)
        or (endpoint.personal and has_token(header))
    )


async def _call(
    handler: Handler, endpoint: Endpoint, arguments: dict[str, Any], viewer: Viewer | None
) -> Any:
    """Parse the request, open the unit of work and call the handler in it."""
    if endpoint.query is not None:
        arguments["query"] = read_query(endpoint.query, request.args)
    if endpoint.body is not None:
        if not request.is_json:
            raise UnsupportedMediaTypeError
        arguments["body"] = body = await _read_body(endpoint, endpoint.body)
        current_operation().bodies.append(body)
    unit = endpoint.unit
    if unit is None:
        return await handler(**arguments)
    if unit.is_optional and viewer is None:
        return await handler(conn=None, **arguments)
    if unit.kind == "reading" and not endpoint.stream:  # a stream begins at the primary's position
        return await resources().reader.read(lambda conn: handler(conn=conn, **arguments))
    database = resources().database
    if viewer is None or not endpoint.idempotent:
        async with open_unit(database, unit.kind) as conn:
            return await handler(conn=conn, **arguments)
    secrets = resources().keys.secrets("idempotency keys")
    call = idempotent_call(str(viewer.uuid), arguments["body"], secrets)
    async with open_unit(database, unit.kind if call is None else "transaction") as conn:
        if call is not None:  # a stored response is replayed without the handler's statement
            await check_session(conn, viewer)
        return await run_once(conn, call, partial(handler, conn=conn, **arguments))


async def _read_body(endpoint: Endpoint, draft: type[Draft]) -> Draft:
    try:
        return read_body(draft, await body_bytes())
    except InvalidFieldsError as error:
        if endpoint.field_rules is None:
            raise
        codes = [*error.codes, *await endpoint.field_rules(error.valid)]
        raise InvalidError(*dict.fromkeys(codes)) from error


def respond(endpoint: Endpoint, answer: Any) -> Response:
    """Encode a handler's result. Without `cached`, the response is never stored."""
    if isinstance(answer, Response):
        return answer
    cursor, is_private = None, False
    if isinstance(answer, Paged):
        cursor, hidden, is_private = answer.cursor, answer.hidden, answer.is_private
        current_request().subject = answer.subject
        answer = answer.answer
        if hidden:
            answer = _visible(answer, hidden)
    # The stored response for an Idempotency-Key is replayed byte for byte.
    if isinstance(answer, msgspec.Raw):
        body = bytes(answer)
    elif endpoint.content_type != "application/json":
        body = answer.encode()
    else:
        body = msgspec.json.encode(answer)
    response = Response(body, content_type=endpoint.content_type)
    if cursor is not None:
        arguments = {**request.args.to_dict(), "cursor": cursor}
        response.headers["Link"] = (
            f'<{quote(request.path, safe="/@")}?{urlencode(arguments)}>; rel="next"'
        )
    if endpoint.access != "open":
        response.vary.update(("Authorization", *endpoint.vary))
    if not endpoint.cached or is_private:
        response.headers["Cache-Control"] = "no-store"
        return response
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(entity_tag(body), weak=True)
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        set_not_modified(response)
    return response


def _visible(answer: Any, hidden: frozenset[str]) -> Any:
    """Return a page without hidden users; all of it for the cache that members share."""
    context = current_request()
    if context.is_shared:
        context.hidden = hidden
        return answer
    return without_hidden(answer, hidden)


def set_not_modified(response: Response) -> None:
    """Turn a response into a 304 without body and length (RFC 9110, 15.4.5)."""
    response.status_code = 304
    response.set_data(b"")
    del response.headers["Content-Length"]
