"""The stream of what happens, as server-sent events."""

from quart import Response, request

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import Area, client_address, resources
from cruddur.services import live as service
from cruddur.services.client_addresses import address_key
from cruddur.wire import StreamQuery, Ticket

live = Area("live")


@live.handle(
    "GET",
    "/api/stream",
    summary="What happens, as it happens",
    events=True,
    errors={
        404: ["not_found"],
        422: ["filter_invalid"],
        429: ["rate_limited"],
    },
)
async def stream(viewer: Viewer | None, query: StreamQuery) -> Response:
    """Server-sent events: `crud` (new, as a visitor sees it), `counts`, `gone` (deleted or
    expired) and `reset` (too much was missed: read everything anew); to a member also the
    `message` and `notification` that are for them. `last_event_id`, or the header
    `Last-Event-ID`, resumes a stream without a loss. A stream of a member ends when the
    session does."""
    async with resources().database.connection() as conn:
        whose = service.admission(viewer) if viewer else None
        if whose is None and query.ticket is not None:
            whose = await service.take_ticket(conn, query.ticket)
        response = Response(content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"  # nginx
        if request.method == "HEAD":
            return response
        # Who holds the connection goes on with it (telemetry/server.py): a request that lasts
        # for hours would keep all that belongs to one. It is told at once, as the caller may
        # leave at any moment and the stream would be nobody's.
        request.scope["cruddur.stream"] = await service.listen(  # type: ignore[typeddict-unknown-key]  # as said
            conn,
            resources().live,
            whose,
            query,
            last_event_id=request.headers.get("Last-Event-ID", query.last_event_id),
            address=address_key(client_address()),
        )
    del response.headers["Content-Length"]
    return response


@live.handle("POST", "/api/stream/ticket", summary="A ticket to open a stream with")
async def ticket(viewer: Viewer) -> Ticket:
    """Good once and for half a minute, for `?ticket=`: an access token has no place in an
    address, and `EventSource` cannot send headers."""
    async with resources().database.writing() as conn:
        return await service.give_ticket(conn, viewer)
