"""`cruddur admin`: roles, and the audit log on the command line."""

import csv
import json
import subprocess
from pathlib import Path

import asyncpg
import pytest

from moderators import CASES
from processes import cruddur
from support import Api, Member


def admin(
    dsn: str, *arguments: str, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `cruddur admin` with arguments."""
    done = cruddur(Path(), "admin", *arguments, CONNECTION_URL=dsn, **environment)
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


@pytest.mark.rule("C130", "C134")
async def test_the_instance_is_managed_on_the_command_line(
    dsn: str, api: Api, tmp_path: Path
) -> None:
    assert "sign_up_mode     open\n" in admin(dsn, "settings").stdout
    assert "sign_up_mode     invitation\n" in admin(dsn, "set", "sign_up_mode", "invitation").stdout
    changed = admin(dsn, "set", "blocked_domains", "spam.example Bücher.example").stdout
    assert "blocked_domains  spam.example xn--bcher-kva.example\n" in changed
    admin(dsn, "set", "evidence_days", "30")
    admin(dsn, "set", "new_terms", "true")
    shown = await api.get("/api/instance")
    assert (shown["sign_up_mode"], shown["terms_version"]) == ("invitation", 1)
    refused = admin(dsn, "set", "evidence_days", "0", code=1)
    assert refused.stderr == "cruddur: '0' is refused: evidence_days_invalid\n"
    assert "there is no setting color" in admin(dsn, "set", "color", "red", code=1).stderr

    assert admin(dsn, "invitations").stdout == "there are no invitations\n"
    link = admin(dsn, "invite", "--uses", "3", "--days", "2").stdout.strip()
    page, _, code = link.partition("/signup#invitation=")
    assert page == "http://localhost:3000"
    listed = admin(dsn, "invitations").stdout
    assert f"  {code}  0 of 3 used, until " in listed
    (tmp_path / "index.html").touch()
    own = {"CRUDDUR_FRONTEND_DIRECTORY": str(tmp_path), "BACKEND_URL": "https://cruddur.example/"}
    for environment in (own, {"FRONTEND_URL": "*", "BACKEND_URL": "https://cruddur.example"}):
        link = admin(dsn, "invite", **environment).stdout
        assert link.startswith("https://cruddur.example/signup#invitation=")
    uuid = listed.split()[0]
    assert admin(dsn, "uninvite", uuid).stdout == "revoked\n"
    again = admin(dsn, "uninvite", uuid, code=1)
    assert again.stderr == f"cruddur: there is no invitation {uuid}\n"
