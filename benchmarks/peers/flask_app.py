"""As in the course: Flask, a psycopg pool and FlaskInstrumentor, served by gunicorn's threads."""

import atexit
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
from flask import Flask, Response, abort, jsonify, request
from flask.json.provider import DefaultJSONProvider
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from benchmarks.peers import common
from cruddur.db.statements import Statement
from cruddur.wire import CRUD_CHARS


class Json(DefaultJSONProvider):
    """Flask's JSON provider, with times in ISO 8601."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        return DefaultJSONProvider.default(value)


app = Flask(__name__)
app.json = Json(app)
if common.TRACING == "all":
    common.trace_to_receiver()
    PsycopgInstrumentor().instrument()
    FlaskInstrumentor().instrument_app(app)

# psycopg's recommendation for single-statement transactions.
pool: ConnectionPool[Any] = ConnectionPool(
    common.DSN,
    min_size=4,
    max_size=8,
    open=True,
    kwargs={"autocommit": True, "row_factory": dict_row},
)
# From Python 3.13 on, an open pool takes 20 s to exit.
atexit.register(pool.close)


def in_psycopg(statement: Statement) -> str:
    """Return a statement with psycopg's named placeholders."""
    names = statement.parameters
    return re.sub(r"\$(\d+)", lambda number: f"%({names[int(number[1]) - 1]})s", statement.sql)


HOME = in_psycopg(common.HOME)
PROFILE = in_psycopg(common.PROFILE)
PAGE = in_psycopg(common.PAGE)
SEARCH = in_psycopg(common.SEARCH)
CREATE = in_psycopg(common.CREATE)


@app.get("/api/activities/home")
def home() -> Response:
    caller = common.optional_claims(request.headers.get("Authorization"))
    with pool.connection() as conn:
        rows = conn.execute(HOME, {**common.FIRST_PAGE, **caller}).fetchall()
    return jsonify(common.cruds(rows[:40]))


@app.get("/api/activities/search")
def search() -> Response:
    with pool.connection() as conn:
        rows = conn.execute(SEARCH, common.hits(request.args["term"])).fetchall()
    return jsonify(common.cruds(rows[:40]))


@app.get("/api/activities/@<handle>")
def profile(handle: str) -> Response:
    with pool.connection() as conn:
        rows = conn.execute(PROFILE, {**common.FIRST_PAGE, "handle": handle}).fetchall()
    if not rows:
        abort(404)
    return jsonify(common.cruds(rows[:40]))


@app.get("/api/activities/@<handle>/status/<uuid:uuid>")
def status(handle: str, uuid: UUID) -> Response:
    with pool.connection() as conn:
        rows = conn.execute(PAGE, {**common.FIRST_REPLIES, "uuid": uuid}).fetchall()
    if not rows or rows[0]["handle"] != handle:
        abort(404)
    crud, *replies = common.cruds(rows[:101])
    return jsonify({"activity": crud, "replies": replies})


@app.post("/api/activities")
def create() -> Response:
    try:
        claims = common.claims(request.headers.get("Authorization"))
    except (jwt.PyJWTError, ValueError):
        abort(401)
    draft = request.get_json()
    message, ttl = draft["message"], draft["ttl"]
    if ttl not in common.LIFETIMES or not 0 < len(message) <= CRUD_CHARS:
        abort(422)
    with pool.connection() as conn:
        row = conn.execute(CREATE, common.new_crud(claims, message, ttl)).fetchone()
    if row is None:  # the session is not open
        abort(401)
    return jsonify(common.own_crud(row))


@app.get("/api/health-check")
def health_check() -> Response:
    return jsonify({"success": True, "ver": 1})
