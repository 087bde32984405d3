"""Streams deliver previews, cached pages show them, and traces record how they were fetched."""

from collections.abc import Callable
from dataclasses import replace

import asyncpg
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from fakes.web import FakeInternet, Web, html, redirect, titled
from live.listening import listening
from previews.waiting import previewed, settled, until
from support import Api, Member, serving, serving_on_a_socket

PAGE = "http://news.example/story?canary=private"
URL = "news.example/story?canary=private"


@pytest.mark.rule("C87")
async def test_a_stream_delivers_the_preview_after_the_crud(
    previewing: Callable[..., Quart], web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = titled()
    app = previewing()
    async with serving(app) as api, serving_on_a_socket(app) as url:
        author = await Member.enter(api, database, app, "author", "Author")
        async with listening(url) as stream, listening(url, feed="home") as home:
            crud = await author.crud(PAGE)
            for listener in (stream, home):
                created, delivered = await listener.receive("crud", "preview")
                assert "preview" not in created
                preview = await previewed(author, crud)
                assert delivered == {"uuid": crud["uuid"], "preview": preview}
            # The second crud with the address gets the preview that exists.
            again = await author.crud(f"again {PAGE}")
            created, delivered = await stream.receive("crud", "preview")
            assert (delivered["uuid"], delivered["preview"]) == (again["uuid"], preview)


async def test_a_stream_that_resumes_gets_the_previews_that_it_missed(
    previewing: Callable[..., Quart], web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = titled()
    app = previewing()
    async with serving(app) as api, serving_on_a_socket(app) as url:
        author = await Member.enter(api, database, app, "author", "Author")
        async with listening(url) as stream:
            crud = await author.crud(PAGE)
            await stream.receive("crud")
            last_id = stream.last_id
        await previewed(author, crud)
        async with listening(url, {"Last-Event-ID": last_id}) as resumed:
            [delivered] = await resumed.receive("preview")
            assert delivered["uuid"] == crud["uuid"]


@pytest.mark.parametrize("caller", ["visitor", "member"])
async def test_a_cached_page_shows_the_preview(
    caller: str, author: Member, web: Web, database: asyncpg.Connection
) -> None:
    web.pages[URL] = titled()
    web.mode = "hang"
    crud = await author.crud(PAGE)
    reader = Api(author.http) if caller == "visitor" else author
    await web.arrival(lambda: web.requests)
    for _ in range(3):
        [shown] = await reader.get("/api/activities/home")
        assert "preview" not in shown
    web.mode = "ok"  # the request that hung fails
    await until(
        database,
        "SELECT fetch_at BETWEEN now() + interval '30 seconds' AND now() + interval '1 minute'"
        " FROM previews",
    )
    await database.execute("UPDATE previews SET fetch_at = now()")
    await author.crud(f"{PAGE}#wake")
    await previewed(author, crud)
    shown, other = await reader.get("/api/activities/home")
    assert shown["preview"]["title"] == other["preview"]["title"] == "A title"


async def test_a_fetch_has_a_trace_that_is_linked_to_the_post(
    settings: Settings, internet: FakeInternet, web: Web, database: asyncpg.Connection
) -> None:
    """The address and the texts of the page are private: they end with the crud."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    settings = replace(settings, previews="on")
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(spans)], readers=[reader])
    app = create_app(settings, telemetry, network=internet)
    web.pages[URL] = redirect("http://moved.example/canary")
    web.pages["moved.example/canary"] = html(
        '<title>canary</title><meta property="og:image" content="http://pictures.example/canary">'
    )
    internet.names["private.example"] = [["10.0.0.1"]]
    async with serving(app) as api:
        author = await Member.enter(api, database, app, "author", "Author")
        await previewed(author, await author.crud(PAGE))
        await author.crud("http://private.example/canary")
        await settled(database, 2)
    ended = spans.get_finished_spans()
    fetches = [span for span in ended if span.name == "fetch preview"]
    [posted, _] = [span for span in ended if span.name == "POST /api/activities"]
    [fetch] = [
        span
        for span in fetches
        if posted.context.trace_id in {link.context.trace_id for link in span.links}
    ]
    assert fetch.parent is None
    assert _attributes(fetch)["app.outcome"] == "stored"
    assert _attributes(fetch)["app.http.calls"] == 3
    calls = [span for span in _below(fetch, ended) if span.name.startswith("GET ")]
    assert {(call.name, call.kind) for call in calls} == {
        ("GET news.example", SpanKind.CLIENT),
        ("GET moved.example", SpanKind.CLIENT),
        ("GET pictures.example", SpanKind.CLIENT),
    }
    assert {span.name for span in _below(fetch, ended)} >= {"parse page", "UPDATE previews.save"}
    [refused] = [span for span in fetches if span is not fetch]
    assert _attributes(refused)["app.outcome"] == "none"
    assert _attributes(refused)["app.preview.reason"] == "the host has no public address"
    recorded = reader.get_metrics_data()
    assert recorded is not None
    exported = "".join(span.to_json() for span in ended) + recorded.to_json()
    assert "canary" not in exported
    assert '"app.preview.duration"' in exported
    assert "news.example" not in recorded.to_json()


def _attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def _below(root: ReadableSpan, ended: tuple[ReadableSpan, ...]) -> list[ReadableSpan]:
    return [span for span in ended if span.context.trace_id == root.context.trace_id]
