"""Accounts in an Amazon Cognito user pool, over its JSON API and without AWS credentials.

Users of the pool must be able to sign in by e-mail address. Its app client must have no secret and
must allow USER_PASSWORD_AUTH and REFRESH_TOKEN_AUTH. It may rotate refresh tokens.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import httpx
import jwt
import msgspec

from cruddur.db import users as db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import (
    CruddurError,
    ForbiddenError,
    InvalidError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from cruddur.identity.admission import Admission, give_invitation_back, use_invitation
from cruddur.identity.passwords import password_forms
from cruddur.identity.provider import Attributes, Proof, SaveSignUp
from cruddur.identity.provisioning import provision_user
from cruddur.identity.tokens import Claims
from cruddur.identity.viewer import Viewer
from cruddur.settings import Settings
from cruddur.wire import EMAIL_CHARS, PasskeyAnswer, SignUpDraft

logger = logging.getLogger(__name__)

CALL_SECONDS = 8.0
"""Seconds that one call may take in total; the limits of the HTTP client are per read."""

THROTTLED_SECONDS = 60
"""Retry-After for Cognito's limits; Cognito does not report when they end."""

# Reasons why credentials are not accepted. The response must not reveal which one applies.
_CREDENTIALS_REJECTED = frozenset(
    {
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "InvalidParameterException",
        "UserLambdaValidationException",
    }
)
# The limits in this set are per user, so a 429 would reveal that the user exists.
_CODE_REJECTED = _CREDENTIALS_REJECTED | {
    "CodeMismatchException",
    "ExpiredCodeException",
    "AliasExistsException",
    "LimitExceededException",
    "TooManyFailedAttemptsException",
}
_NO_CODE_SENT = _CREDENTIALS_REJECTED | {"LimitExceededException"}
# The user exists but the mail failed. The response must be the same as for an unknown user.
_SENDING_FAILED = frozenset(
    {
        "CodeDeliveryFailureException",
        "UnexpectedLambdaException",
        "InvalidLambdaResponseException",
    }
)
# The trigger runs after the confirmation and cannot undo it.
_TRIGGER_FAILED = frozenset(
    {
        "UserLambdaValidationException",
        "UnexpectedLambdaException",
        "InvalidLambdaResponseException",
    }
)
_WEAK_PASSWORD = frozenset({"InvalidPasswordException", "PasswordHistoryPolicyViolationException"})
_THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException"})
_LIMITED = frozenset({"LimitExceededException", "TooManyFailedAttemptsException"})
# Of the parameters Password (SignUp) and ProposedPassword in the API reference.
_PASSWORD = re.compile(r"\S+.*\S+")
_PASSWORD_CHARS = 256


class _IgnoredResponse(msgspec.Struct):
    """A response with content that is not used."""


class _Tokens(msgspec.Struct, rename="pascal"):
    access_token: str
    expires_in: int | None = None
    refresh_token: str | None = None


class _Authenticated(msgspec.Struct, rename="pascal"):
    authentication_result: _Tokens | None = None


class _Attribute(msgspec.Struct, rename="pascal"):
    name: str
    value: str = ""


class _User(msgspec.Struct, rename="pascal"):
    user_attributes: list[_Attribute]


class _ErrorResponse(msgspec.Struct):
    kind: str = msgspec.field(name="__type")
    message: str = ""


A = TypeVar("A", _IgnoredResponse, _Authenticated, _User)


class _RejectedError(Exception):
    """Cognito rejected a call; `kind` is the name of its exception."""

    def __init__(self, action: str, kind: str, message: str) -> None:
        super().__init__(f"{action}: {kind}: {message}")
        self.kind = kind
        self._message = message

    @property
    def is_flow_off(self) -> bool:
        """Return whether the app client does not allow this authentication flow.

        Only the message of the error shows it (docs/decisions/0010).
        """
        return "not enabled for this client" in self._message

    def expect(self, kinds: frozenset[str]) -> None:
        """Return if the rejection is one of these kinds and was caused by the user.

        Raises:
            RateLimitedError: a limit was exceeded.
            UnavailableError: the pool, the client or our settings caused the rejection.
        """
        needs_secret = self.kind == "NotAuthorizedException" and "secret" in self._message.lower()
        if self.kind in kinds and not needs_secret and not self.is_flow_off:
            return
        if self.kind in _LIMITED:
            raise RateLimitedError(THROTTLED_SECONDS) from self
        logger.error("Cognito rejected a call because of the configuration: %s", self)
        raise UnavailableError from self


