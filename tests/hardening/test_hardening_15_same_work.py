"""`forgot` and `resend` do the same work whether or not the account exists."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart

from accounts import EMAIL, FORGOT, RESEND, Codes, open_account, sign_up
from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from support import Api, visiting
from telemetry.recorded import WAIT

CASES = [(FORGOT, "an account"), (RESEND, "a sign-up"), (RESEND, "an account")]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ended."""
    return InMemorySpanExporter()


@pytest.fixture
async def traced(
    settings: Settings, spans: InMemorySpanExporter, database: asyncpg.Connection
) -> AsyncIterator[Quart]:
    """An application whose spans stay in memory."""
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(spans)])
    application = create_app(settings, telemetry)
    async with application.test_app():
        yield application


@pytest.mark.parametrize(("path", "there_is"), CASES)
async def test_hardening_15_the_same_statements_for_known_and_unknown_addresses(
    traced: Quart, spans: InMemorySpanExporter, codes: Codes, path: str, there_is: str
) -> None:
    async with visiting(traced) as api:
        await (sign_up(api) if there_is == "a sign-up" else open_account(api, codes))
    for rounds in range(3):  # the first one sends a mail; the others come too soon for another mail
        known, unknown = [
            await _work(traced, spans, path, email) for email in (EMAIL, "nobody@example.com")
        ]
        assert known == unknown
        assert ("COMMIT" in known) == (rounds == 0)


async def _work(app: Quart, spans: InMemorySpanExporter, path: str, email: str) -> list[str]:
    """The spans of one request, in the order in which they ended."""
    async with visiting(app, address="10.0.0.1") as api:
        response = await api.request("POST", path, json={"email": email})
    trace_id = int(response.headers["traceresponse"].split("-")[1], 16)
    ended = [span for span in spans.get_finished_spans() if span.context.trace_id == trace_id]
    return [span.name for span in ended if span.name != WAIT]


async def test_hardening_15_a_commit_does_not_wait_for_the_disk(
    traced: Quart, spans: InMemorySpanExporter, codes: Codes
) -> None:
    async with visiting(traced) as api:
        await open_account(api, codes)
    for email in (EMAIL, "nobody@example.com"):
        assert "SET accounts.commit_later" in await _work(traced, spans, FORGOT, email)


async def test_hardening_15_mail_is_sent_after_the_response(
    settings: Settings, api: Api, codes: Codes, spans: InMemorySpanExporter
) -> None:
    await open_account(api, codes)
    changed = replace(settings, smtp_url="smtp://127.0.0.1:1")
    telemetry = Telemetry(changed, processors=[SimpleSpanProcessor(spans)])
    application = create_app(changed, telemetry)
    async with application.test_app(), visiting(application) as client:
        await client.post(FORGOT, {"email": EMAIL})
    # Stopping waits for mail.
    ended = {span.name: span for span in spans.get_finished_spans()}
    assert ended["send mail"].start_time >= ended[f"POST {FORGOT}"].end_time
