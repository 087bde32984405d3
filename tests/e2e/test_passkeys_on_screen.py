"""Passkeys with Chromium's virtual authenticator: add, sign in in both ways, rename, remove."""

import re

from playwright.async_api import CDPSession, Page, expect

from e2e.screen import (
    AXE,
    PASSWORD,
    PHONE,
    SCREENS,
    TAKES_SCREENSHOTS,
    Visit,
    Watch,
    settle,
    sideways,
)
from support import Member
from telemetry.serving import Served


async def authenticator(page: Page) -> tuple[CDPSession, str]:
    """Connect an authenticator to a page, which verifies its user and asks nothing."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, added["authenticatorId"]


async def test_a_passkey_is_added_used_in_both_ways_and_removed(
    visit: Visit, watch: Watch, service: Served, worf: Member
) -> None:
    page = await visit(path=None)
    watch.origin = service.url.replace("127.0.0.1", "localhost")  # an address has no passkeys
    devtools, key = await authenticator(page)

    async def sign_out() -> None:
        await page.get_by_role("button", name="Sign out", exact=True).first.click()
        await expect(page.get_by_role("link", name="Join").first).to_be_visible()
        await page.goto(f"{watch.origin}/signin")

    async def enter_password() -> None:
        await page.get_by_label("Email or handle").fill(worf.handle)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()

    async def open_settings() -> None:
        await expect(page.get_by_role("form", name="New crud")).to_be_visible()
        await page.goto(f"{watch.origin}/settings")
        await settle(page, watch)

    await page.goto(f"{watch.origin}/signin")
    await enter_password()
    await open_settings()
    section = page.get_by_role("region", name="Passkeys")
    add = section.get_by_role("button", name="Add a passkey…")
    await add.click()
    dialog = page.get_by_role("dialog", name="Add a passkey")
    await expect(dialog.get_by_label("Name of the passkey")).to_have_value("Chrome on Linux")
    await dialog.get_by_label("Name of the passkey").fill("My ring")
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    shown = page.get_by_role("dialog", name="Your passkey is ready")
    codes = (await shown.get_by_label("Recovery codes").inner_text()).split()
    assert len(codes) == 10
    await shown.get_by_role("button", name="Done").click()
    await expect(section).to_contain_text("You have 10 recovery codes left")

    await add.click()  # the same authenticator again
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("This device already has a passkey for your account.")
    await page.keyboard.press("Escape")

    await sign_out()
    watch.expect(403, "/api/auth/signin")
    await enter_password()
    await expect(page.get_by_label("Recovery code")).to_be_focused()
    await page.get_by_role("button", name="Use your passkey").click()
    await open_settings()
    devices = page.get_by_role("region", name="Devices")
    await expect(devices).to_contain_text("with your password and a passkey")

    await sign_out()
    alone = page.get_by_role("button", name="Use a passkey instead")
    await devtools.send(
        "WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False}
    )
    await alone.click()
    await expect(page.get_by_role("alert").first).to_contain_text(
        "Your browser didn’t use a passkey. Try again."
    )
    await devtools.send(
        "WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True}
    )
    await alone.click()
    await open_settings()
    await expect(devices).to_contain_text(re.compile("signed in .* with a passkey"))
    row = section.get_by_role("listitem")
    await expect(row).to_contain_text(re.compile("My ring.*last used", re.DOTALL))

    await section.get_by_role("button", name="Rename My ring").click()
    rename = page.get_by_role("dialog", name="Rename passkey")
    await rename.get_by_label("Name of the passkey").fill("The ring of the house of Mogh")
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("The ring of the house of Mogh")
    await page.set_viewport_size(PHONE)
    assert await sideways(page) == []
    if TAKES_SCREENSHOTS:
        await section.screenshot(path=SCREENS / "passkeys-phone.png")
    await page.evaluate(AXE.read_text("utf-8"))
    faults = await page.evaluate("axe.run().then(({ violations }) => violations.map((v) => v.id))")
    assert faults == []

    await section.get_by_role("button", name="Remove The ring").click()
    remove = page.get_by_role("dialog", name="Remove The ring of the house of Mogh?")
    await expect(remove).to_contain_text("Your recovery codes stop working.")
    await remove.get_by_label("Your password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(row).to_have_count(0)
    await sign_out()
    await enter_password()
    await expect(page.get_by_role("form", name="New crud")).to_be_visible()
    await page.evaluate("localStorage.clear()")
