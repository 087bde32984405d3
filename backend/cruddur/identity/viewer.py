"""The user that a request acts for, and the check that their session is open."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from cruddur.db import moderation as moderation_db
from cruddur.db import sessions as db
from cruddur.db import users as users_db
from cruddur.db.statements import Connection
from cruddur.errors import ForbiddenError, UnauthenticatedError
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Role

T = TypeVar("T")

RANKS: dict[Role, int] = {"member": 0, "moderator": 1, "admin": 2}
"""A role may do all that a lower one may."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user of a verified access token, or the demo identity.

    The token does not show whether the session is still open. The statement that acts for the
    viewer checks that (`cruddur.db.viewers`).

    Attributes:
        uuid: the user.
        session_uuid: None for the demo identity and for tokens of another issuer.
        handle: the user's handle.
        issuer: the issuer of the user's tokens.
        subject: the user's name with that issuer.
        access_token: empty for the demo identity.
        access_ends_at: when the token expires; None for the demo identity.
        is_suspended: whether they have shown the proof of a sign-in that was rejected because they
            are suspended (`cruddur.identity.suspension`), instead of a token.
    """

    uuid: UUID
    session_uuid: UUID | None
    handle: str
    issuer: str
    subject: str
    access_token: str
    access_ends_at: datetime | None = None
    is_suspended: bool = False


def require_open_session(result: T | None) -> T:
    """Return the result of a statement that acts for a viewer.

    Raises:
        UnauthenticatedError: the result is None or False: the viewer's session is not open.
    """
    if result is None or result is False:
        current_operation().user_uuid = None
        raise UnauthenticatedError
    return result


async def check_session(conn: Connection, viewer: Viewer) -> None:
    """Check with a separate statement that the viewer's session is open.

    A suspended viewer has none: they must still be suspended.

    Raises:
        UnauthenticatedError: the session is not open, the suspension is over, or the account was
            deleted.
    """
    if viewer.is_suspended:
        require_open_session(await users_db.select_suspended(conn, uuid=viewer.uuid))
    else:
        require_open_session(await db.select_is_open(conn, viewer=viewer))


async def check_role(
    conn: Connection, viewer: Viewer, role: Role, *, needs_second_factor: bool
) -> None:
    """Check that the viewer's session is open, and that they have a role or a higher one.

    Args:
        conn: a connection.
        viewer: the viewer.
        role: the role.
        needs_second_factor: their account also needs a second factor.

    Raises:
        UnauthenticatedError: the session is not open, or the account was deleted.
        ForbiddenError: they have a lower role; second_factor_required.
    """
    own = require_open_session(await moderation_db.select_role(conn, viewer=viewer))
    if RANKS[own.role] < RANKS[role]:
        raise ForbiddenError
    if needs_second_factor and not own.has_second_factor:
        raise ForbiddenError("second_factor_required")
