"""Routes for the second factor of local accounts. The sign-in asks for its code."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.accounts import LIMITED, calling_client
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services.unit_of_work import Reading
from cruddur.wire import (
    RecoveryCodes,
    SecondFactor,
    SecondFactorCodeDraft,
    SecondFactorPasswordDraft,
    SecondFactorProofDraft,
    SecondFactorSecret,
)

PATH = "/api/auth/second-factor"

second_factors = ApiBlueprint("second_factors")


@second_factors.handle("GET", PATH, summary="Whether sign-ins need a code")
async def show(conn: Reading, viewer: Viewer) -> SecondFactor:
    """And how many recovery codes are left."""
    return await resources().second_factors.state(conn, viewer)


@second_factors.handle(
    "POST",
    PATH,
    summary="Get a secret for an authenticator app",
    rate="account",
    checks_session=True,
    errors={
        401: ["credentials_invalid"],
        404: ["not_found"],
        422: ["second_factor_on"],
        429: LIMITED,
    },
)
async def begin(viewer: Viewer, body: SecondFactorPasswordDraft) -> SecondFactorSecret:
    """Sign-ins do not need a code until the first one has confirmed the secret. Each call replaces
    a secret that is not confirmed. Codes follow RFC 6238, with SHA-1, six digits and 30 seconds."""
    return await resources().second_factors.begin(viewer, body, calling_client())


@second_factors.handle(
    "PUT",
    PATH,
    summary="Turn the second factor on with its first code",
    rate="account",
    checks_session=True,
    errors={404: ["not_found"], 422: ["code_invalid", "second_factor_on"]},
)
async def confirm(viewer: Viewer, body: SecondFactorCodeDraft) -> RecoveryCodes:
    """Only this response contains the recovery codes. Sessions stay."""
    return await resources().second_factors.confirm(viewer, body)


@second_factors.handle(
    "DELETE",
    PATH,
    summary="Turn the second factor off",
    rate="account",
    checks_session=True,
    errors={
        401: ["credentials_invalid"],
        404: ["not_found"],
        422: ["code_invalid", "password_blank"],
        429: LIMITED,
    },
)
async def remove(viewer: Viewer, body: SecondFactorProofDraft) -> SecondFactor:
    """With the password or a code. Sessions stay."""
    return await resources().second_factors.remove(viewer, body, calling_client())
