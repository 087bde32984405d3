"""Routes for a change of the address of a local account."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.accounts import LIMITED, calling_client
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services.unit_of_work import Reading
from cruddur.wire import (
    CodeSent,
    EmailAddress,
    EmailChangeDraft,
    EmailChangeStopped,
    EmailCodeDraft,
    EmailStopDraft,
)

PATH = "/api/auth/email"

email_changes = ApiBlueprint("email_changes")


@email_changes.handle("GET", PATH, summary="The viewer's address")
async def show(conn: Reading, viewer: Viewer) -> EmailAddress:
    """And the new one that waits for its code."""
    return await resources().email_changes.show(conn, viewer)


@email_changes.handle(
    "POST",
    PATH,
    summary="Start a change of the address",
    rate="account",
    checks_session=True,
    errors={
        401: ["credentials_invalid"],
        403: ["code_required", "passkey_required"],
        404: ["not_found"],
        422: [
            *("code_invalid", "passkey_invalid"),
            *("email_unchanged", "email_blocked", "reset_in_progress"),
        ],
        429: LIMITED,
    },
)
async def begin(viewer: Viewer, body: EmailChangeDraft) -> CodeSent:
    """With the password, and the second factor if there is one, as at a sign-in. A code is sent to
    the new address, and one that stops the change to the old address. The response does not reveal
    whether another account has the address."""
    await resources().email_changes.begin(viewer, body, calling_client())
    return CodeSent()


@email_changes.handle(
    "PUT",
    PATH,
    summary="Change the address with the code that was sent to it",
    rate="account",
    checks_session=True,
    errors={404: ["not_found"], 422: ["code_invalid"], 429: LIMITED},
)
async def confirm(viewer: Viewer, body: EmailCodeDraft) -> EmailAddress:
    """Six digits, 15 minutes, 5 tries. All sessions stay."""
    return await resources().email_changes.confirm(viewer, body.code, calling_client())


@email_changes.handle(
    "POST",
    "/api/auth/email/stop",
    summary="Stop a change of the address, or take it back",
    rate="account",
    errors={404: ["not_found"], 422: ["code_invalid"]},
)
async def stop(body: EmailStopDraft) -> EmailChangeStopped:
    """With the code that was sent to the old address, until seven days after the change. Ends every
    session and API token of the account."""
    await resources().email_changes.stop(body.code)
    return EmailChangeStopped()
