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
from cruddur.wire import CRUD_CHARS


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
    activity: Crud
    replies: list[Crud]


class CrudDraft(BaseModel):
    message: str = Field(min_length=1, max_length=CRUD_CHARS)
    ttl: Literal["30-days", "7-days", "3-days", "1-day", "12-hours", "3-hours", "1-hour"]


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


@app.get("/api/activities/home")
async def home() -> list[Crud]:
    async with app.state.pool.acquire() as conn:
        rows = await conn.fetch(common.HOME.sql, *common.arguments(common.HOME, common.FIRST_PAGE))
    return cruds(rows[:40])


@app.get("/api/activities/search")
async def search(term: Annotated[str, Query(min_length=1, max_length=200)]) -> list[Crud]:
    values = {**common.FIRST_HITS, "words": term}
    async with app.state.pool.acquire() as conn:
        rows = await conn.fetch(common.SEARCH.sql, *common.arguments(common.SEARCH, values))
    return cruds(rows[:40])


@app.get("/api/activities/@{handle}")
async def profile(handle: str) -> list[Crud]:
    async with app.state.pool.acquire() as conn:
        values = {**common.FIRST_PAGE, "handle": handle}
        rows = await conn.fetch(common.PROFILE.sql, *common.arguments(common.PROFILE, values))
    if not rows:
        raise HTTPException(404)
    return cruds(rows[:40])


@app.get("/api/activities/@{handle}/status/{uuid}")
async def status(handle: str, uuid: UUID) -> CrudPage:
    async with app.state.pool.acquire() as conn:
        values = {**common.FIRST_REPLIES, "uuid": uuid}
        rows = await conn.fetch(common.PAGE.sql, *common.arguments(common.PAGE, values))
    if not rows or rows[0]["handle"] != handle:
        raise HTTPException(404)
    crud, *replies = cruds(rows[:101])
    return CrudPage(activity=crud, replies=replies)


async def viewer(authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
    """Return the user and the session of the request's token."""
    try:
        return common.claims(authorization)
    except (jwt.PyJWTError, ValueError):
        raise HTTPException(401) from None


@app.post("/api/activities")
async def create(draft: CrudDraft, viewer: Annotated[dict[str, Any], Depends(viewer)]) -> OwnCrud:
    values = common.new_crud(viewer, draft.message, draft.ttl)
    async with app.state.pool.acquire() as conn:
        row = await conn.fetchrow(common.CREATE.sql, *common.arguments(common.CREATE, values))
    if row is None:  # the session is not open
        raise HTTPException(401)
    return OwnCrud(**row)


def cruds(rows: Sequence[Any]) -> list[Crud]:
    """Convert rows to cruds, without the row of NULLs that stands for none."""
    return [Crud(**row) for row in rows if row["uuid"] is not None]


@app.get("/api/health-check")
async def health_check() -> Health:
    return Health()
