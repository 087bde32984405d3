"""FastAPI and asyncpg with FastAPIInstrumentor, served by uvicorn on uvloop and httptools.

The responses are declared, so that Pydantic serializes them, as FastAPI recommends for speed.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from pydantic import BaseModel, Field

from benchmarks.peers import common
from cruddur.db.statements import Statement
from cruddur.services.paging import time_cursor
from cruddur.wire import CRUD_CHARS, NOTIFICATION_TEXTS, REPLY_CHARS


class Crud(BaseModel):
    uuid: UUID
    display_name: str
    handle: str
    avatar_url: str | None
    message: str
    created_at: datetime
    expires_at: datetime
    replies_count: int
    reposts_count: int
    likes_count: int
    reply_to_activity_uuid: UUID | None
    replies: list["Crud"] = []


class OwnCrud(Crud):
    liked: bool
    reposted: bool


class CrudPage(BaseModel):
    activity: OwnCrud | Crud
    replies: list[OwnCrud | Crud]


class CrudDraft(BaseModel):
    message: str = Field(min_length=1, max_length=CRUD_CHARS)
    ttl: Literal["30-days", "7-days", "3-days", "1-day", "12-hours", "3-hours", "1-hour"]


class ReplyDraft(BaseModel):
    message: str = Field(min_length=1, max_length=REPLY_CHARS)


class Counts(BaseModel):
    uuid: UUID
    replies_count: int
    reposts_count: int
    likes_count: int
    liked: bool
    reposted: bool


class Notification(OwnCrud):
    expires_at: datetime | None  # type: ignore[assignment]  # None if it is about a message
    kind: str
    activity_uuid: UUID | None
    message_group_uuid: UUID | None


class Message(BaseModel):
    uuid: UUID
    display_name: str
    handle: str
    avatar_url: str | None
    message: str
    created_at: datetime


class SentMessage(Message):
    message_group_uuid: UUID


class Conversation(Message):
    unread_count: int


class MessageDraft(BaseModel):
    message: str = Field(min_length=1, max_length=REPLY_CHARS)
    handle: str


class Counter(BaseModel):
    count: int


class Health(BaseModel):
    success: bool = True
    ver: int = 1


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(common.DSN) as pool:
        app.state.pool = pool
        yield


if common.TRACING == "all":
    common.trace_to_receiver()
    AsyncPGInstrumentor().instrument()
app = FastAPI(lifespan=lifespan)
if common.TRACING == "all":
    FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])


async def viewer(authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    """Return the user and the session of the request's token."""
    try:
        return common.claims(authorization)
    except (jwt.PyJWTError, ValueError):
        raise HTTPException(401) from None


