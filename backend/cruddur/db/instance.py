"""Queries for the settings of the instance. Statements that need one setting read it themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from msgspec import json, structs

from cruddur.db.statements import Connection, load
from cruddur.wire import Announcement, Instance, InstanceSettings, SignUpMode

_PUBLIC = load("instance.public")
_SETTINGS = load("instance.settings")
_LOCK = load("instance.lock")
_UPDATE = load("instance.update")
_ALLOWS_LIFETIME = load("instance.allows_lifetime")
_ADMISSION = load("instance.admission")

_ANNOUNCEMENTS = json.Decoder(list[Announcement])


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """What decides whether an account may be opened.

    Attributes:
        sign_up_mode: who may sign up.
        terms_version: the terms to accept; 0 for none.
        is_blocked: whether the address has a blocked domain.
        is_suspended: whether a suspended account with the address was deleted.
        invitation_uuid: the invitation with the code, if it has uses left.
    """

    sign_up_mode: SignUpMode
    terms_version: int
    is_blocked: bool
    is_suspended: bool
    invitation_uuid: UUID | None


async def select_instance(conn: Connection) -> Instance:
    """Return what everyone may know of the instance."""
    [row] = await _PUBLIC.rows(conn)
    values = dict(row)
    announcements = _ANNOUNCEMENTS.decode(values.pop("announcements"))
    return Instance(**values, announcements=announcements)


async def select_settings(conn: Connection) -> InstanceSettings:
    """Return all settings."""
    [row] = await _SETTINGS.rows(conn)
    return InstanceSettings(**row)


async def lock_settings(conn: Connection) -> InstanceSettings:
    """Return all settings, which no one else can change until the transaction ends."""
    [row] = await _LOCK.rows(conn)
    return InstanceSettings(**row)


async def update_settings(conn: Connection, settings: InstanceSettings) -> None:
    """Replace all settings."""
    await _UPDATE.run(conn, **structs.asdict(settings))


async def select_allows_lifetime(conn: Connection, *, lifetime: timedelta) -> bool:
    """Return whether a crud may have a lifetime."""
    return bool(await _ALLOWS_LIFETIME.value(conn, lifetime=lifetime))


async def select_admission_rules(
    conn: Connection, *, email: str, domains: Sequence[str], code: str | None
) -> AdmissionRules:
    """Return what decides whether an account may be opened.

    Args:
        conn: a connection for reading.
        email: the address.
        domains: the domain of the address and those above it, in their normal form.
        code: of an invitation.
    """
    [row] = await _ADMISSION.rows(conn, email=email, domains=domains, code=code)
    return AdmissionRules(**row)
