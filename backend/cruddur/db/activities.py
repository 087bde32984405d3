"""Queries for cruds and replies, which are read only through the view live_activities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows, public_rows
from cruddur.wire import Crud, Picture, Preview, Profile

_HOME = load("activities.home")
_FOLLOWING = load("activities.following")
_PROFILE = load("activities.profile")
_PAGE = load("activities.page")
_IS_LIVE = load("activities.is_live")
_SEARCH = load("activities.search")
_CREATE = load("activities.create")
_REPLY = load("activities.reply")
_DELETE = load("activities.delete")

_FEW_FOLLOWED = 100
"""Followed users that are looked up one by one. A page costs less than everyone's newest cruds."""

_MAX_PASSED = 2000
"""Newest cruds and reposts that are passed to find those of many followed users."""

_PREVIEW = msgspec.json.Decoder(Preview)


@dataclass(frozen=True, slots=True)
class ListedCrud:
    """A crud and its position in the list.

    Attributes:
        crud: the crud.
        position: a time or a rank.
        hidden: the handles of its author, and of the author of its parent, if they are hidden from
            the viewer.
    """

    crud: Crud
    position: datetime | int
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Thread:
    """A crud with what is above and below it.

    Attributes:
        crud: the crud.
        ancestors: the crud that it replies to, the one that this replies to, and so on; the oldest
            first.
        replies: the replies to the crud, the oldest first. Each has its own first replies.
        hidden: the handles of authors in the thread who are hidden from the viewer.
    """

    crud: Crud
    ancestors: list[Crud]
    replies: list[ListedCrud]
    hidden: frozenset[str] = frozenset()


class _StoredPicture(Struct):
    """An element of `activities.pictures`."""

    uuid: UUID
    alt: str
    width: int
    height: int


_PICTURES = msgspec.json.Decoder(list[_StoredPicture])


def pictures(stored: str | None) -> list[Picture]:
    """Convert the column `pictures` of a crud."""
    if stored is None:
        return []
    return [
        Picture(
            url=f"/api/pictures/{picture.uuid}.jpg",
            thumbnail_url=f"/api/pictures/{picture.uuid}/thumbnail.jpg",
            alt=picture.alt,
            width=picture.width,
            height=picture.height,
        )
        for picture in _PICTURES.decode(stored)
    ]


