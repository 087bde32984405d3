"""Routes to report cruds, profiles and messages."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.wire import Report, ReportDraft

reports = ApiBlueprint("reports")


@reports.handle(
    "POST",
    "/api/reports",
    summary="Report a crud, a profile or a message",
    errors={404: ["not_found"], 422: ["report_own"]},
)
async def create(viewer: Viewer, body: ReportDraft) -> Report:
    """Stores a sealed copy, which only moderators can read. The same report again has no effect. A
    crud that was deleted within ten minutes can be reported for ten more minutes."""
    return await resources().reports.create(viewer, body)
