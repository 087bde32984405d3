"""Topics that streams subscribe to: public ones, and the private ones of its user.

A stream has one public topic, except a stream of the feed `following`: that one has a topic for
each user and tag that its user follows, and for each crud that it has shown because of a repost or
a tag.
"""

from collections.abc import Iterable
from typing import TypeAlias
from uuid import UUID

Topic: TypeAlias = tuple[str, UUID | str | None]

_FEED, _TAG, _ABOUT = "feed", "tag", "about"

ALL: Topic = ("all", None)
"""Every public event."""

EVERYONE: Topic = ("everyone", None)
"""What concerns every stream, whatever it subscribes to."""

USER = "user"
"""The kind of a topic of one user."""

HOME: Topic = ("home", None)
"""Cruds that are not replies."""


PUBLIC = frozenset({ALL, HOME})
"""The topics of all cruds. Those of limited users are published there for their followers only."""


def by_author(user_uuid: UUID) -> Topic:
    """Return the topic of a user's cruds and replies."""
    return ("author", user_uuid)


def feed_of(user_uuid: UUID) -> Topic:
    """Return the topic of what a user adds to the feeds of their followers: cruds and reposts."""
    return (_FEED, user_uuid)


def tagged(tag: str) -> Topic:
    """Return the topic of new cruds with a tag."""
    return (_TAG, tag)


def about(uuid: UUID) -> Topic:
    """Return the topic of a crud without its replies."""
    return (_ABOUT, uuid)


def is_about(topic: Topic) -> bool:
    """Return whether a topic is that of a crud without its replies."""
    return topic[0] == _ABOUT


def followed_by(user_uuid: UUID) -> Topic:
    """Return the topic of the streams of what a user follows. No event is published on it: their
    other topics change together."""
    return ("followed", user_uuid)


def followed(users: Iterable[UUID], tags: Iterable[str]) -> list[Topic]:
    """Return the topics of followed users and tags."""
    return [*map(feed_of, users), *map(tagged, tags)]


def is_followed(topic: Topic) -> bool:
    """Return whether a topic is that of a followed user or tag."""
    return topic[0] in {_FEED, _TAG}


def thread(uuid: UUID) -> Topic:
    """Return the topic of a crud and its replies."""
    return ("thread", uuid)


def for_user(user_uuid: UUID) -> Topic:
    """Return the topic of a user's messages and notifications."""
    return (USER, user_uuid)


def users_of(topics: Iterable[Topic]) -> list[UUID]:
    """Return the users of topics of users."""
    return [uuid for kind, uuid in topics if kind == USER and isinstance(uuid, UUID)]


def of_session(session_uuid: UUID) -> Topic:
    """Return the topic of a session's streams. No event is published on it; they end together."""
    return ("session", session_uuid)


def crud_topics(uuid: UUID, user_uuid: UUID, parent_uuid: UUID | None) -> tuple[Topic, ...]:
    """Return every public topic of a crud."""
    topics = (ALL, by_author(user_uuid), thread(uuid), about(uuid))
    if parent_uuid is None:
        return (*topics, HOME, feed_of(user_uuid))
    return (*topics, thread(parent_uuid))
