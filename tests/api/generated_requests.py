"""Requests that Schemathesis generates from the OpenAPI document, and the checks of the responses.

Importing Schemathesis and generating the requests takes seconds of CPU time, so the tests import
this module when they run, not when they are collected.

Schemathesis runs the application in-process, with its lifespan, on its own event loop. So
these tests use an application and a database of their own. The stored rows have fixed uuids,
which the tested document gives as examples; a random uuid would never exist.
"""

from copy import deepcopy
from typing import Any
from uuid import UUID

import asyncpg
import schemathesis
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cruddur.app import ENDPOINTS, create_app
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import ISSUER, issue
from cruddur.routes import openapi
from cruddur.services.uploads import UploadSigner
from cruddur.settings import Settings

(
    ANDREW,
    BAYKO,
    CRUD,
    REPLY,
    DOOMED,
    GROUP,
    SESSION,
    OTHER_SESSION,
    TOKEN,
    CASE,
    APPEALED,
    NOTICE,
    PASSKEY,
) = (UUID(int=0x0198_0000_0000_7000_8000_0000_0000_0000 + number) for number in range(13))
SIGNING_KEY = new_signing_key()
KEYS = KeyRing([SIGNING_KEY])
UPLOAD = UploadSigner(lambda: KEYS.secrets("avatar uploads")).sign(ANDREW)
MAX_EXAMPLES = 4
"""Random requests for each operation. There are 30 more, with boundary values."""

# Errors for requests that are valid by the schema: they depend on stored rows, on two fields
# together, or on the meaning of a text or file.
BEYOND_SCHEMA = {
    "appeal_decided",
    "appeal_used",
    "avatar_invalid",
    "challenge_invalid",
    "code_invalid",
    "block_self",
    "case_decided",
    "blocked_domains_invalid",
    "days_invalid",
    "default_ttl_too_long",
    "email_blocked",
    "email_unchanged",
    "reset_in_progress",
    "follow_self",
    "handle_taken",
    "idempotency_key_reused",
    "judge_involved",
    "invitation_blank",
    "invitation_invalid",
    "kind_invalid",
    "message_to_self",
    "mute_self",
    "password_blank",
    "passkey_invalid",
    "password_invalid",
    "password_too_weak",
    "picture_invalid",
    "pictures_invalid",
    "report_own",
    "tag_invalid",
    "terms_not_accepted",
    "too_many_announcements",
    "too_many_followed",
    "too_many_invitations",
    "too_many_pictures",
    "too_many_tags",
    "too_many_tokens",
    "ttl_too_long",
    "user_reciever_handle_blank",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "DELETE /api/activities/{uuid}": {"uuid": str(DOOMED)},
    "DELETE /api/auth/sessions/{uuid}": {"uuid": str(OTHER_SESSION)},
    "DELETE /api/auth/tokens/{uuid}": {"uuid": str(TOKEN)},
    "PUT /api/auth/passkeys/{uuid}": {"uuid": str(PASSKEY)},
    "DELETE /api/auth/passkeys/{uuid}": {"uuid": str(PASSKEY)},
    "PUT /api/users/@{handle}/follow": {"handle": "bayko"},
    "GET /api/moderation/cases/{uuid}": {"uuid": str(CASE)},
    "POST /api/moderation/cases/{uuid}/decisions": {"uuid": str(CASE)},
    "POST /api/moderation/appeals/{uuid}": {"uuid": str(APPEALED)},
    "POST /api/notices/{uuid}/appeal": {"uuid": str(NOTICE)},
    "*": {
        "uuid": str(CRUD),
        "message_group_uuid": str(GROUP),
        "handle": "andrewbrown",
        "subject": str(ANDREW),
        "tag": "crud",
        "token": UPLOAD,
    },
}


class _Served:
    """The application under test. A Quart application starts only once, so each lifespan, which
    lasts for the tests of a module, creates a new one."""

    settings: Settings

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self.app = create_app(self.settings)
        await self.app(scope, receive, send)


