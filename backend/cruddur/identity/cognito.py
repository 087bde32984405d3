"""Accounts in an Amazon Cognito user pool, over its JSON API and without AWS credentials.

Users of the pool must be able to sign in by e-mail address. Its app client must have no secret and
must allow USER_PASSWORD_AUTH and REFRESH_TOKEN_AUTH. It may rotate refresh tokens.
"""

import asyncio
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
from cruddur.identity.provider import Attributes, Proof, SaveSignUp
from cruddur.identity.provisioning import provision_user
from cruddur.identity.tokens import Claims
from cruddur.identity.viewer import Viewer
from cruddur.settings import Settings
from cruddur.wire import EMAIL_CHARS, SignUpDraft

logger = logging.getLogger(__name__)

CALL_SECONDS = 8.0
"""Seconds that one call may take in total; the limits of the HTTP client are per read."""

THROTTLED_SECONDS = 60
"""Retry-After for Cognito's limits; Cognito does not report when they end."""

# Reasons why a user or a code is not accepted. The caller must not learn which one applies.
_NOT_PROVED = frozenset(
    {
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "InvalidParameterException",
        "UserLambdaValidationException",
    }
)
# The limits in this list are per user, so reporting one would reveal that the user exists.
_CODE_NOT_ACCEPTED = _NOT_PROVED | {
    "CodeMismatchException",
    "ExpiredCodeException",
    "AliasExistsException",
    "LimitExceededException",
    "TooManyFailedAttemptsException",
}
_NO_CODE_SENT = _NOT_PROVED | {"LimitExceededException"}
# The user exists but the mail failed. The caller must not be able to distinguish that from a
# user who does not exist.
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


class _Nothing(msgspec.Struct):
    """A response whose content is not used."""


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


class _Fault(msgspec.Struct):
    kind: str = msgspec.field(name="__type")
    message: str = ""


A = TypeVar("A", _Nothing, _Authenticated, _User)


class _RefusedError(Exception):
    """Cognito refused a call; `kind` is its name for the reason."""

    def __init__(self, action: str, kind: str, message: str) -> None:
        super().__init__(f"{action}: {kind}: {message}")
        self.kind = kind
        self._message = message

    @property
    def is_flow_off(self) -> bool:
        """Return whether the app client does not allow this way to sign in.

        Only the message of the error shows it (docs/decisions/0010).
        """
        return "not enabled for this client" in self._message

    def expect(self, kinds: frozenset[str]) -> None:
        """Return if the reason is one of these and the user caused it.

        Raises:
            RateLimitedError: the reason is a limit.
            UnavailableError: the pool, the client or our settings caused it.
        """
        needs_secret = self.kind == "NotAuthorizedException" and "secret" in self._message.lower()
        if self.kind in kinds and not needs_secret and not self.is_flow_off:
            return
        if self.kind in _LIMITED:
            raise RateLimitedError(THROTTLED_SECONDS) from self
        logger.error("Cognito refused a call that should be allowed: %s", self)
        raise UnavailableError from self


