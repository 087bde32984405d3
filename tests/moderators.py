"""Helpers for tests of reports and moderation."""

from typing import Any
from uuid import UUID

import asyncpg

from support import Member

CASES = "/api/moderation/cases"


async def appoint(conn: asyncpg.Connection, member: Member, role: str = "moderator") -> Member:
    """Give a member a role."""
    await conn.execute("UPDATE users SET role = $2 WHERE uuid = $1", member.uuid, role)
    return member


async def report(
    member: Member, kind: str, uuid: str | UUID, *, expect: int = 200, **fields: Any
) -> Any:
    """Report a subject."""
    body = {"kind": kind, "uuid": str(uuid), "category": "harassment", **fields}
    return await member.post("/api/reports", body, expect=expect)


async def first_case(moderator: Member) -> Any:
    """Open the first case of the queue, with its evidence."""
    [case, *_] = await moderator.get(CASES)
    return await moderator.get(f"{CASES}/{case['uuid']}")


async def decide(
    moderator: Member, case: str, kind: str, *, expect: int = 200, **fields: Any
) -> Any:
    """Decide about a case."""
    body = {"kind": kind, "reason": "You know the rules", **fields}
    return await moderator.post(f"{CASES}/{case}/decisions", body, expect=expect)


async def retention_over(conn: asyncpg.Connection) -> None:
    """Let the retention of all evidence and reports have ended."""
    for table in ("evidence", "reports"):
        await conn.execute(f"UPDATE {table} SET expires_at = now() - interval '1 second'")
