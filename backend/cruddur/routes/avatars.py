"""Routes for avatars: signed upload URLs, uploads, and the pictures."""

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
from cruddur.routes.origin import public_origin
from cruddur.services import avatars as service
from cruddur.services.unit_of_work import Reading, Transaction
from cruddur.wire import Avatar, AvatarDraft, AvatarQuery, AvatarUpload

UPLOAD_PATH = "/api/avatars/uploads/"

avatars = ApiBlueprint("avatars")


@avatars.handle(
    "POST",
    "/api/avatars/key_upload",
    "/avatars/key_upload",
    summary="Get a URL to upload your picture to",
    scopes=["write"],
    checks_session=True,
)
async def key_upload(viewer: Viewer, body: AvatarDraft) -> AvatarUpload:  # noqa: ARG001  # parsed to check the extension; the bytes decide
    """PUT the file to the URL once, within five minutes, without an access token."""
    token = resources().uploads.sign(viewer.uuid)
    return AvatarUpload(f"{public_origin(resources().settings.backend_origin)}{UPLOAD_PATH}{token}")


@avatars.handle(
    "PUT",
    f"{UPLOAD_PATH}<token>",
    summary="Upload a picture",
    picture="upload",
    errors={
        403: ["generic_403"],
        404: ["not_found"],
        422: ["avatar_invalid"],
        429: ["rate_limited"],
    },
)
async def upload(token: str, query: AvatarQuery) -> Avatar:
    """JPEG, PNG, GIF or WebP up to 8 MiB, stored as a JPEG of 512 by 512 pixels. The URL can be
    used until a picture is decoded, even if decoding fails. A picture that is rejected earlier may
    be replaced by another one."""
    signed_upload = resources().uploads.read(token)
    target = service.target(query.square)
    converter, database = resources().picture_converter, resources().database
    try:
        with converter.slot(signed_upload.user_uuid):
            data = await body_bytes()
            await converter.check(data, error_code="avatar_invalid")
            async with database.writing() as conn:
                await service.use(conn, signed_upload)
            [encoded] = await converter.convert(data, [target], error_code="avatar_invalid")
            async with database.writing() as conn:
                return await service.save(conn, signed_upload.user_uuid, encoded.data)
    except (OverloadedError, RateLimitedError):
        await discard_body()
        raise


@avatars.handle("DELETE", "/api/avatars/me", summary="Remove your picture", scopes=["write"])
async def remove(conn: Transaction, viewer: Viewer) -> Avatar:
    """Addresses of the picture return 404 from then on. Without a picture, nothing changes."""
    return await service.remove(conn, viewer)


@avatars.handle(
    "GET",
    "/api/avatars/<subject>.jpg",
    summary="A user's picture",
    picture="answer",
    errors={404: ["not_found"]},
)
async def show(conn: Reading, subject: str) -> Response:
    """With the picture's digest in `?v=`, browsers keep it for a year; otherwise, for a minute.
    Shared caches ask again after a minute, so that they lose a picture that was removed."""
    picture = await service.show(conn, subject)
    response = Response(picture.jpeg, content_type="image/jpeg")
    response.set_etag(picture.digest)
    is_pinned = request.args.get("v") == picture.digest
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, s-maxage=60, immutable" if is_pinned else "public, max-age=60"
    )
    if request.if_none_match.contains(picture.digest):
        set_not_modified(response)
    return response
