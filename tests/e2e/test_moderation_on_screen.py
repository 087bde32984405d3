"""Reports, the page of moderators, and what a member sees of a decision."""

import json
import re
from zipfile import ZipFile

import asyncpg
import pytest
from playwright.async_api import Page, expect

from e2e.screen import (
    AXE,
    PASSWORD,
    STANDARDS,
    Visit,
    Watch,
    check_page,
    violations,
)
from moderators import CASES, appoint, decide, report
from support import Member


async def send(page: Page, words: str) -> None:
    """Fill in the dialog of a report, and send it."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What is it about?").select_option("hate")
    await dialog.get_by_label("Details").fill(words)
    await dialog.get_by_role("button", name="Send report").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Thanks.")
    await expect(dialog).to_be_hidden()


async def test_a_crud_is_reported_judged_and_appealed(
    visit: Visit,
    watch: Watch,
    worf: Member,
    odo: Member,
    database: asyncpg.Connection,
) -> None:
    crud = await worf.crud("a good day to insult")
    reader = await visit(odo)
    await expect(reader.get_by_role("link", name="Moderation")).to_be_hidden()
    await reader.get_by_role("button", name="More").click()
    await reader.get_by_role("button", name="Report this crud").click()
    await expect(reader.get_by_role("dialog")).to_contain_text("Report this crud by @worf")
    await expect(reader.get_by_label("What is it about?")).to_have_value("")
    await reader.evaluate(AXE.read_text("utf-8"))
    assert await violations(reader, STANDARDS) == []
    await send(reader, "He means me")
    await worf.delete(f"/api/activities/{crud['uuid']}")
    await expect(reader.get_by_text("a good day to insult")).to_be_hidden()

    await appoint(database, odo)
    await reader.get_by_role("link", name=re.compile("Moderation,? 1 open")).click()
    await expect(reader.get_by_role("main")).to_contain_text("Crud by @worf")
    await check_page(reader, "moderation-queue")
    await reader.get_by_role("link", name="Crud by @worf").click()
    evidence = reader.get_by_role("region", name="Evidence")
    await expect(evidence).to_contain_text("a good day to insult")
    await expect(reader.get_by_role("region", name="Reports")).to_contain_text("He means me")
    await check_page(reader, "moderation-case")

    own = await visit(worf)
    await expect(own.get_by_role("navigation", name="Main")).to_be_visible()
    await reader.get_by_label("Decision").select_option("suspend")
    await reader.get_by_label("Days").fill("3")
    watch.expect(422, "/api/moderation/cases/*/decisions")
    await reader.get_by_role("button", name="Suspend").click()
    await expect(reader.get_by_label("Reason")).to_have_accessible_description(
        re.compile("Give a reason")
    )
    await reader.get_by_label("Reason").fill("No insults here")
    watch.expect(401, "/api/*")
    watch.expect(401, "/api/auth/refresh")
    await reader.get_by_role("button", name="Suspend").click()
    history = reader.get_by_role("region", name="History of the account")
    await expect(history).to_contain_text("No insults here")
    await expect(own.get_by_role("region", name="Join")).to_be_visible()

    watch.expect(403, "/api/auth/signin")
    await own.goto("/signin")
    await own.get_by_label("Email or handle").fill("worf")
    await own.get_by_label("Password").fill(PASSWORD)
    await own.get_by_role("button", name="Sign in").click()
    await expect(own.get_by_text("Your account is suspended.")).to_be_visible()
    await expect(own.get_by_role("main")).to_contain_text("No insults here")
    await own.get_by_text("Appeal", exact=True).click()
    await check_page(own, "moderation-suspended")
    await own.get_by_label("Why is the decision wrong?").fill("It was a toast")
    await own.get_by_role("button", name="Send appeal").click()
    await expect(own.get_by_text("waiting for a moderator")).to_be_visible()

    await reader.reload()
    await expect(history).to_contain_text("It was a toast")
    appeal = reader.get_by_role("form", name="Decide the appeal")
    await appeal.get_by_label("Decision").select_option("overturned")
    await appeal.get_by_label("Reason").fill("So it was")
    await check_page(reader, "moderation-appeal")
    await appeal.get_by_role("button", name="Decide the appeal").click()
    await expect(history).to_contain_text("So it was")

    await own.get_by_role("button", name="Sign in").click()
    await own.get_by_role("link", name=re.compile("Settings,? 1 unread")).click()
    await expect(own.get_by_text("There is 1 new decision.")).to_be_visible()
    await own.get_by_role("link", name="Show decisions").click()
    await expect(own.get_by_role("main")).to_contain_text("The decision was overturned. So it was")
    await expect(own.get_by_role("link", name="Settings", exact=True)).to_be_visible()
    await check_page(own, "moderation-notices")


@pytest.mark.rule("C160", "C161")
async def test_a_banned_member_downloads_their_data_and_deletes_the_account(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await worf.crud("a good day to insult")
    await report(odo, "profile", worf.uuid)
    await appoint(database, odo)
    await decide(odo, (await odo.get(CASES))[0]["uuid"], "ban", reason="No insults here")

    page = await visit(path="/signin", size={"width": 360, "height": 740})
    watch.expect(403, "/api/auth/signin")
    await page.get_by_label("Email or handle").fill("worf")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_contain_text("No insults here")
    own = page.get_by_role("region", name="Your data")
    archive = own.get_by_role("button", name="Download your data")
    await archive.focus()
    async with page.expect_download() as downloading:
        await page.keyboard.press("Enter")
    download = await downloading.value
    assert download.suggested_filename == "cruddur-archive.zip"
    with ZipFile(await download.path()) as files:
        assert json.loads(files.read("profile.json"))[0]["handle"] == "worf"
    await page.keyboard.press("Tab")
    await expect(own.get_by_role("button", name="Delete account…")).to_be_focused()
    await check_page(page, "moderation-banned")
    await page.set_viewport_size({"width": 360, "height": 740})

    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete your account?")
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await page.evaluate(AXE.read_text("utf-8"))
    assert await violations(page, STANDARDS) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("deleted")
    assert await database.fetchval("SELECT count(*) FROM users WHERE handle = 'worf'") == 0
    assert await database.fetchval("SELECT count(*) FROM cases") == 1


async def test_a_profile_and_a_message_are_reported(
    visit: Visit, worf: Member, odo: Member
) -> None:
    await worf.message("odo", "You will pay for this")
    page = await visit(odo, "/@worf")
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("button", name="Report this profile").click()
    await send(page, "His bio")
    await page.goto("/messages/@worf")
    await page.get_by_role("button", name="Report: You will pay for this").click()
    await send(page, "A threat")
