"""Routes for trending tags."""

from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services import trends as service
from cruddur.wire import Tag

trends = ApiBlueprint("trends")


@trends.handle("GET", "/api/trending", summary="The most common tags of live cruds")
async def trending() -> list[Tag]:
    """The most common tag is first."""
    return await service.trending(resources().tags)
