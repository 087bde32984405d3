"""Rules for the settings of the instance, which admins change while it runs."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import structs

from cruddur.db import instance as db
from cruddur.db.moderation import insert_audit_entry
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError
from cruddur.identity.email_domains import normal_domain
from cruddur.services.activities import LIFETIMES
from cruddur.wire import REASON_CHARS, Instance, InstanceDraft, InstanceSettings


async def instance(conn: Connection) -> Instance:
    """Return what everyone may know of the instance."""
    return await db.select_instance(conn)


async def settings(conn: Connection) -> InstanceSettings:
    """Return all settings."""
    return await db.select_settings(conn)


async def change(
    conn: Connection, actor_uuid: UUID | None, draft: InstanceDraft
) -> InstanceSettings:
    """Change settings, and record each change in the audit log.

    Args:
        conn: a transaction.
        actor_uuid: the admin; None for the command line.
        draft: the changes.

    Returns:
        All settings.

    Raises:
        InvalidError: blocked_domains_invalid, one of them is not a domain; default_ttl_too_long,
            the default lifetime would be longer than the longest one.
    """
    before = await db.lock_settings(conn)
    changes: dict[str, Any] = {
        name: value
        for name in InstanceSettings.__struct_fields__
        if (value := getattr(draft, name, None)) is not None
    }
    if draft.blocked_domains is not None:
        changes["blocked_domains"] = _normal_domains(draft.blocked_domains)
    if draft.new_terms:
        changes["terms_version"] = before.terms_version + 1
    after = structs.replace(before, **changes)
    if LIFETIMES[after.default_ttl] > LIFETIMES[after.max_ttl]:
        raise InvalidError("default_ttl_too_long")
    changed = [name for name in changes if getattr(after, name) != getattr(before, name)]
    if changed:
        await db.update_settings(conn, after)
    for name in changed:
        why = f"{name}: {_text(getattr(before, name))} → {_text(getattr(after, name))}"
        await insert_audit_entry(
            conn, actor_uuid=actor_uuid, action="setting", why=why[:REASON_CHARS]
        )
    return after


def _normal_domains(domains: list[str]) -> list[str]:
    try:
        return sorted({normal_domain(domain.strip()) for domain in domains})
    except ValueError as error:
        raise InvalidError("blocked_domains_invalid") from error


def _text(value: Any) -> str:
    """Return a value for the audit log, which has room for the beginnings of two long texts."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 400 else f"{text[:400]}…"
