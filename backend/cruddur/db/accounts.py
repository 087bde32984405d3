"""Queries for local accounts: pending sign-ups, credentials, and reset codes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cruddur.db.statements import Connection, load

_SIGN_UP = load("accounts.sign_up")
_SIGNUP_CODES = load("accounts.signup_codes")
_TAKE_SIGNUP = load("accounts.take_signup")
_CREATE = load("accounts.create")
_RENEW_CODE = load("accounts.renew_code")
_IS_HANDLE_TAKEN = load("accounts.is_handle_taken")
_CREDENTIALS = load("accounts.credentials")
_PENDING = load("accounts.pending")
_RESERVATION = load("accounts.reservation")
_BEGIN_RESET = load("accounts.begin_reset")
_RESET_CODE = load("accounts.reset_code")
_COMMIT_LATER = load("accounts.commit_later")
_END_RESET = load("accounts.end_reset")
_SET_PASSWORD = load("accounts.set_password")
_END_RESETS = load("accounts.end_resets")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account and password hash that a login is checked against.

    With `has_app` or `has_passkeys`, a sign-in also needs a second factor.
    """

    user_uuid: UUID
    email: str
    password_hash: str
    has_app: bool
    has_passkeys: bool


@dataclass(frozen=True, slots=True)
class Code:
    """The hash of a requested code, and the uuid of its sign-up or user."""

    uuid: UUID
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class Reservation:
    """The address that has reserved a handle, and the password hash of its latest sign-up."""

    email: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class Signup:
    """A sign-up whose code was entered."""

    email: str
    handle: str
    display_name: str
    password_hash: str
    invitation_uuid: UUID | None
    terms_version: int | None
    terms_accepted_at: datetime | None


async def is_handle_taken(conn: Connection, *, handle: str, email: str | None) -> bool:
    """Return whether a handle belongs to a user, or is reserved for another address."""
    taken: bool = await _IS_HANDLE_TAKEN.value(conn, handle=handle, email=email)
    return taken


async def select_reservation(conn: Connection, *, handle: str, email: str) -> Reservation | None:
    """Return the reservation of a handle by another address in lower case."""
    row = await _RESERVATION.row(conn, handle=handle, email=email)
    return Reservation(**row) if row else None


async def insert_signup(
    conn: Connection,
    *,
    email: str,
    handle: str,
    mistyped_email: str | None,
    display_name: str,
    password_hash: str,
    code_hash: bytes,
    invitation_uuid: UUID | None,
    terms_version: int | None,
) -> bool | None:
    """Insert a sign-up, with its invitation and the terms that it accepts, if it does.

    The reservation of the handle by `mistyped_email` ends.

    Returns:
        Whether the address already has an account; None if the handle is taken.
    """
    row = await _SIGN_UP.row(
        conn,
        email=email,
        handle=handle,
        mistyped_email=mistyped_email,
        display_name=display_name,
        password_hash=password_hash,
        code_hash=code_hash,
        invitation_uuid=invitation_uuid,
        terms_version=terms_version,
    )
    return bool(row["email_is_taken"]) if row else None


async def select_signup_codes(conn: Connection, *, email: str) -> list[Code]:
    """Return the pending codes of the sign-ups of an address."""
    return [Code(**row) for row in await _SIGNUP_CODES.rows(conn, email=email)]


async def delete_signup(conn: Connection, *, uuid: UUID) -> Signup | None:
    """Delete a sign-up and return it, or None if a concurrent request has deleted it."""
    row = await _TAKE_SIGNUP.row(conn, uuid=uuid)
    return Signup(**row) if row else None


async def insert_account(
    conn: Connection, *, user_uuid: UUID, email: str, password_hash: str
) -> bool:
    """Insert the credentials of a user; return False if the address already has an account."""
    return (
        await _CREATE.value(conn, user_uuid=user_uuid, email=email, password_hash=password_hash)
    ) is not None


async def commit_asynchronously(conn: Connection) -> None:
    """Make the commit of this transaction asynchronous: it returns before the WAL is flushed."""
    await _COMMIT_LATER.run(conn)


async def renew_signup_code(conn: Connection, *, email: str, code_hash: bytes) -> str | None:
    """Set a new code for the latest sign-up of an address; return its handle if there is one."""
    handle: str | None = await _RENEW_CODE.value(conn, email=email, code_hash=code_hash)
    return handle


async def select_credentials(conn: Connection, *, login: str) -> Credentials | None:
    """Return the credentials for an address or a handle in lower case."""
    row = await _CREDENTIALS.row(conn, login=login)
    return Credentials(**row) if row else None


async def select_pending_password(conn: Connection, *, login: str) -> str | None:
    """Return the password hash of the latest unconfirmed sign-up of an address or a handle in lower
    case."""
    password_hash: str | None = await _PENDING.value(conn, login=login)
    return password_hash


async def upsert_reset(conn: Connection, *, email: str, code_hash: bytes) -> bool:
    """Set a reset code for the account of an address; return False if there is no account."""
    return await _BEGIN_RESET.value(conn, email=email, code_hash=code_hash) is not None


async def select_reset_code(conn: Connection, *, email: str) -> Code | None:
    """Return the reset code of an address."""
    row = await _RESET_CODE.row(conn, email=email)
    return Code(row["user_uuid"], row["code_hash"]) if row else None


async def delete_reset(conn: Connection, *, user_uuid: UUID, code_hash: bytes) -> bool:
    """Delete a reset code after its use; return False if a concurrent request has deleted it."""
    return await _END_RESET.run(conn, user_uuid=user_uuid, code_hash=code_hash) > 0


async def delete_resets(conn: Connection, *, user_uuid: UUID) -> None:
    """Delete the reset code of a user."""
    await _END_RESETS.run(conn, user_uuid=user_uuid)


async def update_password(conn: Connection, *, user_uuid: UUID, password_hash: str) -> None:
    """Set the password of an account."""
    await _SET_PASSWORD.run(conn, user_uuid=user_uuid, password_hash=password_hash)
