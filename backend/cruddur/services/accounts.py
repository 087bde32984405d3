"""Account flows that are the same for every provider: throttling, sessions and responses.

"Codes" in a docstring are the error codes that the function raises.
"""

import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from cruddur.db import accounts as accounts_db
from cruddur.db import sessions as db
from cruddur.db import users as users_db
from cruddur.db.accounts import Reservation
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import (
    CruddurError,
    InvalidError,
    NotFoundError,
    SuspendedError,
    UnauthenticatedError,
)
from cruddur.identity.admission import check_sign_up
from cruddur.identity.keys import KeyRing, Sealer
from cruddur.identity.passkeys import Passkeys
from cruddur.identity.passwords import check_strength, prepare_password, verify_password
from cruddur.identity.provider import Proof, Provider
from cruddur.identity.tokens import ACCESS_TOKEN_SECONDS, issue
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services import users
from cruddur.services.concurrent_calls import ConcurrentCalls
from cruddur.services.idempotency import Created, IdempotentCall, replay, run_once
from cruddur.services.reports import Reports
from cruddur.services.throttling import Attempt, Client, Throttle
from cruddur.telemetry.operation import current_operation
from cruddur.wire import (
    ConfirmationSent,
    ConfirmDraft,
    DeleteAccountDraft,
    EmailDraft,
    Member,
    PasskeySignInDraft,
    PasswordDraft,
    ResetDraft,
    Session,
    SignedIn,
    SignInDraft,
    SignUpDraft,
    TermsDraft,
)

logger = logging.getLogger(__name__)

SESSION_LIFETIME = timedelta(days=30)
"""The lifetime of a session that is not used."""

