"""Routes for accounts and sessions. Only they receive the cookie with the refresh token."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Raw
from quart import after_this_request, request
from quart.typing import ResponseTypes as AnyResponse

from cruddur.errors import SuspendedError
from cruddur.identity.suspension import PROOF_SECONDS
from cruddur.identity.viewer import Viewer
from cruddur.routes import cookies
from cruddur.routes.cookies import read_cookie
from cruddur.routes.endpoint import ApiBlueprint, client_address, resources
from cruddur.routes.idempotency_key import idempotent_call
from cruddur.routes.origin import check_origin
from cruddur.services import users
from cruddur.services.accounts import SESSION_LIFETIME, SignInResult, new_password_codes
from cruddur.services.throttling import Client
from cruddur.services.unit_of_work import Reading
from cruddur.wire import (
    AccountDeleted,
    CodeDelivery,
    CodeSent,
    ConfirmationSent,
    ConfirmDraft,
    Confirmed,
    DeleteAccountDraft,
    EmailDraft,
    Member,
    PasskeySignInDraft,
    PasswordChanged,
    PasswordDraft,
    ResetDraft,
    Session,
    SignedIn,
    SignedOut,
    SignInDraft,
    SignUpDraft,
    TermsDraft,
)

DEVICE_LIFETIME = timedelta(days=180)
PATH = "/api/auth"
SUSPENSION_PATH = "/api"
LIMITED = ["rate_limited"]
_DEVICE = re.compile(r"[\w-]{43}", re.ASCII)
T = TypeVar("T")

accounts = ApiBlueprint("accounts")


async def _sign_up_codes(fields: Mapping[str, Any]) -> list[str]:
    return await resources().accounts.sign_up_codes(fields)


async def _new_password_codes(fields: Mapping[str, Any]) -> list[str]:
    return new_password_codes(fields)


@accounts.handle(
    "POST",
    "/api/auth/signup",
    summary="Sign up",
    idempotent=ConfirmationSent,
    errors={
        403: ["sign_up_closed"],
        422: [
            "password_invalid",
            "password_too_weak",
            "handle_taken",
            "email_blocked",
            "invitation_blank",
        ],
        429: LIMITED,
    },
    field_rules=_sign_up_codes,
)
async def signup(body: SignUpDraft) -> Raw:
    """Sends a code to the address. The response does not reveal whether it has an account.
    `GET /api/instance` shows whether an invitation is needed, and which terms to accept."""
    secrets = resources().keys.secrets("idempotency keys")
    call = idempotent_call(body.email.lower(), body, secrets)
    return await resources().accounts.sign_up(body, calling_client(), call)


@accounts.handle(
    "POST",
    "/api/auth/confirm",
    summary="Open the account with the code, and sign in",
    cookie=True,
    errors={
        403: ["sign_up_closed", "account_suspended"],
        422: ["code_invalid", "handle_taken", "email_blocked", "invitation_invalid"],
        429: LIMITED,
    },
)
async def confirm(body: ConfirmDraft) -> Confirmed:
    """Six digits, 15 minutes, 5 tries. Sets the refresh token as a cookie, if a session begins.
    The account uses the invitation of its sign-up now, which may have expired. 403
    `account_suspended` if a suspended account with this address was deleted."""
    result = await resources().accounts.confirm(body, calling_client(), _user_agent())
    return Confirmed() if result is None else Confirmed(session=_set_session_cookies(result))


@accounts.handle("POST", "/api/auth/resend", summary="Send the code again", errors={429: LIMITED})
async def resend(body: EmailDraft) -> ConfirmationSent:
    """The response does not reveal whether a sign-up waits for a code."""
    await resources().accounts.resend(body, calling_client())
    return ConfirmationSent()


@accounts.handle("GET", "/api/auth/code-delivery", summary="Where codes arrive")
async def code_delivery() -> CodeDelivery:
    """In the terminal only if no mail server is configured and only this machine can reach the
    service."""
    return CodeDelivery("terminal" if resources().settings.codes_in_terminal else "mail")


@accounts.handle(
    "POST",
    "/api/auth/signin",
    summary="Sign in",
    cookie=True,
    errors={
        401: ["credentials_invalid"],
        403: [
            "email_unconfirmed",
            "account_suspended",
            "code_required",
            "passkey_required",
            "sign_up_closed",
        ],
        422: ["challenge_invalid", "email_blocked", "invitation_invalid"],
        429: LIMITED,
    },
)
async def signin(body: SignInDraft) -> SignedIn:
    """With an address or a handle, and a password. If the account has a second factor, the response
    without it is 403: `code_required` if it has an app, `passkey_required` if it has passkeys, and
    both codes if it has both. Sets the refresh token as a cookie. The first sign-in of a Cognito
    user opens their account, if it is admitted. For a suspended account, the response is 403
    `account_suspended`, with a cookie for `GET /api/auth/suspension`, an appeal, the export and the
    deletion of the account."""
    with _proving_suspension():
        result = await resources().accounts.sign_in(body, calling_client(), _user_agent())
    return _set_session_cookies(result)


@accounts.handle(
    "POST",
    "/api/auth/signin/passkey",
    summary="Sign in with a passkey alone",
    cookie=True,
    errors={
        403: ["account_suspended"],
        404: ["not_found"],
        422: ["challenge_invalid"],
        429: LIMITED,
    },
)
async def signin_passkey(body: PasskeySignInDraft) -> SignedIn:
    """With the answer to a challenge for `sign_in`, for which the authenticator verifies its user.
    Sets the refresh token as a cookie, or that of a suspended account."""
    with _proving_suspension():
        result = await resources().accounts.sign_in_with_passkey(
            body, calling_client(), _user_agent()
        )
    return _set_session_cookies(result)


@accounts.handle(
    "POST",
    "/api/auth/refresh",
    summary="Exchange the refresh cookie for an access token",
    cookie=True,
    errors={401: ["generic_401"], 403: ["generic_403"]},
)
async def refresh() -> SignedIn:
    """Also replaces the cookie. An old cookie that is sent again ends the session."""
    check_origin(resources().settings.origins)
    result = await resources().accounts.refresh(_refresh_token(), client_address())
    return _set_session_cookies(result)


@accounts.handle(
    "POST",
    "/api/auth/signout",
    summary="Sign out",
    cookie=True,
    priority=True,
    errors={403: ["generic_403"]},
)
async def signout() -> SignedOut:
    """Ends the cookie's session, or deletes the cookie of a suspended account. Without a cookie it
    does nothing."""
    check_origin(resources().settings.origins)
    await resources().accounts.sign_out(_refresh_token())
    return _delete_session_cookies(SignedOut())


@accounts.handle(
    "POST", "/api/auth/forgot", summary="Send a code to reset the password", errors={429: LIMITED}
)
async def forgot(body: EmailDraft) -> CodeSent:
    """The response does not reveal whether there is such an account."""
    await resources().accounts.forgot(body, calling_client())
    return CodeSent()


@accounts.handle(
    "POST",
    "/api/auth/reset",
    summary="Set a new password with the code",
    errors={422: ["password_invalid", "password_too_weak", "code_invalid"], 429: LIMITED},
    field_rules=_new_password_codes,
)
async def reset(body: ResetDraft) -> PasswordChanged:
    """Ends every session."""
    await resources().accounts.reset(body, calling_client())
    return PasswordChanged()


@accounts.handle("GET", "/api/auth/me", summary="The signed-in user")
async def me(conn: Reading, viewer: Viewer) -> Member:
    """Includes the e-mail address, which no other user sees."""
    return await users.member(conn, viewer.uuid, viewer.session_uuid)


@accounts.handle("PUT", "/api/auth/terms", summary="Accept the terms")
async def accept_terms(viewer: Viewer, body: TermsDraft) -> Member:
    """With the `terms_version` of `GET /api/instance`. The account keeps it, and the time."""
    return await resources().accounts.accept_terms(viewer, body)


@accounts.handle(
    "DELETE",
    "/api/auth/me",
    summary="Delete the account",
    cookie=True,
    checks_session=True,
    suspended=True,
    errors={401: ["credentials_invalid"], 429: LIMITED},
)
async def delete(viewer: Viewer, body: DeleteAccountDraft) -> AccountDeleted:
    """Also deletes the user's cruds, replies, reactions and messages."""
    await resources().accounts.delete(viewer, body, calling_client())
    return _delete_session_cookies(AccountDeleted())


