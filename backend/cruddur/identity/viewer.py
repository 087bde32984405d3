"""The user that a request acts for, and the check that their session is open."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from cruddur.db import sessions as db
from cruddur.db.statements import Connection
from cruddur.errors import UnauthenticatedError
from cruddur.telemetry.operation import current_operation

T = TypeVar("T")


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
    """

    uuid: UUID
    session_uuid: UUID | None
    handle: str
    issuer: str
    subject: str
    access_token: str
    access_ends_at: datetime | None = None


def admitted(found: T | None) -> T:
    """Return what a statement found for a viewer.

    Raises:
        UnauthenticatedError: it found None or False, because the viewer's session is not open.
    """
    if found is None or found is False:
        current_operation().user_uuid = None
        raise UnauthenticatedError
    return found


async def check_session(conn: Connection, viewer: Viewer) -> None:
    """Check the viewer's session with a statement of its own.

    Raises:
        UnauthenticatedError: the session is not open, or the account was deleted.
    """
    admitted(await db.select_is_open(conn, viewer=viewer))