class CognitoAccounts:
    """The account provider for users of a Cognito user pool."""

    def __init__(self, settings: Settings, database: Database, http: httpx.AsyncClient) -> None:
        """Take the settings of the pool and its client."""
        self._url = f"{settings.cognito_url}/"
        self._issuer = f"{settings.cognito_url}/{settings.cognito_user_pool_id}"
        self._client_id = settings.cognito_client_id
        self._database = database
        self._http = http
        self._rotates = False  # learned from the first refresh

    async def prepare_sign_up(self, draft: SignUpDraft) -> SaveSignUp:
        """Create an account in the pool, which sends the code. A taken address is not an error.

        Raises:
            InvalidError: handle_taken, password_too_weak, email_invalid.
        """
        async with self._database.connection() as conn:
            if await db.select_short(conn, handle=draft.handle) is not None:
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
                _Nothing,
                ClientId=self._client_id,
                Username=email,
                Password=draft.password,
                UserAttributes=[{"Name": key, "Value": text} for key, text in attributes.items()],
            )
        except _RefusedError as refused:
            if refused.kind in {"UsernameExistsException", "AliasExistsException"}:
                return _nothing_to_save
            if refused.kind in _SENDING_FAILED:
                logger.error("a code was not sent: %s", refused)
                return _nothing_to_save
            if refused.kind in _WEAK_PASSWORD:
                raise InvalidError("password_too_weak") from refused
            refused.expect(
                frozenset({"InvalidParameterException", "UserLambdaValidationException"})
            )
            logger.warning("a sign-up was refused: %s", refused)  # perhaps by a rule of the pool
            raise InvalidError("email_invalid") from refused
        return _nothing_to_save

    async def confirm(self, email: str, code: str) -> None:
        """Open the account. The user is added to our table when they sign in.

        Raises:
            InvalidError: code_invalid, also if the account is already open.
        """
        try:
            await self._call(
                "ConfirmSignUp",
                _Nothing,
                ClientId=self._client_id,
                Username=email.lower(),
                ConfirmationCode=code,
            )
        except _RefusedError as refused:
            if refused.kind in _TRIGGER_FAILED:
                logger.warning("the pool's trigger failed, the account is open: %s", refused)
                return
            refused.expect(_CODE_NOT_ACCEPTED)
            raise InvalidError("code_invalid") from refused

    async def resend(self, email: str) -> None:
        """Send a new code if a sign-up waits for one."""
        await self._send_code("ResendConfirmationCode", email)

    async def authenticate(self, login: str, password: str) -> Proof:
        """Check a password, and create the user on first sight.

        Raises:
            UnauthenticatedError: credentials_invalid.
            ForbiddenError: email_unconfirmed.
        """
        tokens = await self._prove(await self._username(login), password)
        claims = self._read(tokens.access_token)
        async with self._database.connection() as conn:
            known = await _select(conn, claims)
        if known is None:
            attributes = await self.describe(claims, tokens.access_token)
            async with self._database.transaction() as conn:
                known = await provision_user(
                    conn, issuer=claims.issuer, subject=claims.subject, attributes=attributes
                )
        if known is None:  # deleted here, but not yet in the pool
            raise UnauthenticatedError("credentials_invalid")
        return _proof(known.uuid, tokens)

    async def refresh(self, user_uuid: UUID, refresh_token: str | None) -> Proof:
        """Exchange Cognito's refresh token for an access token.

        Raises:
            UnauthenticatedError: it was revoked, it has expired, or the session has none.
        """
        if refresh_token is None:
            raise UnauthenticatedError
        try:
            tokens = await self._renew(refresh_token)
        except _RefusedError as refused:
            refused.expect(_NOT_PROVED | {"RefreshTokenReuseException"})
            raise UnauthenticatedError from refused
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
                _Nothing,
                ClientId=self._client_id,
                Username=email,
                ConfirmationCode=code,
                Password=password,
            )
        except _RefusedError as refused:
            if refused.kind in _WEAK_PASSWORD:
                raise InvalidError("password_too_weak") from refused
            if refused.kind not in _TRIGGER_FAILED:
                refused.expect(_CODE_NOT_ACCEPTED)
                raise InvalidError("code_invalid") from refused
        try:
            tokens = await self._prove(email, password)
            claims = self._read(tokens.access_token)
        except CruddurError as error:
            # The password has been changed, so an error would be misleading.
            logger.warning("other applications' sessions may outlive a reset: %s", error)
            async with self._database.connection() as conn:
                return await db.select_user_by_email(conn, issuer=self._issuer, email=email)
        await self._attempt("GlobalSignOut", AccessToken=tokens.access_token)
        async with self._database.connection() as conn:
            known = await _select(conn, claims)
        return known.uuid if known else None

    async def change_password(self, viewer: Viewer, current: str, password: str) -> None:
        """Change the password.

        Raises:
            UnauthenticatedError: credentials_invalid.
            InvalidError: password_too_weak.
        """
        self._check_issuer(viewer.issuer)
        _check_password(password)
        try:
            await self._call(
                "ChangePassword",
                _Nothing,
                AccessToken=viewer.access_token,
                PreviousPassword=current,
                ProposedPassword=password,
            )
        except _RefusedError as refused:
            if refused.kind in _WEAK_PASSWORD:
                raise InvalidError("password_too_weak") from refused
            refused.expect(_NOT_PROVED)
            raise UnauthenticatedError("credentials_invalid") from refused

    async def delete(self, viewer: Viewer, password: str) -> None:
        """Check the password and delete the user from the pool.

        Raises:
            UnauthenticatedError: credentials_invalid.
        """
        self._check_issuer(viewer.issuer)
        username = _payload(viewer.access_token).get("username") or viewer.subject
        tokens = await self._prove(username, password)
        if self._read(tokens.access_token).subject != viewer.subject:
            raise UnauthenticatedError("credentials_invalid")
        try:
            await self._call("DeleteUser", _Nothing, AccessToken=tokens.access_token)
        except _RefusedError as refused:
            refused.expect(frozenset({"UserNotFoundException"}))  # then it is done

    async def end_session(self, refresh_token: str | None) -> None:
        """Revoke a refresh token and the access tokens that were issued for it."""
        if refresh_token is not None:
            await self._attempt("RevokeToken", ClientId=self._client_id, Token=refresh_token)

    async def describe(self, claims: Claims, access_token: str) -> Attributes:
        """Return a user's attributes from the pool, or else the token's username.

        Raises:
            UnauthenticatedError: credentials_invalid, for another issuer's token.
            UnavailableError: the pool does not answer. The user is not created without their
                attributes, because a handle cannot be changed later.
        """
        self._check_issuer(claims.issuer)
        try:
            user = await self._call("GetUser", _User, AccessToken=access_token)
        except RateLimitedError as limited:
            raise UnavailableError from limited
        except _RefusedError as refused:  # the token's scope does not cover it
            logger.warning("a user is created without their attributes: %s", refused)
            user = _User([])
        known = {attribute.name: attribute.value for attribute in user.user_attributes}
        handle = known.get("preferred_username") or _public_name(claims)
        email = known.get("email", "")
        return Attributes(
            handle=handle,
            display_name=known.get("name") or handle,
            email=email if 0 < len(email) <= EMAIL_CHARS and "\x00" not in email else None,
        )

    async def _username(self, login: str) -> str:
        """Return the name for Cognito: an address as it is, or the subject of a handle's user."""
        if "@" in login:
            return login.lower()
        async with self._database.connection() as conn:
            known = await db.select_viewer_by_handle(conn, handle=login)
        return known.subject if known and known.issuer == self._issuer else login

    async def _prove(self, username: str, password: str) -> _Tokens:
        try:
            answer = await self._call(
                "InitiateAuth",
                _Authenticated,
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        except _RefusedError as refused:
            if refused.kind == "UserNotConfirmedException":
                raise ForbiddenError("email_unconfirmed") from refused
            # Emulators report a wrong password as InvalidPassword.
            refused.expect(_NOT_PROVED | {"InvalidPasswordException"})
            raise UnauthenticatedError("credentials_invalid") from refused
        if answer.authentication_result is None:
            logger.warning("Cognito asked for a challenge response, which is not supported")
            raise UnauthenticatedError("credentials_invalid")
        return answer.authentication_result

    async def _renew(self, refresh_token: str) -> _Tokens:
        """Exchange a refresh token. A client that rotates tokens refuses the older of two calls."""
        if not self._rotates:
            try:
                answer = await self._call(
                    "InitiateAuth",
                    _Authenticated,
                    ClientId=self._client_id,
                    AuthFlow="REFRESH_TOKEN_AUTH",
                    AuthParameters={"REFRESH_TOKEN": refresh_token},
                )
                return _renewed(answer)
            except _RefusedError as refused:
                if refused.kind != "InvalidParameterException" and not refused.is_flow_off:
                    raise
        answer = await self._call(
            "GetTokensFromRefreshToken",
            _Authenticated,
            ClientId=self._client_id,
            RefreshToken=refresh_token,
        )
        self._rotates = True
        return _renewed(answer)

    async def _send_code(self, action: str, email: str) -> None:
        try:
            await self._call(action, _Nothing, ClientId=self._client_id, Username=email.lower())
        except _RefusedError as refused:
            if refused.kind in _SENDING_FAILED:
                logger.error("a code was not sent: %s", refused)
                return
            refused.expect(_NO_CODE_SENT)

    async def _attempt(self, action: str, **fields: object) -> None:
        """Call an action whose failure is only logged: then tokens are valid until they expire."""
        try:
            await self._call(action, _Nothing, **fields)
        except (_RefusedError, CruddurError) as error:
            logger.warning("Cognito did not carry out %s: %s", action, error)

    async def _call(self, action: str, answer: type[A], **fields: object) -> A:
        """Call an action.

        Raises:
            _RefusedError: Cognito refused the call.
            RateLimitedError: the pool received too many calls.
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
            logger.warning("Cognito does not answer %s: %r", action, error)
            raise UnavailableError from error
        try:
            if response.is_success:
                return msgspec.json.decode(response.content or b"{}", type=answer)
            if not response.is_client_error:
                raise msgspec.DecodeError("unexpected status")
            fault = msgspec.json.decode(response.content, type=_Fault)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            status = response.status_code
            logger.warning("Cognito's answer to %s (%d) is no use: %s", action, status, error)
            raise UnavailableError from error
        kind = fault.kind.rpartition("#")[2]
        if kind in _THROTTLED:
            logger.warning("Cognito is called too often: %s", action)
            raise RateLimitedError(THROTTLED_SECONDS)
        raise _RefusedError(action, kind, fault.message)

    def _read(self, access_token: str) -> Claims:
        """Return the claims of a token that Cognito has just returned.

        Raises:
            UnavailableError: its issuer is not the configured one, so it would be refused here.
        """
        payload = _payload(access_token)
        issuer, subject = payload.get("iss"), payload.get("sub")
        if issuer != self._issuer or not isinstance(subject, str) or not subject:
            logger.error("Cognito's tokens have the issuer %s, not %s", issuer, self._issuer)
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
    """Raise InvalidError for a new password that Cognito would refuse as a malformed parameter.

    It would be the same exception as for any other parameter, told apart by its message only.
    """
    if len(password) > _PASSWORD_CHARS or not _PASSWORD.fullmatch(password):
        raise InvalidError("password_too_weak")


def _proof(user_uuid: UUID, tokens: _Tokens) -> Proof:
    return Proof(user_uuid, tokens.access_token, tokens.expires_in, tokens.refresh_token)


def _renewed(answer: _Authenticated) -> _Tokens:
    if answer.authentication_result is None:
        raise UnauthenticatedError
    return answer.authentication_result


def _payload(token: str) -> Mapping[str, Any]:
    try:
        payload: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return payload


def _public_name(claims: Claims) -> str:
    """Return the username as a handle, unless it is an address or the subject."""
    username = claims.username
    return "" if "@" in username or username == claims.subject else username
