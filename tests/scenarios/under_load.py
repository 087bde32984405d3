"""Serve an application during a load."""

from collections.abc import Sequence
from uuid import UUID

from quart import Quart
from traffic import Load, everybody

from cruddur.identity.tokens import issue
from cruddur.resources import Resources
from load.people import handle_of
from support import visiting


async def serve(app: Quart, members: Sequence[UUID], users_load: Load) -> None:
    """Serve an application during a load; all its telemetry is exported when it has stopped."""
    async with app.test_app(), visiting(app) as api:
        tokens = await sign_in(app, members)
        await users_load(everybody(api.http, tokens))


async def sign_in(app: Quart, members: Sequence[UUID]) -> list[str]:
    """Return an access token for each member, without the cost of hashing a password."""
    resources: Resources = app.extensions["cruddur"]
    async with resources.database.writing() as conn:
        sessions = await conn.fetch(
            "INSERT INTO sessions (user_uuid, device, address, expires_at)"
            " SELECT member, 'test', '127.0.0.1', now() + interval '1 day'"
            " FROM unnest($1::uuid[]) AS member RETURNING uuid, user_uuid",
            members,
        )
    opened = {row["user_uuid"]: row["uuid"] for row in sessions}
    return [
        issue(resources.keys, user_uuid=uuid, handle=handle_of(number), session_uuid=opened[uuid])
        for number, uuid in enumerate(members, 1)
    ]
