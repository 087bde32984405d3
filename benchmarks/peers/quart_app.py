"""Plain Quart and asyncpg with the stock middleware, as in the course, on Hypercorn.

This is our own framework without our additions. msgspec writes its JSON, as in Cruddur.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import jwt
import msgspec
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from quart import Quart, Response, abort, request

from benchmarks.peers import common
from cruddur.wire import CRUD_CHARS

app = Quart(__name__)
tracer = trace.get_tracer("home.activities")

if common.TRACING == "all":
    # Part of an extra that make bench-telemetry does not need.
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor

    AsyncPGInstrumentor().instrument()
if common.TRACING != "off":
    common.trace_to_receiver()
    app.asgi_app = OpenTelemetryMiddleware(  # type: ignore[method-assign]
        app.asgi_app, excluded_urls=os.environ.get("OTEL_PYTHON_EXCLUDED_URLS")
    )


@app.while_serving
async def connect() -> AsyncIterator[None]:
    async with asyncpg.create_pool(common.DSN) as pool:
        app.config["pool"] = pool
        yield


@app.get("/api/activities/home")
async def home() -> Response:
    with tracer.start_as_current_span("home-activities") as span:
        span.set_attribute("app.now", datetime.now(UTC).isoformat())
        caller = common.optional_claims(request.headers.get("Authorization"))
        values = {**common.FIRST_PAGE, **caller}
        async with app.config["pool"].acquire() as conn:
            rows = await conn.fetch(common.HOME.sql, *common.arguments(common.HOME, values))
        span.set_attribute("app.result_length", len(rows[:40]))
    return response(common.cruds(rows[:40]))


@app.get("/api/activities/search")
async def search() -> Response:
    values = common.hits(request.args["term"])
    async with app.config["pool"].acquire() as conn:
        rows = await conn.fetch(common.SEARCH.sql, *common.arguments(common.SEARCH, values))
    return response(common.cruds(rows[:40]))


@app.get("/api/activities/@<handle>")
async def profile(handle: str) -> Response:
    async with app.config["pool"].acquire() as conn:
        values = {**common.FIRST_PAGE, "handle": handle}
        rows = await conn.fetch(common.PROFILE.sql, *common.arguments(common.PROFILE, values))
    if not rows:
        abort(404)
    return response(common.cruds(rows[:40]))


@app.get("/api/activities/@<handle>/status/<uuid:uuid>")
async def status(handle: str, uuid: UUID) -> Response:
    async with app.config["pool"].acquire() as conn:
        values = {**common.FIRST_REPLIES, "uuid": uuid}
        rows = await conn.fetch(common.PAGE.sql, *common.arguments(common.PAGE, values))
    if not rows or rows[0]["handle"] != handle:
        abort(404)
    crud, *replies = common.cruds(rows[:101])
    return response({"activity": crud, "replies": replies})


@app.post("/api/activities")
async def create() -> Response:
    try:
        claims = common.claims(request.headers.get("Authorization"))
    except (jwt.PyJWTError, ValueError):
        abort(401)
    draft = await request.get_json()
    message, ttl = draft["message"], draft["ttl"]
    if ttl not in common.LIFETIMES or not 0 < len(message) <= CRUD_CHARS:
        abort(422)
    async with app.config["pool"].acquire() as conn:
        values = common.new_crud(claims, message, ttl)
        row = await conn.fetchrow(common.CREATE.sql, *common.arguments(common.CREATE, values))
    if row is None:  # the session is not open
        abort(401)
    return response(common.own_crud(row))


@app.get("/api/health-check")
async def health_check() -> Response:
    return response({"success": True, "ver": 1})


def response(found: Any) -> Response:
    """Return a JSON response."""
    return Response(msgspec.json.encode(found), mimetype="application/json")
