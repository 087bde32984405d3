"""Routes for the passkeys of local accounts. `routes/accounts.py` has the sign-ins with them."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.accounts import LIMITED, calling_client
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import (
    NewPasskey,
    Passkey,
    PasskeyChallenge,
    PasskeyCreation,
    PasskeyDraft,
    PasskeyNameDraft,
    PasskeyPurposeDraft,
    PasskeySupport,
    SecondFactorPasswordDraft,
    SecondFactorProofDraft,
)

PATH = "/api/auth/passkeys"

passkeys = ApiBlueprint("passkeys")


@passkeys.handle("GET", f"{PATH}/support", summary="Whether there are passkeys")
async def support() -> PasskeySupport:
    """Only for local accounts, and only if the public address has a domain."""
    return PasskeySupport(resources().passkeys.is_available)


@passkeys.handle("GET", PATH, summary="The viewer's passkeys")
async def show(conn: Reading, viewer: Viewer) -> list[Passkey]:
    """The oldest passkey is first."""
    return await resources().passkeys.passkeys(conn, viewer)


@passkeys.handle(
    "POST",
    f"{PATH}/registration",
    summary="Get a challenge for a new passkey",
    rate="account",
    checks_session=True,
    errors={
        401: ["credentials_invalid"],
        404: ["not_found"],
        422: ["too_many_passkeys"],
        429: LIMITED,
    },
)
async def begin(viewer: Viewer, body: SecondFactorPasswordDraft) -> PasskeyCreation:
    """The options are for `navigator.credentials.create()`. The challenge has one answer, within
    five minutes, in this session."""
    return await resources().passkeys.begin(viewer, body, calling_client())


@passkeys.handle(
    "POST",
    PATH,
    summary="Add a passkey",
    rate="account",
    checks_session=True,
    errors={404: ["not_found"]},
)
async def add(viewer: Viewer, body: PasskeyDraft) -> NewPasskey:
    """From then on, sign-ins need it or another second factor. The first second factor comes with
    recovery codes, which only this response contains."""
    return await resources().passkeys.add(viewer, body)


@passkeys.handle(
    "PUT",
    f"{PATH}/<uuid:uuid>",
    summary="Rename a passkey",
    rate="account",
    errors={404: ["not_found"]},
)
async def rename(conn: Writing, viewer: Viewer, uuid: UUID, body: PasskeyNameDraft) -> Passkey:
    """The name is for its owner alone."""
    return await resources().passkeys.rename(conn, viewer, uuid, body)


@passkeys.handle(
    "DELETE",
    f"{PATH}/<uuid:uuid>",
    summary="Remove a passkey",
    rate="account",
    checks_session=True,
    errors={
        401: ["credentials_invalid"],
        404: ["not_found"],
        422: ["code_invalid", "password_blank"],
        429: LIMITED,
    },
)
async def remove(viewer: Viewer, uuid: UUID, body: SecondFactorProofDraft) -> list[Passkey]:
    """With the password or a code. Sessions stay. The recovery codes end with the last second
    factor. The response lists the remaining passkeys."""
    return await resources().passkeys.remove(viewer, uuid, body, calling_client())


@passkeys.handle(
    "POST",
    f"{PATH}/challenge",
    summary="Get a challenge for a sign-in",
    rate="account",
    errors={404: ["not_found"]},
)
async def challenge(body: PasskeyPurposeDraft) -> PasskeyChallenge:
    """The options are for `navigator.credentials.get()`. The challenge has one answer, within five
    minutes."""
    return await resources().passkeys.challenge(body)
