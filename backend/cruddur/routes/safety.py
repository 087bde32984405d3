"""Routes for blocks and mutes."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged
from cruddur.services import safety as service
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import BlockedUser, MuteDraft, MutedUser, Paging, Relation

safety = ApiBlueprint("safety")


@safety.handle(
    "PUT",
    "/api/users/@<handle>/block",
    summary="Block a user",
    scopes=["write"],
    errors={404: ["not_found"], 422: ["block_self"]},
)
async def block(conn: Writing, viewer: Viewer, handle: str) -> Relation:
    """Both users disappear for each other, and do not follow each other any more. Idempotent."""
    return await service.block(conn, viewer, handle)


@safety.handle(
    "DELETE",
    "/api/users/@<handle>/block",
    summary="End a block",
    scopes=["write"],
    errors={404: ["not_found"], 422: ["block_self"]},
)
async def unblock(conn: Writing, viewer: Viewer, handle: str) -> Relation:
    """Idempotent. It does not bring follows back."""
    return await service.unblock(conn, viewer, handle)


@safety.handle(
    "PUT",
    "/api/users/@<handle>/mute",
    summary="Mute a user",
    scopes=["write"],
    errors={404: ["not_found"], 422: ["mute_self"]},
)
async def mute(conn: Writing, viewer: Viewer, handle: str, body: MuteDraft) -> Relation:
    """Their cruds, reposts and notifications disappear for the viewer alone. Another `duration`
    replaces the one before."""
    return await service.mute(conn, viewer, handle, body)


@safety.handle(
    "DELETE",
    "/api/users/@<handle>/mute",
    summary="End a mute",
    scopes=["write"],
    errors={404: ["not_found"], 422: ["mute_self"]},
)
async def unmute(conn: Writing, viewer: Viewer, handle: str) -> Relation:
    """Idempotent."""
    return await service.unmute(conn, viewer, handle)


@safety.handle(
    "GET",
    "/api/blocks",
    summary="The users that the viewer blocks",
    scopes=["read"],
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def blocks(conn: Reading, viewer: Viewer, query: Paging) -> Paged[list[BlockedUser]]:
    """The latest block is first."""
    page = await service.blocks(conn, viewer, query)
    return Paged(page.items, page.cursor)


@safety.handle(
    "GET",
    "/api/mutes",
    summary="The users that the viewer mutes",
    scopes=["read"],
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def mutes(conn: Reading, viewer: Viewer, query: Paging) -> Paged[list[MutedUser]]:
    """The latest mute is first."""
    page = await service.mutes(conn, viewer, query)
    return Paged(page.items, page.cursor)
