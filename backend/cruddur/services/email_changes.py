"""Rules for a change of the address of a local account.

A code for the new address confirms it. A code for the old one stops the change, and takes it back
within seven days, so that someone who knows the password cannot take the account away. Sessions
stay after a change, which needs the password; when it is stopped, all of them end.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace

from cruddur.db import accounts as accounts_db
from cruddur.db import email_changes as db
from cruddur.db import sessions as sessions_db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError, RateLimitedError
from cruddur.identity.admission import check_address
from cruddur.identity.local import LocalAccounts, new_code
from cruddur.identity.mail import Mailer
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services.concurrent_calls import ConcurrentCalls
from cruddur.services.throttling import ADDRESS_CHANGE_MAILS, PERIOD, Client, Throttle
from cruddur.wire import EMAIL_CHARS, EmailAddress, EmailChangeDraft


@dataclass(frozen=True, slots=True)
class EmailChanges:
    """Changes of addresses; `accounts` is None if another provider has the accounts.

    The methods that change something raise NotFoundError then.
    """

    database: Database
    accounts: LocalAccounts | None
    mailer: Mailer
    throttle: Throttle
    concurrent_calls: ConcurrentCalls

    async def show(self, conn: Connection, viewer: Viewer) -> EmailAddress:
        """Return the viewer's address, and the one that waits for its code.

        Raises:
            UnauthenticatedError: the viewer's session is not open.
        """
        found = require_open_session(await db.select_address(conn, viewer=viewer))
        can_change = self.accounts is not None and found.has_account
        return EmailAddress(found.email, found.new_email if can_change else None, can_change)

    async def begin(self, viewer: Viewer, draft: EmailChangeDraft, client: Client) -> None:
        """Send a code to the new address, and one that stops the change to the old address.

        The response is the same if another account has the address: then its member gets a note,
        and no code confirms the change. Codes: credentials_invalid, code_required,
        passkey_required, code_invalid, passkey_invalid, email_invalid, email_unchanged,
        email_blocked, reset_in_progress, rate_limited.
        """
        accounts = self._accounts()
        email, code, stop_code = draft.email.lower(), new_code(), secrets.token_urlsafe(16)
        if len(email) > EMAIL_CHARS:  # "İ" becomes two characters
            raise InvalidError("email_invalid")
        async with self.throttle.counting("password", viewer.handle, client) as attempt:
            async with self.concurrent_calls.of(client.address):
                account = await accounts.check_password(viewer, draft.password)
            await accounts.check_second_factor(account, draft.code, draft.passkey)
        if account.email == email:
            raise InvalidError("email_unchanged")
        async with self.database.connection() as conn:
            await check_address(conn, email)
        await self.throttle.attempt("email", email, client)
        if not await self.throttle.start_code(
            replace(attempt, kind="email"), "email", ADDRESS_CHANGE_MAILS, PERIOD
        ):
            raise RateLimitedError(int(PERIOD.total_seconds()))
        async with self.database.transaction() as conn:
            begun = await db.insert_change(
                conn,
                user_uuid=viewer.uuid,
                email=email,
                code_hash=accounts.digest(code),
                stop_hash=_digest(stop_code),
            )
        if begun is None:
            await self.throttle.refund_mail(replace(attempt, kind="email"))
            raise InvalidError("reset_in_progress")
        if begun.is_taken:
            self.mailer.send_address_in_use(email)
        else:
            self.mailer.send_address_code(email, viewer.handle, code)
        self.mailer.send_address_change(begun.old_email, viewer.handle, email, stop_code)

    async def confirm(self, viewer: Viewer, code: str, client: Client) -> EmailAddress:
        """Change the address, with the code that was sent to it. Sessions stay.

        Codes: code_invalid, rate_limited.
        """
        accounts = self._accounts()
        attempt = await self.throttle.attempt("confirm_email", viewer.handle, client)
        if not await self.throttle.count_code_attempt(attempt, "email"):
            raise InvalidError("code_invalid")
        async with self.database.connection() as conn:
            waiting = await db.select_waiting(conn, user_uuid=viewer.uuid)
        if waiting is None or not accounts.matches(code, waiting.code_hash):
            raise InvalidError("code_invalid")
        async with self.database.transaction() as conn:
            # The change is locked before the account, as in `stop`.
            if not await db.update_confirmed(
                conn, uuid=waiting.uuid, code_hash=waiting.code_hash
            ) or not await db.update_email(conn, user_uuid=viewer.uuid, email=waiting.new_email):
                raise InvalidError("code_invalid")
        return EmailAddress(waiting.new_email, None, can_change=True)

    async def stop(self, code: str) -> None:
        """Stop a change with the code for the old address, or take it back, and end all sessions.

        Codes: code_invalid; also if another account has the old address meanwhile.
        """
        self._accounts()
        async with self.database.transaction() as conn:
            stopped = await db.delete_stopped(conn, stop_hash=_digest(code.strip()))
            if stopped is None:
                raise InvalidError("code_invalid")
            await db.delete_later(conn, user_uuid=stopped.user_uuid, since_at=stopped.created_at)
            if stopped.is_confirmed and not await db.update_email(
                conn, user_uuid=stopped.user_uuid, email=stopped.old_email
            ):
                raise InvalidError("code_invalid")
            await accounts_db.delete_resets(conn, user_uuid=stopped.user_uuid)
            await sessions_db.delete_other_sessions(
                conn, user_uuid=stopped.user_uuid, kept_uuid=None, keeps_tokens=False
            )

    def _accounts(self) -> LocalAccounts:
        if self.accounts is None:
            raise NotFoundError
        return self.accounts


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
