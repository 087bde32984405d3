"""Route for the pictures of link previews."""

from uuid import UUID

from quart import Response

from cruddur.routes.endpoint import ApiBlueprint
from cruddur.services import previews as service
from cruddur.services.unit_of_work import Reading

previews = ApiBlueprint("previews")


@previews.handle(
    "GET",
    "/api/previews/<uuid:uuid>.jpg",
    summary="The picture of a link preview",
    picture="answer",
    errors={404: ["not_found"]},
)
async def show(conn: Reading, uuid: UUID) -> Response:
    """Served while a live crud has the preview, and cached for at most an hour of that time."""
    picture = await service.show_picture(conn, uuid)
    response = Response(picture.jpeg, content_type="image/jpeg")
    seconds = min(picture.seconds_left, service.PICTURE_CACHE_SECONDS)
    response.headers["Cache-Control"] = f"private, max-age={seconds}"
    return response