def load(dsn: str) -> BaseSchema:
    """Return the document of an application that uses a database with the rows of `insert_rows`."""
    served = _Served()
    served.settings = Settings.from_env(
        {
            "CONNECTION_URL": dsn,
            "CRUDDUR_SIGNING_KEY": SIGNING_KEY,
            "CRUDDUR_SWEEP_INTERVAL": "30",
            "CRUDDUR_ADDRESS_ATTEMPTS": "100000",
            "CRUDDUR_RATE_EXEMPT": "127.0.0.1",
            "CRUDDUR_ACCOUNT_ATTEMPTS": "100000",
        }
    )
    schema = schemathesis.openapi.from_dict(_document(), config=_config())
    schema.app = served
    return schema


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
            "generation": {
                "max-examples": MAX_EXAMPLES,
                "deterministic": True,
                "database": "none",
                # An unknown parameter is ignored. Together with a missing token, which each
                # request gets, Schemathesis would expect an error.
                "allow-extra-parameters": False,
            },
            "seed": 4567,
            "checks": {  # an array with too many items can also be too large a body
                "negative_data_rejection": {"expected-statuses": [*range(400, 430), "5xx"]}
            },
            "suppress-health-check": ["too_slow"],  # the outcome must not depend on speed
        }
    )


async def insert_rows(conn: asyncpg.Connection) -> None:
    """Insert two users and a row of each kind."""
    await conn.executemany(
        "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
        " VALUES ($1, $2, $3, $4, $4)",
        [(ANDREW, ISSUER, str(ANDREW), "andrewbrown"), (BAYKO, ISSUER, str(BAYKO), "bayko")],
    )
    await conn.execute("UPDATE users SET role = 'admin' WHERE uuid = $1", ANDREW)
    await conn.execute(
        "INSERT INTO cases (uuid, kind, subject_uuid, user_uuid) VALUES ($1, 'crud', $2, $3)",
        CASE, REPLY, BAYKO,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO moderation_actions"
        " (uuid, case_uuid, user_uuid, actor_uuid, kind, reason, appeal, appealed_at)"
        " VALUES ($1, $2, $3, $4, 'warn', 'x', 'y', now()), ($5, $2, $4, $4, 'warn', 'x',"
        " NULL, NULL)",
        APPEALED, CASE, BAYKO, ANDREW, NOTICE,
    )  # fmt: skip
    await conn.executemany(
        "INSERT INTO sessions (uuid, user_uuid, device, address, expires_at)"
        " VALUES ($1, $2, 'test', '127.0.0.1', now() + interval '1 day')",
        [(SESSION, ANDREW), (OTHER_SESSION, ANDREW), (TOKEN, ANDREW)],
    )
    await conn.execute("UPDATE sessions SET method = 'api_token' WHERE uuid = $1", TOKEN)
    await conn.execute("INSERT INTO api_tokens VALUES ($1, 'digest', 'bot', '{read}')", TOKEN)
    await conn.execute("INSERT INTO accounts VALUES ($1, 'andrew@example.com', 'x')", ANDREW)
    await conn.execute(
        "INSERT INTO passkeys (uuid, user_uuid, credential_id, credential, sign_count, name)"
        " VALUES ($1, $2, '', '', 0, 'Phone')",
        PASSKEY, ANDREW,
    )  # fmt: skip
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


def check_visitor(schema: BaseSchema, operation: str) -> int:
    """Check the responses of an operation to a visitor, and return how many there were."""
    return _check(schema, operation, {})


def check_member(schema: BaseSchema, operation: str) -> int:
    """Check the responses of an operation to a member, and return how many there were."""
    token = issue(KEYS, user_uuid=ANDREW, handle="andrewbrown", session_uuid=SESSION)
    return _check(schema, operation, {"Authorization": f"Bearer {token}"})


def _check(schema: BaseSchema, operation: str, headers: dict[str, str]) -> int:
    count = 0

    def call(case: schemathesis.Case) -> None:
        nonlocal count
        _call_and_validate(case, headers)
        count += 1

    load_all_checks()
    method, path = operation.split(" ")
    only = schema.include(method=method, path=path)
    # `parametrize` makes the same tests, but when they are collected.
    for result in get_all_tests(schema=only, test_func=call, settings=None, given_kwargs={}):
        _, test = result.ok()
        test()
    return count


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
