"""Schemathesis: send valid and invalid requests generated from the OpenAPI document, and check
every response against it; as a visitor where no token is required, and as a member where a token
makes a difference. tests/api/test_routes.py covers visitors where a token is required.

Each operation is a test, so no test takes long, and the workers share them.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import pytest

from cruddur.app import ENDPOINTS
from cruddur.routes import openapi
from support import empty

# The service runs in a thread of this process, and OpenTelemetry generates the ids of background
# spans with `random`. Hypothesis would take that for a strategy that uses it.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

EXCLUDED = {"/api/stream", "/api/auth/export", "/api/telemetry"}
"""Requests to a stream would never end; tests/live covers them. The body of /api/telemetry is
nested so deeply that random ones take seconds each; tests/telemetry covers it."""


def operations(caller: dict[str, Any]) -> list[str]:
    """Return the documented operations that accept a kind of caller and are not excluded."""
    return sorted(
        f"{method.upper()} {path}"
        for path, methods in openapi.describe(ENDPOINTS)["paths"].items()
        for method, operation in methods.items()
        if caller in operation.get("security", [{}]) and path not in EXCLUDED
    )


@pytest.fixture(scope="module")
async def generated_dsn(make_database: Callable[..., Any]) -> str:
    """The DSN of the application that gets the generated requests."""
    dsn: str = await make_database()
    return dsn


@pytest.fixture(scope="module")
def document(generated_dsn: str) -> Iterator[Any]:
    """The document of that application, which Schemathesis starts in a thread."""
    from schemathesis.python import asgi

    from api import generated_requests

    yield generated_requests.load(generated_dsn)
    asgi.shutdown_lifespans()


@pytest.fixture(autouse=True)
async def _rows(generated_dsn: str) -> AsyncIterator[None]:
    """Two users and a row of each kind."""
    from api import generated_requests

    conn = await asyncpg.connect(generated_dsn)
    try:
        await generated_requests.insert_rows(conn)
        yield
        await empty(conn)
    finally:
        await conn.close()


@pytest.mark.parametrize("operation", operations({}))
def test_responses_to_a_visitor_match_the_document(document: Any, operation: str) -> None:
    from api.generated_requests import check_visitor

    assert check_visitor(document, operation) > 0


@pytest.mark.rule("C4")
@pytest.mark.parametrize("operation", operations({"bearer": []}))
def test_responses_to_a_member_match_the_document(document: Any, operation: str) -> None:
    from api.generated_requests import check_member

    assert check_member(document, operation) > 0
