"""Pages of cruds that all members share, apart from each member's own marks.

These are `liked` and `reposted` of a crud, and `followed` of a profile.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from cruddur.db.page_changes import PageChanges, Shows
from cruddur.db.pool import Database
from cruddur.db.reactions import Marks, select_marks
from cruddur.identity.authenticator import Authenticator
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Crud, Profile, Scope

__all__ = ["MarksReader", "SharedPage", "Shows", "read_marks"]


class _Fields(Struct):
    """A ProfileFeed or a CrudPage, in the order of their fields."""

    profile: Profile | UnsetType = UNSET
    activities: list[Crud] | UnsetType = UNSET
    activity: Crud | UnsetType = UNSET
    replies: list[Crud] | UnsetType = UNSET
    ancestors: list[Crud] | UnsetType = UNSET


SCOPES: Sequence[Scope] = ("read",)
"""The scopes that an API token needs to read pages that members share."""

_DECODER = msgspec.json.Decoder(list[Crud] | _Fields)


class SharedPage:
    """A page into which the marks of one member after the other are written.

    Attributes:
        cruds: the cruds on the page.
        users: the user whose profile the page is about, if there is one.
    """

    def __init__(self, body: bytes) -> None:
        """Decode the response to any member; the marks in it do not matter."""
        self._page = _DECODER.decode(body)
        self._cruds = _cruds(self._page)
        self._profile = self._page.profile or None if isinstance(self._page, _Fields) else None
        self.cruds: Sequence[UUID] = [crud.uuid for crud in self._cruds]
        self.users: Sequence[UUID] = [] if self._profile is None else [self._profile.uuid]

    @property
    def uuids(self) -> Sequence[UUID]:
        """The cruds and users that the page shows."""
        return [*self.cruds, *self.users]

    def render(self, marks: Marks) -> bytes:
        """Return the response to the member who has these marks."""
        for crud in self._cruds:
            crud.liked = crud.uuid in marks.liked
            crud.reposted = crud.uuid in marks.reposted
        if self._profile is not None:
            self._profile.followed = self._profile.uuid in marks.followed
        return msgspec.json.encode(self._page)


MarksReader: TypeAlias = Callable[[str, SharedPage], Awaitable[Marks | None]]
"""Returns the marks of the member of an `Authorization` header, as `read_marks` does."""


async def read_marks(
    authenticator: Authenticator,
    database: Database,
    changes: PageChanges,
    header: str,
    page: SharedPage,
) -> Marks | None:
    """Return the marks that the member of an `Authorization` header has on a page.

    Returns:
        None if there is no valid token, or if its session is not open.

    Raises:
        InsufficientScopeError: the token is an API token that may not read.
        DatabaseUnavailableError: see `Database.connection`.
    """
    viewer = await authenticator.recognize(header, SCOPES)
    if viewer is None:
        return None
    async with database.connection() as conn:
        marks = await select_marks(conn, changes, viewer=viewer, uuids=page.cruds, users=page.users)
    current_operation().user_uuid = marks.viewer
    return None if marks.viewer is None else marks


def _cruds(page: list[Crud] | _Fields) -> list[Crud]:
    if isinstance(page, list):
        return page
    single = [] if page.activity is UNSET else [page.activity]
    replies = page.replies or ()
    nested = [crud for reply in replies for crud in reply.replies]
    return [*single, *(page.activities or ()), *(page.ancestors or ()), *replies, *nested]