@accounts.handle(
    "PUT",
    "/api/auth/password",
    summary="Change the password",
    checks_session=True,
    errors={
        401: ["credentials_invalid"],
        422: ["password_invalid", "password_too_weak"],
        429: LIMITED,
    },
    field_rules=_new_password_codes,
)
async def password(viewer: Viewer, body: PasswordDraft) -> PasswordChanged:
    """Ends the other sessions."""
    await resources().accounts.change_password(viewer, body, _refresh_token(), calling_client())
    return PasswordChanged()


@accounts.handle("GET", "/api/auth/sessions", summary="The viewer's sessions")
async def sessions(conn: Reading, viewer: Viewer) -> list[Session]:
    """The most recently used session is first."""
    return await resources().accounts.sessions(conn, viewer, _refresh_token())


@accounts.handle(
    "DELETE",
    "/api/auth/sessions",
    summary="End all other sessions",
    checks_session=True,
)
async def revoke_others(viewer: Viewer) -> list[Session]:
    """The session of the access token stays, or else that of the refresh cookie. The response lists
    the remaining sessions."""
    return await resources().accounts.revoke_others(viewer, _refresh_token())


@accounts.handle(
    "DELETE",
    "/api/auth/sessions/<uuid:uuid>",
    summary="End a session",
    errors={404: ["not_found"]},
)
async def revoke(viewer: Viewer, uuid: UUID) -> list[Session]:
    """The response lists the remaining sessions."""
    return await resources().accounts.revoke(viewer, uuid, _refresh_token())


