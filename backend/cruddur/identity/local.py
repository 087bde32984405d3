"""The account provider that stores passwords and codes in our own database."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

from cruddur.db import accounts as db
from cruddur.db import users as users_db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import (
    CodeRequiredError,
    ForbiddenError,
    InvalidError,
    UnauthenticatedError,
)
from cruddur.identity.admission import Admission, admit
from cruddur.identity.keys import Secrets
from cruddur.identity.mail import Mailer
from cruddur.identity.passkeys import Passkeys
from cruddur.identity.passwords import hash_password, verify_password
from cruddur.identity.provider import Proof, SaveSignUp
from cruddur.identity.second_factors import SecondFactors
from cruddur.identity.tokens import ISSUER
from cruddur.identity.viewer import Viewer
from cruddur.wire import EMAIL_CHARS, PasskeyAnswer, SignUpDraft


class LocalAccounts:
    """The account provider that needs only the database."""

    def __init__(
        self,
        database: Database,
        mailer: Mailer,
        secrets: Secrets,
        second_factors: SecondFactors,
        passkeys: Passkeys,
    ) -> None:
        """Set the dependencies; `secrets` key the digests of codes, which have only six digits."""
        self.second_factors = second_factors
        self.passkeys = passkeys
        self._database = database
        self._mailer = mailer
        self._secrets = secrets

    async def prepare_sign_up(self, draft: SignUpDraft, admission: Admission) -> SaveSignUp:
        """Hash the password and return a function that saves the sign-up.

        That function reserves the handle. It returns a function that sends the code, or a hint if
        the address already has an account.

        Raises:
            InvalidError: email_invalid, the address is too long in lower case. The returned
                function raises handle_taken.
        """
        email, code = draft.email.lower(), new_code()
        if len(email) > EMAIL_CHARS:  # "İ" becomes two characters
            raise InvalidError("email_invalid")
        password_hash = await hash_password(draft.password)

        async def save(conn: Connection) -> Callable[[], None]:
            taken = await db.insert_signup(
                conn,
                email=email,
                handle=draft.handle,
                mistyped_email=admission.mistyped_email,
                display_name=draft.display_name,
                password_hash=password_hash,
                code_hash=self.digest(code),
                invitation_uuid=admission.invitation_uuid,
                terms_version=admission.terms_version,
            )
            if taken is None:
                raise InvalidError("handle_taken")
            if taken:
                return partial(self._mailer.send_account_exists, email)
            return partial(self._mailer.send_confirmation_code, email, draft.handle, code)

        return save

    async def confirm(self, email: str, code: str) -> Proof:
        """Create the account and the user of the sign-up with this code.

        Raises:
            ForbiddenError, InvalidError: code_invalid; those of `admit`; or handle_taken if another
                user has taken the handle since.
        """
        async with self._database.connection() as conn:
            codes = await db.select_signup_codes(conn, email=email.lower())
        matching = [stored for stored in codes if self.matches(code, stored.code_hash)]
        if not matching:
            raise InvalidError("code_invalid")
        async with self._database.transaction() as conn:
            signup = await db.delete_signup(conn, uuid=matching[0].uuid)
            if signup is None:
                raise InvalidError("code_invalid")
            await admit(conn, signup.email, signup.invitation_uuid)
            user_uuid = uuid4()
            created = await users_db.insert_user(
                conn,
                uuid=user_uuid,
                issuer=ISSUER,
                subject=str(user_uuid),
                handle=signup.handle,
                display_name=signup.display_name,
                email=signup.email,
            )
            if created is None:
                raise InvalidError("handle_taken")
            if not await db.insert_account(
                conn,
                user_uuid=user_uuid,
                email=signup.email,
                password_hash=signup.password_hash,
            ):
                raise InvalidError("code_invalid")
            if signup.terms_version is not None:
                await users_db.update_terms_of_sign_up(
                    conn,
                    user_uuid=user_uuid,
                    terms_version=signup.terms_version,
                    accepted_at=signup.terms_accepted_at,
                )
        return Proof(user_uuid, method="sign_up")

    async def resend(self, email: str) -> None:
        """Send a new code if there is a pending sign-up. Takes the same time if not."""
        email, code = email.lower(), new_code()
        async with self._database.transaction() as conn:
            await db.commit_asynchronously(conn)
            handle = await db.renew_signup_code(conn, email=email, code_hash=self.digest(code))
        if handle is not None:
            self._mailer.send_confirmation_code(email, handle, code)

    async def authenticate(
        self, login: str, password: str, code: str | None, passkey: PasskeyAnswer | None
    ) -> Proof:
        """Check a password, always with two hashes, so that the duration reveals nothing.

        The second factor is checked after the password only.

        Raises:
            UnauthenticatedError: credentials_invalid.
            CodeRequiredError: code_required if the account has an app, passkey_required if it has
                passkeys, and there is neither a code nor a passkey.
            InvalidError: code_invalid, challenge_invalid or passkey_invalid, for the second factor.
            ForbiddenError: email_unconfirmed, if the password is that of a pending sign-up,
                whether or not the address has an account.
        """
        login = login.lower()
        async with self._database.connection() as conn:
            account = await db.select_credentials(conn, login=login)
            pending = await db.select_pending_password(conn, login=login)
        is_correct = await verify_password(password, account.password_hash if account else None)
        is_pending = await verify_password(password, pending)
        if account is not None and is_correct:
            return await self.check_second_factor(account, code, passkey)
        if is_pending:
            raise ForbiddenError("email_unconfirmed")
        raise UnauthenticatedError("credentials_invalid")

    async def refresh(self, user_uuid: UUID, refresh_token: str | None) -> Proof:  # noqa: ARG002  # other providers use it
        """Return the user; an open session needs no further check."""
        return Proof(user_uuid)

    async def forgot(self, email: str) -> None:
        """Send a reset code if there is such an account. Takes the same time if not."""
        email, code = email.lower(), new_code()
        async with self._database.transaction() as conn:
            await db.commit_asynchronously(conn)
            exists = await db.upsert_reset(conn, email=email, code_hash=self.digest(code))
        if exists:
            self._mailer.send_reset_code(email, code)

    async def reset(self, email: str, code: str, password: str) -> UUID | None:
        """Set a new password if the code is valid.

        Raises:
            InvalidError: code_invalid.
        """
        async with self._database.connection() as conn:
            pending_reset = await db.select_reset_code(conn, email=email.lower())
        if pending_reset is None or not self.matches(code, pending_reset.code_hash):
            raise InvalidError("code_invalid")
        password_hash = await hash_password(password)
        async with self._database.transaction() as conn:
            if not await db.delete_reset(
                conn, user_uuid=pending_reset.uuid, code_hash=pending_reset.code_hash
            ):
                raise InvalidError("code_invalid")
            await db.update_password(
                conn, user_uuid=pending_reset.uuid, password_hash=password_hash
            )
        return pending_reset.uuid

    async def change_password(self, viewer: Viewer, current: str, password: str) -> None:
        """Change the password. Raises UnauthenticatedError: credentials_invalid."""
        await self.check_password(viewer, current)
        password_hash = await hash_password(password)
        async with self._database.transaction() as conn:
            await db.update_password(conn, user_uuid=viewer.uuid, password_hash=password_hash)

    async def delete(self, viewer: Viewer, password: str) -> None:
        """Check the password; the account is deleted with the user's row.

        Raises:
            UnauthenticatedError: credentials_invalid.
        """
        await self.check_password(viewer, password)

    async def end_session(self, refresh_token: str | None) -> None:
        """Do nothing: a local session has no refresh token of a provider."""

    async def check_password(self, viewer: Viewer, password: str) -> db.Credentials:
        """Check the viewer's password, and return their account.

        Raises:
            UnauthenticatedError: credentials_invalid.
        """
        async with self._database.connection() as conn:
            account = await db.select_credentials(conn, login=viewer.handle)
        is_correct = await verify_password(password, account.password_hash if account else None)
        if account is None or account.user_uuid != viewer.uuid or not is_correct:
            raise UnauthenticatedError("credentials_invalid")
        return account

    async def check_second_factor(
        self, account: db.Credentials, code: str | None, passkey: PasskeyAnswer | None
    ) -> Proof:
        """Check the second factor of an account, if it has one.

        Raises:
            CodeRequiredError: code_required or passkey_required, if there is neither.
            InvalidError: code_invalid, or passkey_invalid.
        """
        user_uuid = account.user_uuid
        if not (account.has_app or account.has_passkeys):
            return Proof(user_uuid)
        if passkey is not None:
            found = await self.passkeys.find(passkey)
            own = found if found is not None and found.user_uuid == user_uuid else None
            await self.passkeys.check("second_factor", passkey, own)
            return Proof(user_uuid, method="password_and_passkey")
        if code is not None:
            await self.second_factors.check(user_uuid, code)
            return Proof(user_uuid, method="password_and_code")
        if not account.has_passkeys:
            raise CodeRequiredError("code_required")
        if not account.has_app:
            raise CodeRequiredError("passkey_required")
        raise CodeRequiredError("code_required", "passkey_required")

    def digest(self, code: str) -> bytes:
        """Return the digest of a code, as it is stored."""
        return _digest(self._secrets()[0], code)

    def matches(self, code: str, code_hash: bytes) -> bool:
        """Return whether a code has this digest."""
        matches = [hmac.compare_digest(_digest(key, code), code_hash) for key in self._secrets()]
        return any(matches)  # compares all, so that the duration reveals nothing


def _digest(secret: bytes, code: str) -> bytes:
    return hmac.new(secret, code.encode(), hashlib.sha256).digest()


def new_code() -> str:
    """Return a new code of six digits."""
    return f"{secrets.randbelow(1_000_000):06d}"