def crud(row: Row, viewer: UUID | None) -> Crud:
    """Convert a row to a crud. Without a viewer, `liked` and `reposted` are left out."""
    return Crud(
        uuid=row["uuid"],
        display_name=row["display_name"],
        handle=row["handle"],
        avatar_url=row["avatar_url"],
        message=row["message"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        replies_count=row["replies_count"],
        reposts_count=row["reposts_count"],
        likes_count=row["likes_count"],
        reply_to_activity_uuid=row["reply_to_activity_uuid"],
        reply_to_handle=row["reply_to_handle"] or UNSET,
        preview=_PREVIEW.decode(row["preview"]) if row["preview"] else UNSET,
        liked=UNSET if viewer is None else row["liked"],
        reposted=UNSET if viewer is None else row["reposted"],
        pictures=pictures(row["pictures"]),
    )


def hidden_handles(row: Row) -> frozenset[str]:
    """Return the handles on a crud that are hidden from the viewer."""
    if not (row["is_hidden"] or row["is_parent_hidden"]):
        return frozenset()
    names = {"is_hidden": "handle", "is_parent_hidden": "reply_to_handle"}
    return frozenset(row[name] for column, name in names.items() if row[column])


async def select_home(
    conn: Connection,
    *,
    viewer: ViewerIds | None,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[ListedCrud]:
    """Return the newest live top-level cruds before a position."""
    rows = await public_rows(
        _HOME, conn, viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return _listed(rows, "created_at")


async def select_following(
    conn: Connection,
    *,
    viewer: ViewerIds,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[ListedCrud] | None:
    """Return the newest live cruds that the viewer follows, before a position.

    These are cruds and reposts of followed users, and cruds with followed tags. The position of a
    repost is its time.

    Returns:
        None if the viewer's session is not open.
    """
    rows = await private_rows(
        _FOLLOWING,
        conn,
        viewer,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
        few=_FEW_FOLLOWED,
        max_passed=_MAX_PASSED,
    )
    if rows is None:
        return None
    listed = _listed(rows, "listed_at")
    for index, row in enumerate(rows):
        item = listed[index]
        item.crud.reposted_by = row["reposted_by"] or UNSET
        item.crud.reposted_by_name = row["reposted_by_name"] or UNSET
        item.crud.followed_tag = row["followed_tag"] or UNSET
        if row["is_reposter_hidden"]:
            listed[index] = replace(item, hidden=item.hidden | {row["reposted_by"]})
    return listed


async def select_profile_feed(
    conn: Connection,
    *,
    handle: str,
    viewer: ViewerIds | None,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> tuple[Profile, list[ListedCrud]] | None:
    """Return a user's profile and the newest live cruds that they posted or reposted.

    Returns:
        None if no user has the handle, or if one of this user and the viewer blocks the other.
    """
    rows = await public_rows(
        _PROFILE,
        conn,
        viewer,
        handle=handle,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
    )
    if not rows:
        return None
    first = rows[0]
    profile = Profile(
        uuid=first["person_uuid"],
        cognito_user_uuid=first["person_subject"],
        handle=first["person_handle"],
        display_name=first["person_display_name"],
        bio=first["person_bio"],
        avatar_url=first["person_avatar_url"],
        cruds_count=first["person_cruds_count"],
        followers_count=first["person_followers_count"],
        following_count=first["person_following_count"],
        followed=UNSET if first["viewer"] is None else first["person_followed"],
        muted=UNSET if first["viewer"] is None else first["person_is_muted"],
    )
    listed = _listed(rows, "listed_at")
    for item, row in zip(listed, rows, strict=False):
        if row["is_repost"]:
            item.crud.reposted_by = profile.handle
            item.crud.reposted_by_name = profile.display_name
    return profile, listed


async def select_thread(
    conn: Connection,
    *,
    uuid: UUID,
    viewer: ViewerIds | None,
    after_at: datetime | None,
    after_uuid: UUID | None,
    limit: int,
    max_ancestors: int,
    max_nested: int,
) -> Thread | None:
    """Return a live crud or reply, its nearest ancestors, and its live replies after a position.

    Args:
        conn: a connection for reading.
        uuid: the crud.
        viewer: the user that the request acts for.
        after_at: the time of the position.
        after_uuid: the reply at the position.
        limit: the maximum number of replies.
        max_ancestors: the maximum number of ancestors.
        max_nested: the maximum number of replies to each reply.

    Returns:
        None if there is no such live crud.
    """
    rows = await public_rows(
        _PAGE,
        conn,
        viewer,
        uuid=uuid,
        after_at=after_at,
        after_uuid=after_uuid,
        limit=limit,
        max_ancestors=max_ancestors,
        max_nested=max_nested,
    )
    cruds = {row["uuid"]: crud(row, row["viewer"]) for row in rows}
    hidden = frozenset[str]().union(*map(hidden_handles, rows))
    shown = cruds.pop(uuid, None)
    if shown is None:
        return None
    ancestors: list[Crud] = []
    parent = shown.reply_to_activity_uuid
    while parent in cruds:
        ancestors.insert(0, cruds.pop(parent))
        parent = ancestors[0].reply_to_activity_uuid
    replies = {item.uuid: item for item in cruds.values() if item.reply_to_activity_uuid == uuid}
    for item in cruds.values():
        if item.reply_to_activity_uuid in replies:
            replies[item.reply_to_activity_uuid].replies.append(item)
    return Thread(
        shown,
        ancestors,
        [ListedCrud(reply, reply.created_at) for reply in replies.values()],
        hidden,
    )


async def select_is_live(conn: Connection, *, viewer: ViewerIds | None, uuid: UUID) -> bool:
    """Return whether there is such a live crud or reply, whose author the viewer sees."""
    return bool(await _IS_LIVE.value(conn, **parameters(viewer), uuid=uuid))


async def search_activities(
    conn: Connection,
    *,
    words: Sequence[str],
    unwanted: Sequence[str],
    tags: Sequence[str],
    handles: Sequence[str],
    viewer: ViewerIds | None,
    before_rank: int | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[ListedCrud]:
    """Return the live cruds that match, the best first; their position is the rank.

    Args:
        conn: a connection for reading.
        words: terms, each a word or a phrase. All must match; "or" separates alternatives.
        unwanted: terms that must not match.
        tags: folded tags. A crud with one of them matches.
        handles: handles in lower case. The cruds of these users match.
        viewer: the user that the request acts for.
        before_rank: the position of the last crud of the previous page.
        before_uuid: the uuid of that crud.
        limit: the maximum number of cruds.
    """
    rows = await public_rows(
        _SEARCH,
        conn,
        viewer,
        words=words,
        unwanted=unwanted,
        tags=tags,
        handles=handles,
        before_rank=before_rank,
        before_uuid=before_uuid,
        limit=limit,
    )
    return _listed(rows, "rank")


async def insert_activity(
    conn: Connection,
    *,
    viewer: ViewerIds,
    message: str,
    lifetime: timedelta,
    tags: Sequence[str],
    mentions: Sequence[str],
    link: str | None,
    pictures: Sequence[UUID] = (),
    alts: Sequence[str] = (),
) -> Crud | None:
    """Insert a crud with its tags and the notifications of the users it mentions.

    `link` gets a preview, unless it is None.

    Returns:
        None if the viewer's session is not open, if one of the pictures is not an unused picture of
        the viewer, or if the lifetime is longer than the instance allows.
    """
    row = await _CREATE.row(
        conn,
        **parameters(viewer),
        message=message,
        lifetime=lifetime,
        tags=tags,
        mentions=mentions,
        pictures=pictures,
        alts=alts,
        link=link,
    )
    return crud(row, viewer.uuid) if row else None


async def insert_reply(
    conn: Connection,
    *,
    viewer: ViewerIds,
    parent_uuid: UUID,
    message: str,
    tags: Sequence[str],
    mentions: Sequence[str],
    link: str | None,
    pictures: Sequence[UUID] = (),
    alts: Sequence[str] = (),
) -> Crud | None:
    """Insert a reply with its tags and notifications.

    `link` gets a preview, unless it is None.

    Returns:
        None if its parent is not live, if the viewer's session is not open, or if one of the
        pictures is not an unused picture of the viewer.
    """
    row = await _REPLY.row(
        conn,
        **parameters(viewer),
        parent_uuid=parent_uuid,
        message=message,
        tags=tags,
        mentions=mentions,
        pictures=pictures,
        alts=alts,
        link=link,
    )
    return crud(row, viewer.uuid) if row else None


async def delete_activity(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> bool:
    """Delete a live crud or reply of the viewer.

    Returns:
        False if the viewer has no such live crud, or if their session is not open.
    """
    return await _DELETE.run(conn, uuid=uuid, **parameters(viewer)) > 0


def _listed(rows: Sequence[Row], position: str) -> list[ListedCrud]:
    return [
        ListedCrud(crud(row, row["viewer"]), row[position], hidden_handles(row))
        for row in rows
        if row["uuid"] is not None
    ]
