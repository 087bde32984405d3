"""`cruddur admin`: roles, and the audit log on the command line."""

import csv
import json
import subprocess
from pathlib import Path

import asyncpg
import pytest

from moderators import CASES
from processes import cruddur
from support import Member


def admin(dsn: str, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `cruddur admin` with arguments."""
    done = cruddur(Path(), "admin", *arguments, CONNECTION_URL=dsn)
    assert done.returncode == code, done.stderr
    return done


@pytest.mark.rule("C126")
async def test_a_role_is_granted_and_revoked(dsn: str, andrew: Member, bayko: Member) -> None:
    assert admin(dsn, "list").stdout == "nobody has a role\n"
    await andrew.get(CASES, expect=403)
    granted = admin(dsn, "grant", "@AndrewBrown", "moderator")
    assert granted.stdout == "@AndrewBrown is moderator, was member\n"
    await andrew.get(CASES)
    await andrew.get("/api/moderation/audit", expect=403)
    assert (await andrew.get("/api/auth/me"))["role"] == "moderator"
    admin(dsn, "grant", "bayko", "admin")
    await bayko.get("/api/moderation/audit")
    assert admin(dsn, "list").stdout == "admin      @bayko\nmoderator  @andrewbrown\n"
    assert admin(dsn, "revoke", "@andrewbrown").stdout.endswith("is member, was moderator\n")
    assert admin(dsn, "revoke", "@andrewbrown").stdout.endswith("is member already\n")
    await andrew.get(CASES, expect=403)


async def test_an_unknown_user_or_role_is_refused(dsn: str, andrew: Member) -> None:
    for handle in ("@nobody", "no one"):
        done = admin(dsn, "grant", handle, "admin", code=1)
        assert done.stderr == f"cruddur: there is no user @{handle.removeprefix('@')}\n"
    assert "'owner' is not one of" in admin(dsn, "grant", "@andrewbrown", "owner", code=2).stderr


@pytest.mark.rule("C129")
async def test_the_audit_log_is_printed(
    dsn: str, andrew: Member, database: asyncpg.Connection
) -> None:
    assert admin(dsn, "audit").stdout == ""
    admin(dsn, "grant", "@andrewbrown", "moderator")
    admin(dsn, "revoke", "@andrewbrown")
    entries = [json.loads(line) for line in admin(dsn, "audit").stdout.splitlines()]
    assert [(one["actor_handle"], one["action"], one["user_handle"]) for one in entries] == [
        (None, "role", "andrewbrown"),
        (None, "role", "andrewbrown"),
    ]
    assert [one["why"] for one in entries] == ["moderator", "member"]
    rows = list(csv.DictReader(admin(dsn, "audit", "--format", "csv").stdout.splitlines()))
    assert [row["uuid"] for row in rows] == [one["uuid"] for one in entries]
