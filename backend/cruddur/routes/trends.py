"""Routes for the tags of live cruds."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services import trends as service
from cruddur.services.unit_of_work import Reading
from cruddur.wire import Tag, TagPrefix

trends = ApiBlueprint("trends")


@trends.handle("GET", "/api/trending", summary="The most common tags of live cruds")
async def trending() -> list[Tag]:
    """The most common tag is first."""
    return await service.trending(resources().tags)


@trends.handle("GET", "/api/tags", summary="Tags by their beginning", scopes=["read"])
async def tags_by_prefix(conn: Reading, viewer: Viewer, query: TagPrefix) -> list[str]:
    """For the completion of a hashtag: at most eight tags of live cruds, in alphabetical order."""
    return await service.tags_by_prefix(conn, viewer, query.prefix)
