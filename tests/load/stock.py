"""A bare Quart app with the stock middleware, as the course wires it: the peer to compare with.

It answers the home feed from the same rows by the same statement. `STOCK_TRACING=on` wraps
it in OpenTelemetryMiddleware with its defaults and sends by the SDK's batch processor.
"""

import os
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from quart import Quart, Response

from cruddur.db.statements import load

app = Quart(__name__)
tracer = trace.get_tracer("home.activities")
home_sql = load("activities.home")

if os.environ.get("STOCK_TRACING") == "on":
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    app.asgi_app = OpenTelemetryMiddleware(app.asgi_app)  # type: ignore[method-assign]


@app.before_serving
async def connect() -> None:
    app.config["pool"] = await asyncpg.create_pool(os.environ["CONNECTION_URL"], min_size=1)


@app.get("/api/activities/home")
async def home() -> Response:
    with tracer.start_as_current_span("home-activities") as span:
        span.set_attribute("app.now", datetime.now(UTC).isoformat())
        values: dict[str, Any] = {
            "viewer": None,
            "before_at": None,
            "before_uuid": None,
            "limit": 41,
        }
        arguments = [values[name] for name in home_sql.parameters]
        async with app.config["pool"].acquire() as conn:
            rows = await conn.fetch(home_sql.sql, *arguments)
        span.set_attribute("app.result_length", len(rows))
    return Response(msgspec.json.encode([dict(row) for row in rows]), mimetype="application/json")


@app.get("/api/ready")
async def ready() -> str:
    return "ready"