def _refresh_token() -> str | None:
    return read_cookie(cookies.REFRESH)


def _user_agent() -> str:
    return request.headers.get("User-Agent", "").replace("\x00", "")


def calling_client() -> Client:
    """Return the client of the request, for the limits of attempts."""
    device = read_cookie(cookies.DEVICE) or ""
    return Client(client_address(), device if _DEVICE.fullmatch(device) else None)


def _set_session_cookies(result: SignInResult) -> SignedIn:
    @after_this_request
    async def set_cookies(response: AnyResponse) -> AnyResponse:
        if result.device is not None:
            _set_cookie(response, cookies.DEVICE, result.device, DEVICE_LIFETIME)
        _set_cookie(response, cookies.REFRESH, result.refresh_token, SESSION_LIFETIME)
        return response

    return result.answer


def _delete_session_cookies(answer: T) -> T:
    @after_this_request
    async def delete_cookies(response: AnyResponse) -> AnyResponse:
        for name in {_cookie_name(cookies.REFRESH), *({cookies.REFRESH} & request.cookies.keys())}:
            _delete_cookie(response, name)
        if read_cookie(cookies.SUSPENSION) is not None:
            _delete_cookie(response, _cookie_name(cookies.SUSPENSION), SUSPENSION_PATH)
        return response

    return answer


@contextlib.contextmanager
def _proving_suspension() -> Iterator[None]:
    """Set a cookie for what a suspended account may do, if its sign-in is rejected."""
    try:
        yield
    except SuspendedError as suspended:
        proof = resources().suspensions.sign(suspended.user_uuid)

        @after_this_request
        async def set_cookie(response: AnyResponse) -> AnyResponse:
            lifetime = timedelta(seconds=PROOF_SECONDS)
            _set_cookie(response, cookies.SUSPENSION, proof, lifetime, SUSPENSION_PATH)
            return response

        raise


def _set_cookie(
    response: AnyResponse, name: str, value: str, lifetime: timedelta, path: str = PATH
) -> None:
    """Set a cookie with its current name, and delete a cookie with the name from before https."""
    response.set_cookie(
        _cookie_name(name),
        value,
        max_age=lifetime,
        path=path,
        secure=_is_secure(),
        httponly=True,
        samesite="Strict",
    )
    if _cookie_name(name) != name and name in request.cookies:
        _delete_cookie(response, name, path)


def _delete_cookie(response: AnyResponse, name: str, path: str = PATH) -> None:
    response.delete_cookie(name, path=path, secure=_is_secure(), httponly=True, samesite="Strict")


def _cookie_name(name: str) -> str:
    return cookies.SECURE + name if resources().settings.is_https else name


def _is_secure() -> bool:
    return resources().settings.is_https or request.scheme == "https"
