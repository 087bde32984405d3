"""The page of admins, and what visitors and members see of what they change."""

import re
from pathlib import Path

import asyncpg
from playwright.async_api import expect

from e2e.screen import (
    PASSWORD,
    Visit,
    Watch,
    check_page,
    code_for,
)
from moderators import appoint
from support import Member
from telemetry.serving import Served

EMAIL = "quark@example.com"


async def test_an_admin_downloads_the_whole_audit_log(
    visit: Visit, worf: Member, odo: Member, database: asyncpg.Connection, tmp_path: Path
) -> None:
    await database.execute(
        "INSERT INTO audit_entries (action, why, created_at)"
        " SELECT 'role', 'entry ' || n, now() - interval '1 day'"
        " FROM generate_series(1, 10001) AS n",  # one more than a part has
    )
    await appoint(database, odo)
    moderator = await visit(odo, "/moderation")
    await expect(moderator.get_by_role("heading", name="No reports")).to_be_visible()
    await expect(moderator.get_by_text("Audit log")).to_be_hidden()
    await appoint(database, worf, "admin")
    admin = await visit(worf, "/moderation")
    await admin.get_by_text("Audit log").click()
    await check_page(admin, "moderation-audit")
    for form, extension, rows in (("JSON lines", "jsonl", 10_001), ("CSV", "csv", 10_002)):
        async with admin.expect_download() as started:
            await admin.get_by_role("button", name=f"Download as {form}").click()
        download = await started.value
        assert download.suggested_filename == f"cruddur-audit.{extension}"
        await download.save_as(tmp_path / extension)
        text = (tmp_path / extension).read_text("utf-8")
        assert len(text.splitlines()) == rows
        assert "entry 10001" in text


async def test_an_admin_runs_the_instance_and_an_invited_person_joins(
    visit: Visit,
    watch: Watch,
    service: Served,
    worf: Member,
    database: asyncpg.Connection,
) -> None:
    await appoint(database, worf, "admin")
    admin = await visit(worf, "/moderation")
    await admin.get_by_role("link", name="Instance").click()
    settings = admin.get_by_role("form", name="Settings")
    await settings.get_by_label("Name").fill("Deep Space")
    await settings.get_by_label("Description").fill("A station at the edge of the quadrant.")
    await settings.get_by_label("Rules", exact=True).fill("Be polite.\nNo Tribbles.")
    await settings.get_by_label(re.compile("Ask all members")).check()
    await settings.get_by_label("Who can sign up").select_option("invitation")
    await settings.get_by_label("Default lifetime").select_option("3-hours")
    await settings.get_by_label("Longest lifetime").select_option("1-day")
    await settings.get_by_role("button", name="Save").click()
    await expect(admin.get_by_role("status", name="Notices")).to_contain_text("are saved")
    terms = admin.get_by_role("region", name="Terms of service")
    await expect(terms).to_contain_text("have changed")
    await check_page(admin, "instance-terms")
    await terms.get_by_role("button", name="Accept").click()
    await expect(terms).to_be_hidden()

    visitor = await visit(None, "/about")
    await expect(visitor.get_by_role("main")).to_contain_text("No Tribbles.")
    await expect(visitor.get_by_role("main")).to_contain_text("You need an invitation")
    await check_page(visitor, "instance-about")
    await visitor.goto("/")
    await admin.get_by_label("Announcement", exact=True).fill("The station moves at noon.")
    await admin.get_by_role("button", name="Announce").click()
    for page in (visitor, admin):
        await expect(page.get_by_text("The station moves at noon.").first).to_be_visible()
    await check_page(visitor, "instance-announcement")
    await visitor.get_by_role("button", name="Dismiss announcement").click()
    await expect(visitor.get_by_text("The station moves at noon.")).to_be_hidden()
    await visitor.reload()
    await expect(visitor.get_by_role("main")).to_be_visible()

    await admin.get_by_role("button", name="Create invitation").click()
    link = admin.get_by_text("/signup#invitation=")
    await expect(link).to_be_visible()
    await check_page(admin, "instance-settings")
    address = re.sub(r"^https?://[^/]+", "", await link.inner_text())

    await visitor.goto(address)
    await expect(visitor.get_by_label("Invitation code")).to_have_value(
        re.compile("^[a-z2-9]{16}$")
    )
    await expect(visitor.get_by_text("The station moves at noon.")).to_be_hidden()
    await visitor.get_by_label("Name").fill("Quark")
    await visitor.get_by_label("Handle").fill("quark")
    await visitor.get_by_label("Email").fill(EMAIL)
    await visitor.get_by_label("Password").fill(PASSWORD)
    watch.expect(422, "/api/auth/signup")
    await visitor.get_by_role("button", name="Join now").click()
    accept = visitor.get_by_role("checkbox", name="I accept the terms")
    await expect(accept).to_have_accessible_description(re.compile("Accept the terms to continue"))
    await check_page(visitor, "instance-signup")
    await accept.check()
    await visitor.get_by_role("button", name="Join now").click()
    await visitor.get_by_label("Code").fill(await code_for(service, EMAIL))
    await visitor.get_by_role("button", name="Confirm").click()
    lives = visitor.get_by_label("Lives for")
    await expect(lives).to_have_value("3-hours")
    assert await lives.locator("option").all_inner_texts() == [
        "1 day",
        "12 hours",
        "3 hours",
        "1 hour",
    ]

    await settings.get_by_label("Who can sign up").select_option("closed")
    await settings.get_by_role("button", name="Save").click()
    other = await visit(None, "/signup")
    await expect(other.get_by_role("heading", name="Sign-up is closed")).to_be_visible()
    await check_page(other, "instance-closed")