class CognitoAccounts:
    """The account provider for users of a Cognito user pool."""

    def __init__(self, settings: Settings, database: Database, http: httpx.AsyncClient) -> None:
        """Set the pool and its client from the settings."""
        self._url = f"{settings.cognito_url}/"
        self._issuer = f"{settings.cognito_url}/{settings.cognito_user_pool_id}"
        self._client_id = settings.cognito_client_id
        self._database = database
        self._http = http
        self._is_rotating = False  # learned from the first refresh

    async def prepare_sign_up(self, draft: SignUpDraft, admission: Admission) -> SaveSignUp:
        """Create an account in the pool, which sends the code. A taken address is not an error.

        An invitation is used now, because the pool confirms the account.

        Raises:
            InvalidError: handle_taken, password_too_weak, email_invalid, invitation_invalid.
        """
        invitation_uuid = admission.invitation_uuid
        if invitation_uuid is None:
            return await self._sign_up(draft)
        async with self._database.transaction() as conn:
            await use_invitation(conn, draft.email, invitation_uuid)
        try:
            return await self._sign_up(draft)
        except CruddurError:
            async with self._database.transaction() as conn:
                await give_invitation_back(conn, draft.email, invitation_uuid)
            raise

    async def _sign_up(self, draft: SignUpDraft) -> SaveSignUp:
        async with self._database.connection() as conn:
            if await db.select_short(conn, viewer=None, handle=draft.handle) is not None:
                raise InvalidError("handle_taken")
        _check_password(draft.password)
        email = draft.email.lower()
        attributes = {
            "email": email,
            "name": draft.display_name,
            "preferred_username": draft.handle,
        }
        try:
            await self._call(
                "SignUp",
                _IgnoredResponse,
                ClientId=self._client_id,
                Username=email,
                Password=draft.password,
                UserAttributes=[{"Name": key, "Value": text} for key, text in attributes.items()],
            )
        except _RejectedError as rejected:
            if rejected.kind in {"UsernameExistsException", "AliasExistsException"}:
                return _nothing_to_save
            if rejected.kind in _SENDING_FAILED:
                logger.error("a code was not sent: %s", rejected)
                return _nothing_to_save
            if rejected.kind in _WEAK_PASSWORD:
                raise InvalidError("password_too_weak") from rejected
            rejected.expect(
                frozenset({"InvalidParameterException", "UserLambdaValidationException"})
            )
            logger.warning("a sign-up was refused: %s", rejected)  # perhaps by a rule of the pool
            raise InvalidError("email_invalid") from rejected
        return _nothing_to_save

    async def confirm(self, email: str, code: str) -> None:
        """Confirm the account. The user row is created at the first sign-in, with the password.

        Raises:
            InvalidError: code_invalid, also if the account is already confirmed.
        """
        try:
            await self._call(
                "ConfirmSignUp",
                _IgnoredResponse,
                ClientId=self._client_id,
                Username=email.lower(),
                ConfirmationCode=code,
            )
        except _RejectedError as rejected:
            if rejected.kind in _TRIGGER_FAILED:
                logger.warning(
                    "the pool's trigger failed after the account was confirmed: %s", rejected
                )
                return
            rejected.expect(_CODE_REJECTED)
            raise InvalidError("code_invalid") from rejected

    async def resend(self, email: str) -> None:
        """Send a new code if there is an unconfirmed sign-up."""
        await self._send_code("ResendConfirmationCode", email)

    async def authenticate(
        self,
        login: str,
        password: str,
        code: str | None,  # noqa: ARG002  # only local accounts have a second factor here
        passkey: PasskeyAnswer | None,  # noqa: ARG002  # as above
    ) -> Proof:
        """Check a password, and create the user on first sight.

        Raises:
            UnauthenticatedError: credentials_invalid.
            ForbiddenError, InvalidError: email_unconfirmed, and those of `provision_user`.
        """
        tokens = await self._password_sign_in(await self._username(login), password)
        claims = self._read_claims(tokens.access_token)
        async with self._database.connection() as conn:
            user_identity = await _select(conn, claims)
        if user_identity is None:
            attributes = await self.describe(claims, tokens.access_token)
            async with self._database.transaction() as conn:
                user_identity = await provision_user(
                    conn, issuer=claims.issuer, subject=claims.subject, attributes=attributes
                )
        if user_identity is None:  # deleted here, but not yet in the pool
            raise UnauthenticatedError("credentials_invalid")
        return _proof(user_identity.uuid, tokens)

    async def refresh(self, user_uuid: UUID, refresh_token: str | None) -> Proof:
        """Exchange Cognito's refresh token for an access token.

        Raises:
            UnauthenticatedError: it was revoked, it has expired, or the session has none.
        """
        if refresh_token is None:
            raise UnauthenticatedError
        try:
            tokens = await self._refresh_tokens(refresh_token)
        except _RejectedError as rejected:
            rejected.expect(_CREDENTIALS_REJECTED | {"RefreshTokenReuseException"})
            raise UnauthenticatedError from rejected
        return _proof(user_uuid, tokens)

    async def forgot(self, email: str) -> None:
        """Send a reset code if there is such an account."""
        await self._send_code("ForgotPassword", email)

    async def reset(self, email: str, code: str, password: str) -> UUID | None:
        """Set a new password if the code is valid, and end all sessions of all applications.

        Raises:
            InvalidError: code_invalid, password_too_weak.
        """
        _check_password(password)
        email = email.lower()
        try:
            await self._call(
                "ConfirmForgotPassword",
                _IgnoredResponse,
                ClientId=self._client_id,
                Username=email,
                ConfirmationCode=code,
                Password=password,
            )
        except _RejectedError as rejected:
            if rejected.kind in _WEAK_PASSWORD:
                raise InvalidError("password_too_weak") from rejected
            if rejected.kind not in _TRIGGER_FAILED:
                rejected.expect(_CODE_REJECTED)
                raise InvalidError("code_invalid") from rejected
        try:
            tokens = await self._password_sign_in(email, password)
            claims = self._read_claims(tokens.access_token)
        except CruddurError as error:
            # The password has been changed, so an error would be misleading.
            logger.warning(
                "sessions of other applications may not have been revoked after a reset: %s", error
            )
            async with self._database.connection() as conn:
                return await db.select_user_by_email(conn, issuer=self._issuer, email=email)
        await self._call_and_log_failure("GlobalSignOut", AccessToken=tokens.access_token)
        async with self._database.connection() as conn:
            user_identity = await _select(conn, claims)
        return user_identity.uuid if user_identity else None

    async def change_password(self, viewer: Viewer, current: str, password: str) -> None:
        """Change the password.

        Raises:
            UnauthenticatedError: credentials_invalid.
            InvalidError: password_too_weak.
        """
        self._check_issuer(viewer.issuer)
        _check_password(password)
        for form in password_forms(current):
            try:
                await self._call(
                    "ChangePassword",
                    _IgnoredResponse,
                    AccessToken=viewer.access_token,
                    PreviousPassword=form,
                    ProposedPassword=password,
                )
            except _RejectedError as rejected:
                if rejected.kind in _WEAK_PASSWORD:
                    raise InvalidError("password_too_weak") from rejected
                rejected.expect(_CREDENTIALS_REJECTED)
            else:
                return
        raise UnauthenticatedError("credentials_invalid")

    async def delete(self, viewer: Viewer, password: str) -> None:
        """Check the password and delete the user from the pool.

        Raises:
            UnauthenticatedError: credentials_invalid.
        """
        self._check_issuer(viewer.issuer)
        username = _payload(viewer.access_token).get("username") or viewer.subject
        tokens = await self._password_sign_in(username, password)
        if self._read_claims(tokens.access_token).subject != viewer.subject:
            raise UnauthenticatedError("credentials_invalid")
        try:
            await self._call("DeleteUser", _IgnoredResponse, AccessToken=tokens.access_token)
        except _RejectedError as rejected:
            rejected.expect(frozenset({"UserNotFoundException"}))  # the user is already deleted

    async def end_session(self, refresh_token: str | None) -> None:
        """Revoke a refresh token and the access tokens that were issued for it."""
        if refresh_token is not None:
            await self._call_and_log_failure(
                "RevokeToken", ClientId=self._client_id, Token=refresh_token
            )

    async def describe(self, claims: Claims, access_token: str) -> Attributes:
        """Return a user's attributes from the pool, or the token's username if it denies access.

        Raises:
            UnauthenticatedError: credentials_invalid, for another issuer's token.
            UnavailableError: the pool does not respond. The user is not created without
                attributes, because a handle cannot be changed later.
        """
        self._check_issuer(claims.issuer)
        try:
            user = await self._call("GetUser", _User, AccessToken=access_token)
        except RateLimitedError as limited:
            raise UnavailableError from limited
        except _RejectedError as rejected:  # the token's scope does not cover it
            logger.warning("a user is created without their attributes: %s", rejected)
            user = _User([])
        attributes = {attribute.name: attribute.value for attribute in user.user_attributes}
        handle = attributes.get("preferred_username") or _handle_from_claims(claims)
        email = attributes.get("email", "")
        return Attributes(
            handle=handle,
            display_name=attributes.get("name") or handle,
            email=email if 0 < len(email) <= EMAIL_CHARS and "\x00" not in email else None,
        )

    async def _username(self, login: str) -> str:
        """Return the username for Cognito: the address, or the subject of the handle's user."""
        if "@" in login:
            return login.lower()
        async with self._database.connection() as conn:
            user_identity = await db.select_viewer_by_handle(conn, handle=login)
        return (
            user_identity.subject
            if user_identity and user_identity.issuer == self._issuer
            else login
        )

    async def _password_sign_in(self, username: str, password: str) -> _Tokens:
        *others, last = password_forms(password)
        for form in others:
            with contextlib.suppress(UnauthenticatedError):
                return await self._sign_in_with(username, form)
        return await self._sign_in_with(username, last)

    async def _sign_in_with(self, username: str, password: str) -> _Tokens:
        try:
            answer = await self._call(
                "InitiateAuth",
                _Authenticated,
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        except _RejectedError as rejected:
            if rejected.kind == "UserNotConfirmedException":
                raise ForbiddenError("email_unconfirmed") from rejected
            # Emulators report a wrong password as InvalidPassword.
            rejected.expect(_CREDENTIALS_REJECTED | {"InvalidPasswordException"})
            raise UnauthenticatedError("credentials_invalid") from rejected
        if answer.authentication_result is None:
            logger.warning("Cognito asked for a challenge response, which is not supported")
            raise UnauthenticatedError("credentials_invalid")
        return answer.authentication_result

    async def _refresh_tokens(self, refresh_token: str) -> _Tokens:
        """Exchange a refresh token. A client that rotates tokens rejects REFRESH_TOKEN_AUTH."""
        if not self._is_rotating:
            try:
                answer = await self._call(
                    "InitiateAuth",
                    _Authenticated,
                    ClientId=self._client_id,
                    AuthFlow="REFRESH_TOKEN_AUTH",
                    AuthParameters={"REFRESH_TOKEN": refresh_token},
                )
                return _refreshed_tokens(answer)
            except _RejectedError as rejected:
                if rejected.kind != "InvalidParameterException" and not rejected.is_flow_off:
                    raise
        answer = await self._call(
            "GetTokensFromRefreshToken",
            _Authenticated,
            ClientId=self._client_id,
            RefreshToken=refresh_token,
        )
        self._is_rotating = True
        return _refreshed_tokens(answer)

    async def _send_code(self, action: str, email: str) -> None:
        try:
            await self._call(
                action, _IgnoredResponse, ClientId=self._client_id, Username=email.lower()
            )
        except _RejectedError as rejected:
            if rejected.kind in _SENDING_FAILED:
                logger.error("a code was not sent: %s", rejected)
                return
            rejected.expect(_NO_CODE_SENT)

    async def _call_and_log_failure(self, action: str, **fields: object) -> None:
        """Call an action and only log a failure; the tokens then stay valid until they expire."""
        try:
            await self._call(action, _IgnoredResponse, **fields)
        except (_RejectedError, CruddurError) as error:
            logger.warning("Cognito %s failed: %s", action, error)

    async def _call(self, action: str, answer: type[A], **fields: object) -> A:
        """Call an action.

        Raises:
            _RejectedError: Cognito rejected the call.
            RateLimitedError: the pool throttled the call.
            UnavailableError: there is no response, or it cannot be parsed.
        """
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = await self._http.post(
                    self._url,
                    content=msgspec.json.encode(fields),
                    headers={
                        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
                        "Content-Type": "application/x-amz-json-1.1",
                    },
                )
        except (httpx.HTTPError, TimeoutError) as error:
            logger.warning("Cognito did not respond to %s: %r", action, error)
            raise UnavailableError from error
        try:
            if response.is_success:
                return msgspec.json.decode(response.content or b"{}", type=answer)
            if not response.is_client_error:
                raise msgspec.DecodeError("unexpected status")
            error_response = msgspec.json.decode(response.content, type=_ErrorResponse)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            status = response.status_code
            logger.warning(
                "Cognito's response to %s (status %d) is invalid: %s", action, status, error
            )
            raise UnavailableError from error
        kind = error_response.kind.rpartition("#")[2]
        if kind in _THROTTLED:
            logger.warning("Cognito throttled %s", action)
            raise RateLimitedError(THROTTLED_SECONDS)
        raise _RejectedError(action, kind, error_response.message)

    def _read_claims(self, access_token: str) -> Claims:
        """Return the claims of a token that Cognito has just returned.

        Raises:
            UnavailableError: its issuer is not the configured one, so we would not accept it.
        """
        payload = _payload(access_token)
        issuer, subject = payload.get("iss"), payload.get("sub")
        if issuer != self._issuer or not isinstance(subject, str) or not subject:
            logger.error("Cognito's tokens have the issuer %s instead of %s", issuer, self._issuer)
            raise UnavailableError
        username = str(payload.get("username") or subject)
        return Claims(
            issuer=self._issuer,
            subject=subject,
            username=username,
            user_uuid=None,
            session_uuid=None,
            ends_at=datetime.now(UTC),  # used only to find the user
        )

    def _check_issuer(self, issuer: str) -> None:
        """Raise UnauthenticatedError if a user is not in this pool."""
        if issuer != self._issuer:
            raise UnauthenticatedError("credentials_invalid")


async def _nothing_to_save(_: Connection) -> Callable[[], None]:
    """Save nothing: Cognito stores sign-ups and sends their codes."""
    return lambda: None


async def _select(conn: Connection, claims: Claims) -> db.UserIdentity | None:
    return await db.select_viewer(conn, issuer=claims.issuer, subject=claims.subject)


def _check_password(password: str) -> None:
    """Raise InvalidError for a new password that Cognito would reject as a malformed parameter.

    Only the message of that exception shows which parameter is malformed.
    """
    if len(password) > _PASSWORD_CHARS or not _PASSWORD.fullmatch(password):
        raise InvalidError("password_too_weak")


def _proof(user_uuid: UUID, tokens: _Tokens) -> Proof:
    return Proof(user_uuid, tokens.access_token, tokens.expires_in, tokens.refresh_token)


def _refreshed_tokens(answer: _Authenticated) -> _Tokens:
    if answer.authentication_result is None:
        raise UnauthenticatedError
    return answer.authentication_result


def _payload(token: str) -> Mapping[str, Any]:
    try:
        payload: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return payload


def _handle_from_claims(claims: Claims) -> str:
    """Return the username as a handle, unless it is an address or the subject."""
    username = claims.username
    return "" if "@" in username or username == claims.subject else username
