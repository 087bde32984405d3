"""What live cruds are about."""

from cruddur.routes.endpoint import Area, resources
from cruddur.services import trends as service
from cruddur.wire import Tag

trends = Area("trends")


@trends.handle("GET", "/api/trending", summary="The tags that most live cruds carry")
async def trending() -> list[Tag]:
    """The commonest first."""
    return await service.trending(resources().tags)
