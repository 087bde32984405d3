"""Pages of cruds that all members share, apart from what depends on the member who reads them.

These are `liked` and `reposted` of a crud, `followed` of a profile, and the users who are hidden
from the member.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from cruddur.db.page_changes import PageChanges, Shows
from cruddur.db.pool import Database
from cruddur.db.reactions import Marks, select_marks
from cruddur.identity.authenticator import Authenticator
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Crud, Profile, Scope

__all__ = ["MarksReader", "SharedPage", "Shows", "read_marks", "without_hidden"]

P = TypeVar("P")


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
        handles: the handles of all users on the page.
        subject: the handle of the user that the whole page is about: the owner of the profile, or
            the author of the crud. None for a list of cruds of any authors.
    """

    def __init__(self, body: bytes, subject: str | None) -> None:
        """Decode the complete response to any member; the marks in it do not matter."""
        self._page = _DECODER.decode(body)
        self._cruds = _cruds(self._page)
        self._profile = self._page.profile or None if isinstance(self._page, _Fields) else None
        self.cruds: Sequence[UUID] = [crud.uuid for crud in self._cruds]
        self.users: Sequence[UUID] = [] if self._profile is None else [self._profile.uuid]
        self.subject = subject
        self.handles: Sequence[str] = list(
            dict.fromkeys(filter(None, [self.subject, *_handles(self._cruds)]))
        )

    @property
    def uuids(self) -> Sequence[UUID]:
        """The cruds and users that the page shows."""
        return [*self.cruds, *self.users]

    def render(self, marks: Marks) -> bytes:
        """Return the response to the member who has these marks.

        The subject of the page is not hidden from this member.
        """
        for crud in self._cruds:
            crud.liked = crud.uuid in marks.liked
            crud.reposted = crud.uuid in marks.reposted
        if self._profile is not None:
            self._profile.followed = self._profile.uuid in marks.followed
        return msgspec.json.encode(without_hidden(self._page, marks.hidden))

    def without(self, hidden: Collection[str]) -> bytes:
        """Return the response that was decoded, without the users with these handles."""
        return msgspec.json.encode(without_hidden(self._page, hidden))


MarksReader: TypeAlias = Callable[[str, SharedPage, bool], Awaitable[Marks | None]]
"""Returns the marks of the member of an `Authorization` header on a page, which may be a public
feed, as `read_marks` does."""


async def read_marks(
    authenticator: Authenticator,
    database: Database,
    changes: PageChanges,
    header: str,
    page: SharedPage,
    *,
    is_public_feed: bool,
) -> Marks | None:
    """Return the marks that the member of an `Authorization` header has on a page.

    On a public feed, limited users are hidden from members who do not follow them.

    Returns:
        None if there is no valid token, or if its session is not open.

    Raises:
        InsufficientScopeError: the token is an API token without the scope `read`.
        DatabaseUnavailableError: see `Database.connection`.
    """
    viewer = await authenticator.recognize(header, SCOPES)
    if viewer is None:
        return None
    async with database.connection() as conn:
        marks = await select_marks(
            conn,
            changes,
            viewer=viewer,
            uuids=page.cruds,
            users=page.users,
            handles=page.handles,
            is_public_feed=is_public_feed,
        )
    current_operation().user_uuid = marks.viewer
    return None if marks.viewer is None else marks


def without_hidden(page: P, hidden: Collection[str]) -> P:
    """Return a page without what users with some handles wrote or reposted.

    A reply to one of them is kept, but does not name them. Of the cruds above a crud, only those
    below the last hidden one are left. The profile of such a user is that of a muted one.

    Args:
        page: a list of cruds, a ProfileFeed or a CrudPage, which is not changed.
        hidden: the handles.
    """
    if not hidden:
        return page
    if isinstance(page, list):
        return _visible(page, hidden)  # type: ignore[return-value]  # a list, as P is
    changes: dict[str, Any] = {}
    for name in ("activities", "replies"):
        if cruds := getattr(page, name, UNSET):
            changes[name] = _visible(cruds, hidden)
    if ancestors := getattr(page, "ancestors", UNSET):
        changes["ancestors"] = _visible(_below_hidden(ancestors, hidden), hidden)
    if activity := getattr(page, "activity", UNSET):
        changes["activity"] = _without_parent(activity, hidden)
    if (profile := getattr(page, "profile", UNSET)) and profile.handle in hidden:
        changes["profile"] = structs.replace(profile, muted=True)
    return structs.replace(page, **changes)  # type: ignore[type-var]  # the others are structs


def _visible(cruds: Iterable[Crud], hidden: Collection[str]) -> list[Crud]:
    return [
        _without_parent(crud, hidden)
        for crud in cruds
        if crud.handle not in hidden and crud.reposted_by not in hidden
    ]


def _without_parent(crud: Crud, hidden: Collection[str]) -> Crud:
    """Return a crud that does not name a hidden author of its parent, nor has hidden replies."""
    if crud.reply_to_handle in hidden:
        crud = structs.replace(crud, reply_to_handle=UNSET)
    if crud.replies:
        crud = structs.replace(crud, replies=_visible(crud.replies, hidden))
    return crud


def _below_hidden(ancestors: Sequence[Crud], hidden: Collection[str]) -> Sequence[Crud]:
    for index in range(len(ancestors) - 1, -1, -1):
        if ancestors[index].handle in hidden:
            return ancestors[index + 1 :]
    return ancestors


def _cruds(page: list[Crud] | _Fields) -> list[Crud]:
    if isinstance(page, list):
        return page
    single = [] if page.activity is UNSET else [page.activity]
    replies = page.replies or ()
    nested = [crud for reply in replies for crud in reply.replies]
    return [*single, *(page.activities or ()), *(page.ancestors or ()), *replies, *nested]


def _handles(cruds: Iterable[Crud]) -> Iterable[str | None]:
    for crud in cruds:
        yield from (crud.handle, crud.reply_to_handle or None, crud.reposted_by or None)
