"""Who may open an account: sign-up modes, invitations, blocked domains, and terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cruddur.db import invitations
from cruddur.db.instance import AdmissionRules, select_admission_rules
from cruddur.db.statements import Connection
from cruddur.errors import ForbiddenError, InvalidError
from cruddur.identity.email_domains import domains_of


@dataclass(frozen=True, slots=True)
class Admission:
    """What a sign-up was admitted with.

    Attributes:
        invitation_uuid: the invitation that its account will use; None if it needs none.
        terms_version: the terms that were accepted; None if the form did not say.
        mistyped_email: the address of an earlier sign-up by the same person, whose reservation of
            the handle ends; None if there is none.
    """

    invitation_uuid: UUID | None
    terms_version: int | None
    mistyped_email: str | None = None


async def check_sign_up(conn: Connection, fields: Mapping[str, Any]) -> Admission:
    """Check whether a sign-up may begin.

    Args:
        conn: a connection for reading.
        fields: those of a sign-up; the rules of absent ones are not checked.

    Raises:
        ForbiddenError: sign_up_closed.
        InvalidError: email_blocked, terms_not_accepted, invitation_blank, invitation_invalid.
    """
    code = normal_code(fields.get("invitation") or "")
    codes = []
    rules = await _rules(conn, fields.get("email", ""), code)
    _check_open(rules)
    if rules.is_blocked:
        codes.append("email_blocked")
    accepted = fields.get("terms_version")
    if accepted != rules.terms_version and (rules.terms_version > 0 or accepted is not None):
        codes.append("terms_not_accepted")
    needs_invitation = rules.sign_up_mode == "invitation"
    if needs_invitation and not code:
        raise InvalidError(*codes, "invitation_blank")
    if needs_invitation and rules.invitation_uuid is None:
        codes.append("invitation_invalid")
    if codes:
        raise InvalidError(*codes)
    return Admission(rules.invitation_uuid if needs_invitation else None, accepted)


async def admit(conn: Connection, email: str, invitation_uuid: UUID | None) -> None:
    """Check again whether an account may be opened, and use its invitation.

    Only now, because the code has shown that the address is the caller's: whether a suspended
    account with it was deleted.

    Args:
        conn: the transaction that opens the account.
        email: its address.
        invitation_uuid: the invitation of its sign-up.

    Raises:
        ForbiddenError: sign_up_closed, account_suspended.
        InvalidError: email_blocked, invitation_invalid.
    """
    rules = await _rules(conn, email)
    _check_admitted(rules)
    if rules.sign_up_mode == "invitation" and not (
        invitation_uuid is not None and await invitations.update_used(conn, uuid=invitation_uuid)
    ):
        raise InvalidError("invitation_invalid")


async def use_invitation(conn: Connection, email: str, invitation_uuid: UUID) -> None:
    """Use the invitation of a sign-up at another provider, and remember its address.

    Raises:
        InvalidError: invitation_invalid.
    """
    if not await invitations.update_used(conn, uuid=invitation_uuid):
        raise InvalidError("invitation_invalid")
    await invitations.insert_invited_address(conn, email=email.lower())


async def give_invitation_back(conn: Connection, email: str, invitation_uuid: UUID) -> None:
    """Undo `use_invitation`."""
    await invitations.update_given_back(conn, uuid=invitation_uuid)
    await invitations.delete_invited_address(conn, email=email.lower())


async def admit_from_provider(conn: Connection, email: str | None) -> None:
    """Check whether an account may be opened at the first sign-in of another provider's user.

    Args:
        conn: the transaction that opens the account.
        email: the address, if the provider reveals it. Otherwise it can be neither blocked,
            suspended nor invited.

    Raises:
        ForbiddenError: sign_up_closed, account_suspended.
        InvalidError: email_blocked, invitation_invalid.
    """
    rules = await _rules(conn, email or "")
    _check_admitted(rules)
    if rules.sign_up_mode == "invitation" and not (
        email is not None and await invitations.delete_invited_address(conn, email=email.lower())
    ):
        raise InvalidError("invitation_invalid")


async def check_address(conn: Connection, email: str) -> None:
    """Check whether an account may have an address. Raises InvalidError: email_blocked."""
    rules = await _rules(conn, email)
    if rules.is_blocked:
        raise InvalidError("email_blocked")


def normal_code(code: str) -> str:
    """Return the code of an invitation as it is stored; people may type it in another way."""
    return code.strip().replace("-", "").lower()


async def _rules(conn: Connection, email: str, code: str | None = None) -> AdmissionRules:
    return await select_admission_rules(conn, email=email, domains=domains_of(email), code=code)


def _check_admitted(rules: AdmissionRules) -> None:
    _check_open(rules)
    if rules.is_suspended:
        raise ForbiddenError("account_suspended")
    if rules.is_blocked:
        raise InvalidError("email_blocked")


def _check_open(rules: AdmissionRules) -> None:
    if rules.sign_up_mode == "closed":
        raise ForbiddenError("sign_up_closed")
