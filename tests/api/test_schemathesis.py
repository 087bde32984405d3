"""Schemathesis: send valid and invalid requests generated from the OpenAPI document, and check
every response against it; as a visitor where no token is required, and as a member where a token
makes a difference. tests/api/test_routes.py covers visitors where a token is required.

Each operation is a subtest.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cruddur.app import ENDPOINTS
from cruddur.routes import openapi

# The service runs in a thread of this process, and OpenTelemetry generates the ids of background
# spans with `random`. Hypothesis would take that for a strategy that uses it.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

VISITOR: dict[str, Any] = {}
MEMBER: dict[str, Any] = {"bearer": []}


@pytest.fixture(scope="session")
async def document(make_database: Callable[..., Any]) -> Any:
    """The document of an application with two users and a row of each kind."""
    from api import generated_requests

    dsn: str = await make_database()
    await generated_requests.insert_rows(dsn)
    return generated_requests.load(dsn)


@pytest.fixture(autouse=True)
def _stopping(document: Any) -> Iterator[None]:
    """Stop the application, which Schemathesis has started in a thread."""
    from schemathesis.python import asgi

    yield
    asgi.shutdown_lifespans()


def operations(caller: dict[str, Any]) -> set[str]:
    """Return the documented operations that accept a kind of caller and are not excluded."""
    from api.generated_requests import EXCLUDED

    return {
        f"{method.upper()} {path}"
        for path, methods in openapi.describe(ENDPOINTS)["paths"].items()
        for method, operation in methods.items()
        if caller in operation.get("security", [{}]) and path not in EXCLUDED
    }


def test_responses_to_a_visitor_match_the_document(
    document: Any, subtests: pytest.Subtests
) -> None:
    from api.generated_requests import answered, check_visitor

    answered.clear()
    check_visitor(document, subtests)
    assert answered.keys() == operations(VISITOR)


@pytest.mark.rule("C4")
def test_responses_to_a_member_match_the_document(document: Any, subtests: pytest.Subtests) -> None:
    from api.generated_requests import answered, check_member

    answered.clear()
    check_member(document, subtests)
    assert answered.keys() == operations(MEMBER)
