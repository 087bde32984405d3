"""Routes for the pictures of cruds: uploads, and the files."""

from uuid import UUID

from quart import Response, request

from cruddur.errors import OverloadedError, RateLimitedError
from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import (
    ApiBlueprint,
    body_bytes,
    discard_body,
    resources,
    set_not_modified,
)
from cruddur.services import crud_pictures as service
from cruddur.wire import UploadedPicture

UPLOAD_PATH = "/api/pictures"

crud_pictures = ApiBlueprint("crud_pictures")


@crud_pictures.handle(
    "POST",
    UPLOAD_PATH,
    summary="Upload a picture for a crud",
    scopes=["write"],
    picture="upload",
    checks_session=True,
    errors={422: ["picture_invalid", "too_many_pictures"]},
)
async def create(viewer: Viewer) -> UploadedPicture:
    """The body is a JPEG, PNG, GIF or WebP up to 8 MiB. It is stored as a JPEG of at most 2,048
    pixels a side, without metadata. Name its uuid in `pictures` of a crud or a reply within an
    hour; until then no one sees it, and after that it is deleted. A member uploads one picture at a
    time."""
    converter = resources().picture_converter
    try:
        with converter.slot(viewer.uuid):
            data = await body_bytes()
            await converter.check(data, error_code="picture_invalid")
            files = await converter.convert(data, service.targets(), error_code="picture_invalid")
            return await resources().crud_pictures.save(viewer, files)
    except (OverloadedError, RateLimitedError):
        await discard_body()
        raise


@crud_pictures.handle(
    "GET",
    f"{UPLOAD_PATH}/<uuid:uuid>.jpg",
    summary="A picture of a live crud",
    picture="answer",
)
async def show(uuid: UUID) -> Response:
    """Cached for a minute, and never for longer than its crud lives."""
    return await _file(uuid, "full")


@crud_pictures.handle(
    "GET",
    f"{UPLOAD_PATH}/<uuid:uuid>/thumbnail.jpg",
    summary="A picture of a live crud, at most 800 pixels a side",
    picture="answer",
)
async def thumbnail(uuid: UUID) -> Response:
    """Cached for a minute, and never for longer than its crud lives."""
    return await _file(uuid, "thumbnail")


async def _file(uuid: UUID, size: service.Size) -> Response:
    tag = f"{uuid}-{size}"  # the file of a picture never changes
    has_copy = request.if_none_match.contains(tag)
    shown = await resources().crud_pictures.show(uuid, size, has_copy=has_copy)
    response = Response(shown.jpeg, content_type="image/jpeg")
    response.set_etag(tag)
    seconds = min(service.CACHE_SECONDS, shown.seconds_left)
    response.headers["Cache-Control"] = f"public, max-age={seconds}, must-revalidate"
    if has_copy:
        set_not_modified(response)
    return response
