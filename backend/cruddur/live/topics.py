"""What a stream can be told of. Each listens to one public topic, and to those of its person."""

from typing import TypeAlias
from uuid import UUID

Topic: TypeAlias = tuple[str, UUID | None]

EVERYTHING: Topic = ("everything", None)
"""All that is public."""

HOME: Topic = ("home", None)
"""Cruds that answer none."""


def written_by(user_uuid: UUID) -> Topic:
    """The cruds and replies of a person."""
    return ("written by", user_uuid)


def around(uuid: UUID) -> Topic:
    """A crud and its replies."""
    return ("around", uuid)


def meant_for(user_uuid: UUID) -> Topic:
    """What is a person's own to read."""
    return ("meant for", user_uuid)


def opened_in(session_uuid: UUID) -> Topic:
    """The streams of a session. Nothing is told on it; they end together."""
    return ("opened in", session_uuid)


def about(uuid: UUID, user_uuid: UUID, parent_uuid: UUID | None) -> tuple[Topic, ...]:
    """Every public topic that a crud of a person belongs to."""
    place = HOME if parent_uuid is None else around(parent_uuid)
    return (EVERYTHING, place, written_by(user_uuid), around(uuid))
