"""What the peers have in common: the statements, the tokens and the tracing."""

import os
import re
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
"""`all`; `server`, which leaves the statements out; or `off`."""

LIFETIMES = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}

HOME, PROFILE, SHOW, REPLIES, SEARCH, CREATE, USER, VIEWER = map(
    load,
    (
        "activities.home",
        "activities.profile",
        "activities.show",
        "activities.replies",
        "activities.search",
        "activities.create",
        "users.profile",
        "users.viewer",
    ),
)

FIRST_PAGE = {"viewer": None, "before_at": None, "before_uuid": None, "limit": 41}
FIRST_REPLIES = {"viewer": None, "after_at": None, "after_uuid": None, "limit": 101}
FIRST_HITS = {
    "unwanted": "",
    "tags": [],
    "handles": [],
    "viewer": None,
    "before_rank": None,
    "before_uuid": None,
    "limit": 41,
}

_TAG = re.compile(r"#(\w+)")
_MENTION = re.compile(r"@(\w+)")


def trace_to_receiver() -> None:
    """Send every span to the endpoint of the environment, in batches."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def arguments(statement: Statement, values: dict[str, Any]) -> list[Any]:
    """The values of a statement's parameters, in the order of their numbers."""
    return [values[name] for name in statement.parameters]


def claims(authorization: str | None) -> dict[str, Any]:
    """What the access token of a request says, as the viewer statement wants it.

    Raises:
        jwt.PyJWTError: there is none that is good.
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
    return {"issuer": found["iss"], "subject": found["sub"], "session_uuid": UUID(found["sid"])}


def crud(row: Any) -> dict[str, Any]:
    """A crud as a visitor sees it."""
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


def new_crud(user_uuid: UUID, message: str, ttl: str) -> dict[str, Any]:
    """The parameters of the statement that creates."""
    return {
        "user_uuid": user_uuid,
        "session_uuid": None,  # which was seen to before
        "message": message,
        "lifetime": LIFETIMES[ttl],
        "tags": list(dict.fromkeys(tag.lower() for tag in _TAG.findall(message))),
        "traceparent": "",  # of the events that it causes, which no peer delivers
        "mentions": list(dict.fromkeys(name.lower() for name in _MENTION.findall(message))),
    }
