"""Schemathesis: send valid and invalid requests generated from the OpenAPI document, and check
every response against it; once as a visitor and once as a member.

Schemathesis runs the application in-process, with its lifespan, on its own event loop. So
these tests use an application and a database of their own. The stored rows have fixed uuids,
which the tested document gives as examples; a random uuid would never exist.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cruddur.app import ENDPOINTS, create_app
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import ISSUER, issue
from cruddur.routes import openapi
from cruddur.services.uploads import UploadSigner
from cruddur.settings import Settings

# The service runs in a thread of this process, and OpenTelemetry generates the ids of background
# spans with `random`. Hypothesis would take that for a strategy that uses it.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

ANDREW, BAYKO, CRUD, REPLY, DOOMED, GROUP, SESSION, OTHER_SESSION = (
    UUID(int=0x0198_0000_0000_7000_8000_0000_0000_0000 + number) for number in range(8)
)
SIGNING_KEY = new_signing_key()
KEYS = KeyRing([SIGNING_KEY])
UPLOAD = UploadSigner(lambda: KEYS.secrets("avatar uploads")).sign(ANDREW)
MAX_EXAMPLES = 10

# Errors for requests that are valid by the schema: they depend on stored rows, on two fields
# together, or on the meaning of a text or file.
BEYOND_SCHEMA = {
    "avatar_invalid",
    "code_invalid",
    "handle_taken",
    "idempotency_key_reused",
    "message_to_self",
    "password_too_weak",
    "user_reciever_handle_blank",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "DELETE /api/activities/{uuid}": {"uuid": str(DOOMED)},
    "DELETE /api/auth/sessions/{uuid}": {"uuid": str(OTHER_SESSION)},
    "*": {
        "uuid": str(CRUD),
        "message_group_uuid": str(GROUP),
        "handle": "andrewbrown",
        "subject": str(ANDREW),
        "token": UPLOAD,
    },
}


def _document() -> dict[str, Any]:
    document = openapi.describe(ENDPOINTS)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            examples = EXAMPLES["*"] | EXAMPLES.get(f"{method.upper()} {path}", {})
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and parameter["name"] in examples:
                    parameter["example"] = examples[parameter["name"]]
    return deepcopy(document)


def _config() -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "generation": {"max-examples": MAX_EXAMPLES, "deterministic": True, "database": "none"},
            "seed": 4567,
        }
    )


class _Served:
    """The application under test. A Quart application starts only once, so each lifespan, which
    lasts for one test, creates a new one."""

    settings: Settings

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self.app = create_app(self.settings)
        await self.app(scope, receive, send)


served = _Served()
# Requests to a stream would never end; tests/live covers them.
schema = schemathesis.openapi.from_dict(_document(), config=_config()).exclude(path="/api/stream")
schema.app = served


@pytest.fixture(scope="session")
async def peopled(make_database: Callable[..., Any]) -> str:
    """The DSN of a database with two users and a row of each kind."""
    dsn: str = await make_database()
    conn = await asyncpg.connect(dsn)
    try:
        await conn.executemany(
            "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
            " VALUES ($1, $2, $3, $4, $4)",
            [(ANDREW, ISSUER, str(ANDREW), "andrewbrown"), (BAYKO, ISSUER, str(BAYKO), "bayko")],
        )
        await conn.executemany(
            "INSERT INTO sessions (uuid, user_uuid, device, address, expires_at)"
            " VALUES ($1, $2, 'test', '127.0.0.1', now() + interval '1 day')",
            [(SESSION, ANDREW), (OTHER_SESSION, ANDREW)],
        )
        await conn.executemany(
            "INSERT INTO activities (uuid, user_uuid, reply_to_activity_uuid, message, expires_at)"
            " VALUES ($1, $2, $3, 'To be found', now() + interval '1 day')",
            [(CRUD, ANDREW, None), (REPLY, BAYKO, CRUD), (DOOMED, ANDREW, None)],
        )
        await conn.execute(
            "INSERT INTO message_groups (uuid, low_user_uuid, high_user_uuid) VALUES ($1, $2, $3)",
            GROUP, ANDREW, BAYKO,
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO messages (message_group_uuid, user_uuid, message) VALUES ($1, $2, 'x')",
            GROUP, BAYKO,
        )  # fmt: skip
    finally:
        await conn.close()
    return dsn


@pytest.fixture(scope="session", autouse=True)
def _settings(peopled: str) -> None:
    """Set the application's database."""
    served.settings = Settings.from_env(
        {
            "CONNECTION_URL": peopled,
            "CRUDDUR_SIGNING_KEY": SIGNING_KEY,
            "CRUDDUR_SWEEP_INTERVAL": "30",
            "CRUDDUR_ADDRESS_ATTEMPTS": "100000",
            "CRUDDUR_RATE_EXEMPT": "127.0.0.1",
            "CRUDDUR_ACCOUNT_ATTEMPTS": "100000",
        }
    )


@schema.parametrize()
def test_responses_to_a_visitor_match_the_document(case: schemathesis.Case) -> None:
    _call_and_validate(case, {})


@pytest.mark.rule("C4")
@schema.parametrize()
def test_responses_to_a_member_match_the_document(case: schemathesis.Case) -> None:
    token = issue(KEYS, user_uuid=ANDREW, handle="andrewbrown", session_uuid=SESSION)
    _call_and_validate(case, {"Authorization": f"Bearer {token}"})


def _call_and_validate(case: schemathesis.Case, headers: dict[str, str]) -> None:
    """Run every check of Schemathesis, except one where our rules are stricter than the schema."""
    response = case.call(headers=headers)
    is_beyond_schema = response.status_code == 422 and set(response.json()) <= BEYOND_SCHEMA
    case.validate_response(
        response,
        headers=headers,
        excluded_checks=[positive_data_acceptance] if is_beyond_schema else [],
        transport_kwargs={"headers": headers},
    )
