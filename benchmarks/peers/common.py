"""Shared by the peers: statements, tokens and tracing."""

import os
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from cruddur.db.statements import Statement, load

DSN = os.environ["CONNECTION_URL"]
PUBLIC_KEY = os.environ.get("PEER_PUBLIC_KEY", "")
TRACING = os.environ.get("PEER_TRACING", "all")
"""`all`; `server`, without spans of statements; or `off`."""

LIFETIMES = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}

HOME, PROFILE, PAGE, SEARCH, CREATE = map(
    load,
    (
        "activities.home",
        "activities.profile",
        "activities.page",
        "activities.search",
        "activities.create",
    ),
)
REPLY, LIKE, UNLIKE, COUNTS, NOTIFICATIONS, UNREAD_NOTIFICATIONS = map(
    load,
    (
        "activities.reply",
        "reactions.like",
        "reactions.unlike",
        "reactions.counts",
        "notifications.list",
        "notifications.unread",
    ),
)
USER, OPEN_CONVERSATION, SEND, MESSAGES, CONVERSATIONS = map(
    load,
    (
        "users.short",
        "messages.open_group",
        "messages.create",
        "messages.list",
        "messages.groups",
    ),
)

ANONYMOUS = {"viewer": None, "session": None}
FIRST_PAGE = {**ANONYMOUS, "before_at": None, "before_uuid": None, "limit": 41}
FIRST_REPLIES = {
    **ANONYMOUS,
    "after_at": None,
    "after_uuid": None,
    "limit": 101,
    "max_ancestors": 100,
    "max_nested": 3,
}
"""The crud that has replies comes first: it is no reply itself, and its replies have none."""

_TAG = re.compile(r"#(\w+)")
_MENTION = re.compile(r"@(\w+)")


def trace_to_receiver() -> None:
    """Export every span in batches to the endpoint of the environment."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def arguments(statement: Statement, values: dict[str, Any]) -> list[Any]:
    """Return the values of a statement's parameters in positional order."""
    return [values[name] for name in statement.parameters]


def claims(authorization: str | None) -> dict[str, Any]:
    """Return the user and the session of a request's access token, as parameters.

    Raises:
        jwt.PyJWTError: there is no valid token.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise jwt.InvalidTokenError
    found = jwt.decode(
        token,
        PUBLIC_KEY,
        algorithms=["ES256"],
        issuer="cruddur",
        options={"require": ["exp", "iss", "sub", "sid"]},
    )
    return {"viewer": UUID(found["sub"]), "session": UUID(found["sid"])}


def optional_claims(authorization: str | None) -> dict[str, Any]:
    """Return the same, or the parameters of a visitor if there is no valid token."""
    try:
        return claims(authorization)
    except (jwt.PyJWTError, ValueError):
        return ANONYMOUS


def cruds(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Convert rows to cruds, without the row of NULLs that stands for none."""
    return [
        crud(row) if row["viewer"] is None else own_crud(row)
        for row in rows
        if row["uuid"] is not None
    ]


def own_crud(row: Any) -> dict[str, Any]:
    """Convert a row to a crud as a member sees it."""
    return {**crud(row), "liked": row["liked"], "reposted": row["reposted"]}


def crud(row: Any) -> dict[str, Any]:
    """Convert a row to a crud as an anonymous caller sees it."""
    return {
        "uuid": row["uuid"],
        "display_name": row["display_name"],
        "handle": row["handle"],
        "avatar_url": row["avatar_url"],
        "message": row["message"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "replies_count": row["replies_count"],
        "reposts_count": row["reposts_count"],
        "likes_count": row["likes_count"],
        "reply_to_activity_uuid": row["reply_to_activity_uuid"],
        "replies": [],
    }


def hits(term: str) -> dict[str, Any]:
    """Return the parameters of the search for words, a #tag or a @handle."""
    values = {
        **ANONYMOUS,
        "words": "",
        "unwanted": "",
        "tags": [],
        "handles": [],
        "before_rank": None,
        "before_uuid": None,
        "limit": 41,
    }
    if term.startswith("#"):
        return {**values, "tags": [term[1:].lower()]}
    if term.startswith("@"):
        return {**values, "handles": [term[1:].lower()]}
    if term.split() == [term]:
        return {**values, "words": term, "tags": [term.lower()], "handles": [term.lower()]}
    return {**values, "words": term}


def new_crud(viewer: dict[str, Any], message: str, ttl: str) -> dict[str, Any]:
    """Return the parameters of the statement that creates a crud."""
    return {**new_reply(viewer, message), "lifetime": LIFETIMES[ttl]}


def new_reply(viewer: dict[str, Any], message: str) -> dict[str, Any]:
    """Return the parameters of the statement that creates a reply, without the parent."""
    return {
        **viewer,
        "message": message,
        "tags": list(dict.fromkeys(tag.lower() for tag in _TAG.findall(message))),
        "traceparent": "",  # no peer delivers events
        "mentions": list(dict.fromkeys(name.lower() for name in _MENTION.findall(message))),
        "link": None,
        "pictures": [],
        "alts": [],
    }