async def optional_viewer(
    authorization: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Return the same, without a user if there is no valid token."""
    return common.optional_claims(authorization)


Viewer = Annotated[dict[str, Any], Depends(viewer)]
OptionalViewer = Annotated[dict[str, Any], Depends(optional_viewer)]


async def rows(statement: Statement, values: dict[str, Any]) -> list[Any]:
    """Run a statement with a connection of the pool."""
    async with app.state.pool.acquire() as conn:
        found: list[Any] = await conn.fetch(statement.sql, *common.arguments(statement, values))
    return found


async def private_rows(statement: Statement, values: dict[str, Any]) -> list[Any]:
    """Run a statement that returns no row if the session is not open."""
    if not (found := await rows(statement, values)):
        raise HTTPException(401)
    return found


def cruds(rows: Sequence[Any]) -> list[OwnCrud | Crud]:
    """Convert rows to cruds, without the row of NULLs that stands for none."""
    return [
        Crud(**row) if row["viewer"] is None else OwnCrud(**row)
        for row in rows
        if row["uuid"] is not None
    ]


@app.get("/api/activities/home")
async def home(viewer: OptionalViewer, cursor: str | None = None) -> list[OwnCrud | Crud]:
    before_at, before_uuid = time_cursor(cursor)
    position = {"before_at": before_at, "before_uuid": before_uuid}
    return cruds((await rows(common.HOME, {**common.FIRST_PAGE, **position, **viewer}))[:40])


@app.get("/api/activities/search")
async def search(
    term: Annotated[str, Query(min_length=1, max_length=200)], viewer: OptionalViewer
) -> list[OwnCrud | Crud]:
    return cruds((await rows(common.SEARCH, {**common.hits(term), **viewer}))[:40])


@app.get("/api/activities/notifications/counter")
async def unread_notifications(viewer: Viewer) -> Counter:
    [row] = await private_rows(common.UNREAD_NOTIFICATIONS, viewer)
    return Counter(**row)


@app.get("/api/activities/notifications")
async def notifications(viewer: Viewer) -> list[Notification]:
    listed = await private_rows(common.NOTIFICATIONS, {**common.FIRST_PAGE, **viewer})
    return [notification(row) for row in listed[:40] if row["uuid"] is not None]


def notification(row: Any) -> Notification:
    """Convert a row to a notification with its text."""
    text = NOTIFICATION_TEXTS.get(row["kind"], "{}")
    return Notification(**{**row, "message": text.format(row["message"])})


@app.get("/api/activities/@{handle}")
async def profile(handle: str, viewer: OptionalViewer) -> list[OwnCrud | Crud]:
    feed = await rows(common.PROFILE, {**common.FIRST_PAGE, **viewer, "handle": handle})
    if not feed:
        raise HTTPException(404)
    return cruds(feed[:40])


@app.get("/api/activities/@{handle}/status/{uuid}")
async def status(handle: str, uuid: UUID, viewer: OptionalViewer) -> CrudPage:
    page = await rows(common.PAGE, {**common.FIRST_REPLIES, **viewer, "uuid": uuid})
    if not page or page[0]["handle"] != handle:
        raise HTTPException(404)
    crud, *replies = cruds(page[:101])
    return CrudPage(activity=crud, replies=replies)


@app.post("/api/activities")
async def create(draft: CrudDraft, viewer: Viewer) -> OwnCrud:
    values = common.new_crud(viewer, draft.message, draft.ttl)
    [row] = await private_rows(common.CREATE, values)
    return OwnCrud(**row)


@app.post("/api/activities/{uuid}/reply")
async def reply(uuid: UUID, draft: ReplyDraft, viewer: Viewer) -> OwnCrud:
    values = {**common.new_reply(viewer, draft.message), "parent_uuid": uuid}
    if not (created := await rows(common.REPLY, values)):
        raise HTTPException(404)
    return OwnCrud(**created[0])


@app.put("/api/activities/{uuid}/like")
async def like(uuid: UUID, viewer: Viewer) -> Counts:
    return await react(common.LIKE, uuid, viewer)


@app.delete("/api/activities/{uuid}/like")
async def unlike(uuid: UUID, viewer: Viewer) -> Counts:
    return await react(common.UNLIKE, uuid, viewer)


async def react(statement: Statement, uuid: UUID, viewer: dict[str, Any]) -> Counts:
    """Run the statement of a reaction, and return the counts of the crud afterwards."""
    values = {**viewer, "uuid": uuid, "traceparent": ""}
    async with app.state.pool.acquire() as conn:
        if not await conn.fetch(statement.sql, *common.arguments(statement, values)):
            raise HTTPException(401)
        values = {"uuid": uuid, "user_uuid": viewer["viewer"]}
        row = await conn.fetchrow(common.COUNTS.sql, *common.arguments(common.COUNTS, values))
    if row is None:
        raise HTTPException(404)
    return Counts(**row)


@app.get("/api/message_groups")
async def conversations(viewer: Viewer) -> list[Conversation]:
    listed = await private_rows(common.CONVERSATIONS, {**common.FIRST_PAGE, **viewer})
    return [Conversation(**row) for row in listed[:40] if row["uuid"] is not None]


@app.get("/api/messages/{uuid}")
async def messages(uuid: UUID, viewer: Viewer) -> list[Message]:
    values = {**common.FIRST_PAGE, **viewer, "message_group_uuid": uuid, "handle": None}
    listed = await private_rows(common.MESSAGES, values)
    if listed[0]["message_group_uuid"] is None:
        raise HTTPException(404)
    return [Message(**row) for row in listed[39::-1] if row["uuid"] is not None]


@app.post("/api/messages")
async def send(draft: MessageDraft, viewer: Viewer) -> SentMessage:
    async with app.state.pool.acquire() as conn, conn.transaction():
        other = await conn.fetchrow(common.USER.sql, draft.handle)
        if other is None:
            raise HTTPException(404)
        pair = {"user_uuid": viewer["viewer"], "other_uuid": other["uuid"]}
        statement = common.OPEN_CONVERSATION
        uuid = await conn.fetchval(statement.sql, *common.arguments(statement, pair))
        values = {
            **viewer, "message_group_uuid": uuid, "message": draft.message, "traceparent": "",
        }  # fmt: skip
        row = await conn.fetchrow(common.SEND.sql, *common.arguments(common.SEND, values))
        if row is None:
            raise HTTPException(404)
    return SentMessage(**row)


@app.get("/api/health-check")
async def health_check() -> Health:
    return Health()
