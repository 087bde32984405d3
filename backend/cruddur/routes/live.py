"""Routes for the stream of live events."""

from quart import Response, request

from cruddur.identity.viewer import Viewer, check_session
from cruddur.request_context import current_request
from cruddur.routes.endpoint import ApiBlueprint, client_address, resources
from cruddur.services import live as service
from cruddur.services.client_addresses import address_key
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import StreamQuery, Ticket

live = ApiBlueprint("live")


@live.handle(
    "GET",
    "/api/stream",
    summary="Stream live events",
    scopes=["read", "message"],
    stream=True,
    errors={
        404: ["not_found"],
        422: ["filter_invalid"],
        429: ["rate_limited"],
    },
)
async def stream(conn: Reading, viewer: Viewer | None, query: StreamQuery) -> Response:
    """Server-sent events: `crud` (a new one, as an anonymous user sees it), `counts`, `gone`
    (deleted or expired), `user` (another name or picture), `instance` (other settings or
    announcements) and `reset` (too many events were missed, so reload everything). A member also
    gets their own `message`, `notification` and `follow` events, `request` (a stranger's message),
    and `hidden` when a block or mute hides a user or shows them again. With `feed=following`, it
    sends only the cruds of what the member follows. `last_event_id`, or the header
    `Last-Event-ID`, resumes a stream without loss. A member's stream ends with the session."""
    user = service.stream_user(viewer) if viewer else None
    if user is None and query.ticket is not None:
        user = await service.redeem_ticket(conn, query.ticket)
    response = Response(content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx
    if request.method == "HEAD":
        if viewer is not None:
            await check_session(conn, viewer)
        return response
    # The edge runs the stream after this request has ended (edge/streams.py), because a request
    # that lasts for hours would hold all its resources. The edge must know the stream at once: if
    # the client leaves at any later moment, the edge releases it.
    current_request().stream = await service.open_stream(
        conn,
        resources().live,
        user,
        query,
        last_event_id=request.headers.get("Last-Event-ID", query.last_event_id),
        address=address_key(client_address()),
    )
    del response.headers["Content-Length"]
    return response


@live.handle(
    "POST",
    "/api/stream/ticket",
    summary="Get a ticket to open a stream",
    scopes=["read", "message"],
)
async def ticket(conn: Writing, viewer: Viewer) -> Ticket:
    """For `?ticket=`, valid once and for 30 seconds. `EventSource` cannot send headers, and an
    access token must not be part of a URL."""
    return await service.create_ticket(conn, viewer)
