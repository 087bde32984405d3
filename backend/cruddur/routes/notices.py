"""Routes for what moderators decided about the viewer."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged
from cruddur.services import notices as service
from cruddur.services.unit_of_work import Reading, Transaction, Writing
from cruddur.wire import AppealDraft, Appealed, Notice, Paging

notices = ApiBlueprint("notices")


@notices.handle(
    "GET",
    "/api/notices",
    summary="What moderators decided about the viewer",
    errors={422: ["cursor_invalid"]},
)
async def show(conn: Writing, viewer: Viewer, query: Paging) -> Paged[list[Notice]]:
    """The latest first, each with its reason. Reading them marks them read."""
    page = await service.notices(conn, viewer, query)
    return Paged(page.items, page.cursor)


@notices.handle(
    "GET",
    "/api/auth/suspension",
    summary="Why the account is suspended",
    suspended=True,
    errors={404: ["not_found"]},
)
async def suspension(conn: Reading, viewer: Viewer) -> Notice:
    """The decision that suspends it now. 404 for a member."""
    return await service.suspension(conn, viewer)


@notices.handle(
    "POST",
    "/api/notices/<uuid:uuid>/appeal",
    summary="Appeal against a decision",
    suspended=True,
    errors={422: ["appeal_used"]},
)
async def appeal(conn: Transaction, viewer: Viewer, uuid: UUID, body: AppealDraft) -> Appealed:
    """Once for each decision."""
    await service.appeal(conn, viewer, uuid, body)
    return Appealed()
