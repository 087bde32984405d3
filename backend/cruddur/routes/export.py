"""Routes for a member's copy of their own data."""

from quart import Response, request

from cruddur.identity.viewer import Viewer, check_session
from cruddur.request_context import current_request
from cruddur.routes.endpoint import ApiBlueprint, Paged, resources
from cruddur.services import export as service
from cruddur.services import moderation
from cruddur.services.unit_of_work import Reading
from cruddur.wire import AuditExportQuery

export = ApiBlueprint("export")


@export.handle(
    "GET",
    "/api/auth/export",
    summary="Everything that is stored about the viewer, as a ZIP archive",
    stream=True,
    suspended=True,
    content_type="application/zip",
    errors={429: ["rate_limited"]},
)
async def archive(conn: Reading, viewer: Viewer) -> Response:
    """JSON and pictures, three times in 24 hours. docs/export.md describes the files. If the
    session or the suspension ends, the connection is closed before the end of the archive."""
    response = Response(content_type="application/zip")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = f'attachment; filename="cruddur-{viewer.handle}.zip"'
    await check_session(conn, viewer)
    if request.method == "HEAD":
        return response
    await service.count_export(conn, viewer)
    opened = resources()
    current_request().stream = service.Export(
        viewer,
        opened.database,
        opened.crud_pictures,
        opened.evidence_sealer,
        opened.telemetry.instruments,
    )
    del response.headers["Content-Length"]
    return response


@export.handle(
    "GET",
    "/api/auth/audit.jsonl",
    summary="What the audit log says about the viewer, as JSON lines",
    content_type="application/jsonl",
    errors={422: ["cursor_invalid"]},
)
async def own_audit(conn: Reading, viewer: Viewer, query: AuditExportQuery) -> Paged[str]:
    """The oldest entry first; `Link` leads to the next part. The viewer's own acts, and decisions
    about them, without the moderator who decided."""
    await check_session(conn, viewer)
    page = await moderation.own_audit(conn, viewer, query)
    return Paged(moderation.as_lines(page.items), page.cursor)