MAX_SESSIONS = 50
"""Maximum number of sessions per account. A further sign-in ends the least recently used one."""


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The result of a sign-in or refresh: the response, and the values of the cookies.

    `device` identifies the client at its next sign-in; a refresh sets none.
    """

    answer: SignedIn
    refresh_token: str
    device: str | None = None


class Accounts:
    """The accounts API over one provider."""

    def __init__(
        self,
        database: Database,
        provider: Provider,
        passkeys: Passkeys | None,
        keys: KeyRing,
        throttle: Throttle,
        concurrent_calls: ConcurrentCalls,
        reports: Reports,
    ) -> None:
        """Set the dependencies.

        `keys` sign access tokens and encrypt provider refresh tokens. `passkeys` is None if the
        provider does not have them.
        """
        self._database = database
        self._provider = provider
        self._passkeys = passkeys
        self._keys = keys
        self._throttle = throttle
        self._reports = reports
        self._concurrent_calls = concurrent_calls
        self._sealer = Sealer(partial(keys.secrets, "sealed refresh tokens"))

    async def sign_up(
        self, draft: SignUpDraft, client: Client, call: IdempotentCall | None
    ) -> msgspec.Raw:
        """Start a sign-up, once for each `Idempotency-Key`.

        The slow part holds no connection. No sign-up waits for another one, unless both have the
        same key. Someone who signs up again with another address and the same password keeps the
        handle, because the first address may have been mistyped. Codes: password_invalid,
        password_too_weak, handle_taken, rate_limited, and those of `check_sign_up` and `run_once`.
        """
        fields = msgspec.structs.asdict(draft)
        try:
            draft = msgspec.structs.replace(draft, password=new_password(fields))
        except InvalidError as error:
            raise InvalidError(*await self.sign_up_codes(fields)) from error
        attempt = await self._throttle.attempt("signup", draft.email, client)
        if call is not None:
            async with self._database.connection() as conn:
                stored_response = await replay(conn, call)
            if stored_response is not None:
                return stored_response
        async with self._database.connection() as conn:
            admission = await check_sign_up(conn, fields)
            reservation = await accounts_db.select_reservation(
                conn, handle=draft.handle, email=draft.email.lower()
            )
        async with self._concurrent_calls.of(client.address):
            if reservation is not None:
                await self._check_reservation(reservation, draft, client)
                admission = replace(admission, mistyped_email=reservation.email)
            save = await self._provider.prepare_sign_up(draft, admission)
        send: Callable[[], None] | None = None
        async with self._database.transaction() as conn:

            async def create() -> Created:
                nonlocal send
                send = await save(conn)
                return Created(ConfirmationSent())

            answer = await run_once(conn, call, create)
        if send is not None and await self._throttle.start_sign_up(attempt):
            send()
        return answer

    async def _check_reservation(
        self, reservation: Reservation, draft: SignUpDraft, client: Client
    ) -> None:
        """Check that the same person has reserved the handle, with another address before.

        The password shows it. A wrong one counts like one at sign-in, where it could be tried, too.

        Raises:
            InvalidError: handle_taken.
            RateLimitedError: too many passwords were tried.
        """
        async with self._throttle.counting("signin", draft.handle, client):
            if not await verify_password(draft.password, reservation.password_hash):
                raise InvalidError("handle_taken")

    async def sign_up_codes(self, fields: Mapping[str, Any]) -> list[str]:
        """Return the codes of the rules that valid fields of a sign-up break.

        Codes: password_invalid, password_too_weak, handle_taken, and those of `check_sign_up`.
        """
        codes = new_password_codes(fields)
        if "handle" in fields:
            email = fields.get("email")
            async with self._database.connection() as conn:
                if await accounts_db.is_handle_taken(
                    conn, handle=fields["handle"], email=email and email.lower()
                ):
                    codes.append("handle_taken")
        async with self._database.connection() as conn:
            try:
                await check_sign_up(conn, fields)
            except InvalidError as error:
                codes += error.codes
        return codes

    async def confirm(
        self, draft: ConfirmDraft, client: Client, user_agent: str
    ) -> SignInResult | None:
        """Confirm the account and start a session.

        Codes: code_invalid, rate_limited, and those of `Provider.confirm`.

        Returns:
            None if the provider needs the password to start a session.
        """
        attempt = await self._throttle.attempt("confirm", draft.email, client)
        if not await self._throttle.count_code_attempt(attempt, "confirm"):
            raise InvalidError("code_invalid")
        proof = await self._provider.confirm(draft.email, draft.code)
        current_operation().count("app.accounts.confirmed")
        return None if proof is None else await self._start_session(proof, client, user_agent)

    async def resend(self, draft: EmailDraft, client: Client) -> None:
        """Send the code again, unless it was sent recently. Codes: rate_limited."""
        attempt = await self._throttle.attempt("resend", draft.email, client)
        await self._send_code(attempt, "confirm", self._provider.resend, draft.email)

    async def sign_in(self, draft: SignInDraft, client: Client, user_agent: str) -> SignInResult:
        """Start a session.

        A wrong second factor counts like a wrong password. Asking for it does not. Codes:
        credentials_invalid, email_unconfirmed, code_required, passkey_required, code_invalid,
        challenge_invalid, passkey_invalid, account_suspended, rate_limited.
        """
        proof = await self._authenticate(draft, client)
        device = client.device or secrets.token_urlsafe(32)
        return await self._start_session(proof, client, user_agent, device)

    async def sign_in_with_passkey(
        self, draft: PasskeySignInDraft, client: Client, user_agent: str
    ) -> SignInResult:
        """Start a session without a password. The attempt counts like one with a password.

        Codes: challenge_invalid, passkey_invalid, account_suspended, rate_limited.

        Raises:
            NotFoundError: there are no passkeys here.
        """
        if self._passkeys is None:
            raise NotFoundError
        passkey = await self._passkeys.find(draft.passkey)
        # The name of an account that does not exist, if there is no such passkey.
        login = passkey.handle if passkey else _digest(draft.passkey.credential.raw_id).hex()
        async with self._throttle.counting("signin", login, client):
            await self._passkeys.check("sign_in", draft.passkey, passkey)
        if passkey is None:
            raise InvalidError("passkey_invalid")
        device = client.device or secrets.token_urlsafe(32)
        proof = Proof(passkey.user_uuid, method="passkey")
        return await self._start_session(proof, client, user_agent, device)

    async def _authenticate(self, draft: SignInDraft, client: Client) -> Proof:
        async with (
            self._throttle.counting("signin", draft.email, client),
            self._concurrent_calls.of(client.address),
        ):
            return await self._provider.authenticate(
                draft.email, draft.password, draft.code, draft.passkey
            )

    async def _start_session(
        self, proof: Proof, client: Client, user_agent: str, device: str | None = None
    ) -> SignInResult:
        """Start a session. With `device`, the limits of attempts recognize the client later.

        Raises:
            SuspendedError: the account is suspended.
        """
        token = secrets.token_urlsafe(32)
        async with self._database.transaction() as conn:
            if not await db.lock_sessions(conn, user_uuid=proof.user_uuid):
                raise SuspendedError(proof.user_uuid)
            session_uuid = await db.insert_session(
                conn,
                user_uuid=proof.user_uuid,
                device=user_agent[:200],
                address=client.address[:64],
                method=proof.method,
                sealed_token=self._seal(proof.refresh_token),
                token_hash=_digest(token),
                lifetime=SESSION_LIFETIME,
            )
            ended = await db.delete_oldest_sessions(
                conn, user_uuid=proof.user_uuid, max_kept=MAX_SESSIONS
            )
            if device is not None:
                await self._throttle.record_client(
                    conn, proof.user_uuid, replace(client, device=device)
                )
        current_operation().count("app.sessions.opened")
        await self._revoke(ended)
        return SignInResult(await self._signed_in(proof, session_uuid), token, device)

    async def refresh(self, token: str | None, address: str) -> SignInResult:
        """Exchange a refresh token for the next one of its session.

        Requests that present the same token within the grace period all get the session's newest
        token, because they are tabs of one browser. Later, a reused token ends the session.

        Raises:
            UnauthenticatedError: the token belongs to no open session.
        """
        if not token:
            raise UnauthenticatedError
        async with self._database.connection() as conn:
            session = await db.select_token_session(conn, token_hash=_digest(token))
        if session is None:
            raise UnauthenticatedError
        provider_token = self._unseal(session.sealed_token)
        if session.is_reused:
            await self._end_session(session)
            await self._provider.end_session(provider_token)
            raise UnauthenticatedError
        try:
            proof = await self._provider.refresh(session.user_uuid, provider_token)
        except UnauthenticatedError:
            await self._end_session(session)  # revoked at the provider, so it ends here too
            raise
        new_token = self._successors(token)[0]
        async with self._database.transaction() as conn:
            is_first = await db.rotate_token(
                conn,
                token_hash=_digest(token),
                new_token_hash=_digest(new_token),
                address=address[:64],
                # Encrypt it again even if it is the same, because the signing key may be new.
                sealed_token=self._seal(proof.refresh_token or provider_token),
                lifetime=SESSION_LIFETIME,
            )
            if is_first is None:
                raise UnauthenticatedError  # signed out meanwhile
            if not is_first:
                chain = await db.select_successors(conn, token_hash=_digest(token))
                new_token = self._follow_chain(token, chain)
        return SignInResult(await self._signed_in(proof, session.uuid), new_token)

    async def sign_out(self, token: str | None) -> None:
        """End the session of a refresh token, if there is one."""
        if not token:
            return
        async with self._database.connection() as conn:
            session = await db.select_token_session(conn, token_hash=_digest(token))
        if session is None:
            return
        await self._end_session(session)
        await self._provider.end_session(self._unseal(session.sealed_token))

    async def accept_terms(self, viewer: Viewer, draft: TermsDraft) -> Member:
        """Record that the viewer accepts the terms.

        Raises:
            InvalidError: terms_not_accepted, the terms have another version.
            UnauthenticatedError: the viewer's session is not open.
        """
        async with self._database.transaction() as conn:
            is_recorded = await users_db.update_terms(
                conn, viewer=viewer, terms_version=draft.terms_version
            )
            member = await users.member(conn, viewer.uuid, viewer.session_uuid)
        if not is_recorded:
            raise InvalidError("terms_not_accepted")
        return member

    async def forgot(self, draft: EmailDraft, client: Client) -> None:
        """Send a reset code, unless one was sent recently. Codes: rate_limited."""
        attempt = await self._throttle.attempt("forgot", draft.email, client)
        await self._send_code(attempt, "reset", self._provider.forgot, draft.email)

    async def reset(self, draft: ResetDraft, client: Client) -> None:
        """Set a new password and end every session and API token.

        Codes: password_invalid, password_too_weak, code_invalid, rate_limited.
        """
        password = new_password(msgspec.structs.asdict(draft))
        attempt = await self._throttle.attempt("reset", draft.email, client)
        if not await self._throttle.count_code_attempt(attempt, "reset"):
            raise InvalidError("code_invalid")
        async with self._concurrent_calls.of(client.address):
            user_uuid = await self._provider.reset(draft.email, draft.code, password)
        if user_uuid is not None:
            await self._end_sessions(user_uuid, kept=None)
            async with self._database.transaction() as conn:
                await self._throttle.record_client(conn, user_uuid, replace(client, device=None))

    async def change_password(
        self, viewer: Viewer, draft: PasswordDraft, token: str | None, client: Client
    ) -> None:
        """Change the password, and end the other sessions and all API tokens.

        Codes: password_invalid, password_too_weak, credentials_invalid, rate_limited.
        """
        password = new_password({"password": draft.password, "handle": viewer.handle})
        async with (
            self._throttle.counting("password", viewer.handle, client),
            self._concurrent_calls.of(client.address),
        ):
            await self._provider.change_password(viewer, draft.current_password, password)
        async with self._database.connection() as conn:
            kept = await _current_session(conn, viewer, token)
        await self._end_sessions(viewer.uuid, kept=kept)

    async def sessions(self, conn: Connection, viewer: Viewer, token: str | None) -> list[Session]:
        """Return the viewer's sessions, the last used first.

        Raises:
            UnauthenticatedError: the viewer's session is not open.
        """
        listed = require_open_session(await db.select_sessions(conn, viewer=viewer))
        current = await _current_session(conn, viewer, token)
        return [
            Session(
                uuid=session.uuid,
                device=session.device,
                address=session.address,
                method=session.method,
                created_at=session.created_at,
                used_at=session.used_at,
                current=session.uuid == current,
            )
            for session in listed
        ]

    async def revoke_others(self, viewer: Viewer, token: str | None) -> list[Session]:
        """End the viewer's sessions except the current one, if it is known, and list the rest.

        API tokens stay.
        """
        async with self._database.connection() as conn:
            kept = await _current_session(conn, viewer, token)
        await self._end_sessions(viewer.uuid, kept=kept, keeps_tokens=True)
        async with self._database.connection() as conn:
            return await self.sessions(conn, viewer, token)

    async def revoke(self, viewer: Viewer, uuid: UUID, token: str | None) -> list[Session]:
        """End one of the viewer's sessions and list the rest.

        Raises:
            NotFoundError: the viewer has no such session, or their own session is not open.
        """
        async with self._database.writing() as conn:
            ended = await db.revoke_session(conn, uuid=uuid, viewer=viewer)
        if not ended:
            raise NotFoundError
        await self._provider.end_session(self._unseal(ended[0]))
        if uuid == viewer.session_uuid:  # list the others, although this session is closed
            viewer, token = replace(viewer, session_uuid=None), None
        async with self._database.connection() as conn:
            return await self.sessions(conn, viewer, token)

    async def delete(self, viewer: Viewer, draft: DeleteAccountDraft, client: Client) -> None:
        """Delete the account with all its data.

        Codes: credentials_invalid, rate_limited.
        """
        async with (
            self._throttle.counting("password", viewer.handle, client),
            self._concurrent_calls.of(client.address),
        ):
            await self._provider.delete(viewer, draft.password)
        await self._reports.keep_cruds_of(viewer.uuid)
        async with self._database.transaction() as conn:
            await users_db.delete_user(conn, uuid=viewer.uuid)

    async def _signed_in(self, proof: Proof, session_uuid: UUID) -> SignedIn:
        async with self._database.connection() as conn:
            member = await users.member(conn, proof.user_uuid, session_uuid)
        if proof.access_token is not None:
            return SignedIn(proof.access_token, proof.expires_in or ACCESS_TOKEN_SECONDS, member)
        access_token = issue(
            self._keys,
            user_uuid=proof.user_uuid,
            handle=member.handle,
            session_uuid=session_uuid,
        )
        return SignedIn(access_token, ACCESS_TOKEN_SECONDS, member)

    def _follow_chain(self, token: str, chain: Sequence[bytes]) -> str:
        """Return the last token of a chain of digests that begins after this token.

        Raises:
            UnauthenticatedError: a key that the chain was made with has been removed.
        """
        for token_hash in chain:
            matching = [
                successor
                for successor in self._successors(token)
                if _digest(successor) == token_hash
            ]
            if not matching:
                raise UnauthenticatedError
            [token] = matching
        return token

    def _successors(self, token: str) -> list[str]:
        """Return the successors of a refresh token, one for each key, the signing key's first.

        They are derived, so every worker computes the same ones and none is stored.
        """
        keys = self._keys.secrets("refresh tokens")
        digests = (hmac.digest(key, token.encode(), "sha256") for key in keys)
        return [base64.urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests]

    async def _end_session(self, session: db.TokenSession) -> None:
        async with self._database.transaction() as conn:
            await db.delete_session(conn, uuid=session.uuid, user_uuid=session.user_uuid)

    async def _end_sessions(
        self, user_uuid: UUID, *, kept: UUID | None, keeps_tokens: bool = False
    ) -> None:
        async with self._database.transaction() as conn:
            ended = await db.delete_other_sessions(
                conn, user_uuid=user_uuid, kept_uuid=kept, keeps_tokens=keeps_tokens
            )
        await self._revoke(ended)

    async def _revoke(self, sealed_tokens: Sequence[bytes | None]) -> None:
        """Revoke the provider's refresh tokens of ended sessions."""
        for sealed_token in sealed_tokens:
            await self._provider.end_session(self._unseal(sealed_token))

    async def _send_code(
        self, attempt: Attempt, purpose: str, send: Callable[[str], Awaitable[None]], email: str
    ) -> None:
        """Send a code through the provider, unless one was sent recently."""
        if not await self._throttle.start_code(attempt, purpose):
            return
        try:
            await send(email)
        except CruddurError:
            await self._throttle.refund_mail(attempt)
            raise

    def _seal(self, token: str | None) -> bytes | None:
        return None if token is None else self._sealer.seal(token)

    def _unseal(self, sealed_token: bytes | None) -> str | None:
        """Decrypt a token. Returns None if its signing key has been removed."""
        try:
            return None if sealed_token is None else self._sealer.open(sealed_token)
        except InvalidTag:
            logger.warning(
                "a session's token was encrypted with a signing key that has been removed"
            )
            return None


def new_password(fields: Mapping[str, Any]) -> str:
    """Return the new password among the fields of a draft, prepared.

    Raises:
        InvalidError: password_invalid, password_too_weak; other fields can make it weak.
    """
    email = fields.get("email", "")
    personal = (email, email.partition("@")[0], fields.get("handle"), fields.get("display_name"))
    password = prepare_password(fields["password"])
    check_strength(password, *filter(None, personal))
    return password


def new_password_codes(fields: Mapping[str, Any]) -> list[str]:
    """Return the code of the rule that the new password breaks, if it is among the fields."""
    try:
        if "password" in fields:
            new_password(fields)
    except InvalidError as error:
        return list(error.codes)
    return []


async def _current_session(conn: Connection, viewer: Viewer, token: str | None) -> UUID | None:
    """Return the session of an access token or, if it names none, of the refresh token."""
    if viewer.session_uuid is not None or not token:
        return viewer.session_uuid
    return await db.select_session_of(conn, token_hash=_digest(token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
