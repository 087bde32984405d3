"""Redaction removes secrets, not words that happen to be in a header."""

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from cruddur.telemetry.redaction import scrub
from support import serving

MESSAGE = "connection was closed in the middle of an operation; no-cache, Bearer, keep-alive, close"


def failing(settings: Settings, spans: InMemorySpanExporter, message: str) -> Quart:
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(spans)]))

    @app.get("/trial/fail")
    async def fail() -> str:
        raise RuntimeError(message)

    return app


async def message_of(
    settings: Settings, message: str, headers: dict[str, str], query: str = ""
) -> str:
    """What telemetry keeps of the message of an exception that a request causes."""
    spans = InMemorySpanExporter()
    async with serving(failing(settings, spans, message)) as api:
        await api.request("GET", f"/trial/fail{query}", expect=500, headers=headers)
    [event] = [e for one in spans.get_finished_spans() for e in one.events if e.name == "exception"]
    assert event.attributes is not None
    return str(event.attributes["exception.message"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Connection": "close"},
        {"Connection": "keep-alive", "Cache-Control": "no-cache", "Pragma": "no-cache"},
        {"Authorization": "Bearer nothing-of-the-kind-1"},
        {"Sec-Fetch-Mode": "cors", "Sec-CH-UA-Platform": "middle", "Sec-Fetch-Dest": "operation"},
        {"Upgrade": "close", "TE": "close", "Via": "operation"},
    ],
    ids=lambda headers: "-".join(headers),
)
async def test_hardening_36_a_harmless_header_removes_no_word(
    settings: Settings, headers: dict[str, str]
) -> None:
    kept = await message_of(settings, MESSAGE, headers)
    for word in ("connection", "closed in the middle of an operation", "Bearer", "keep-alive"):
        assert word in kept


async def test_hardening_36_secrets_of_any_header_are_removed(settings: Settings) -> None:
    secrets = {
        "Authorization": "Bearer s3cret-token",
        "Cookie": "session=abc123; theme=dark-0ne",
        "X-Api-Key": "K-77-unlikely",
        "Proxy-Authorization": "Basic d29yZjpx",
    }
    message = "cannot read s3cret-token, abc123, dark-0ne, K-77-unlikely, d29yZjpx"
    kept = await message_of(settings, message, secrets)
    assert kept == "cannot read " + ", ".join(["[redacted]"] * 5)


async def test_hardening_36_a_private_word_is_removed_only_as_a_word(settings: Settings) -> None:
    kept = await message_of(settings, MESSAGE, {}, query="?term=close")
    assert "was closed in" in kept
    assert kept.endswith("keep-alive, [redacted]")


@pytest.mark.parametrize("text", ["'dragonfly'", "a\\ndragonfly", "x=dragonfly;", "dragonfly"])
def test_hardening_36_a_word_as_a_secret_is_found_beside_quotes_and_escapes(text: str) -> None:
    assert "dragonfly" not in scrub(text, ["dragonfly"])
    assert scrub("dragonflying", ["dragonfly"]) == "dragonflying"
