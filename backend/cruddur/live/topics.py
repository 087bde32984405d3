"""Topics that streams subscribe to: one public topic, and the private ones of its user."""

from typing import TypeAlias
from uuid import UUID

Topic: TypeAlias = tuple[str, UUID | None]

ALL: Topic = ("all", None)
"""Every public event."""

EVERYONE: Topic = ("everyone", None)
"""What concerns every stream, whatever it subscribes to."""

HOME: Topic = ("home", None)
"""Cruds that are not replies."""


def by_author(user_uuid: UUID) -> Topic:
    """Return the topic of a user's cruds and replies."""
    return ("author", user_uuid)


def thread(uuid: UUID) -> Topic:
    """Return the topic of a crud and its replies."""
    return ("thread", uuid)


def for_user(user_uuid: UUID) -> Topic:
    """Return the topic of a user's messages and notifications."""
    return ("user", user_uuid)


def of_session(session_uuid: UUID) -> Topic:
    """Return the topic of a session's streams. No event is published on it; they end together."""
    return ("session", session_uuid)


def crud_topics(uuid: UUID, user_uuid: UUID, parent_uuid: UUID | None) -> tuple[Topic, ...]:
    """Return every public topic of a crud."""
    list_topic = HOME if parent_uuid is None else thread(parent_uuid)
    return (ALL, list_topic, by_author(user_uuid), thread(uuid))
