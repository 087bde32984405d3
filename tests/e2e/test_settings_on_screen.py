"""Settings: profile, picture, devices, password, and account deletion."""

import re
from io import BytesIO

import asyncpg
from PIL import Image
from playwright.async_api import FilePayload, Locator, expect

from e2e.screen import PASSWORD, Visit, Watch, settle, sign_in
from support import Api, Member, count_rows

NEW_PASSWORD = "there-is-no-honour-in-it"


def png(color: str) -> FilePayload:
    """Return a picture in one color."""
    data = BytesIO()
    Image.new("RGB", (64, 48), color).save(data, "PNG")
    return {"name": "me.png", "mimeType": "image/png", "buffer": data.getvalue()}


async def color_of(picture: Locator) -> list[int]:
    """Return the color in the middle of a picture on screen."""
    await expect(picture).to_have_js_property("complete", True)
    pixel: list[int] = await picture.evaluate(
        """image => {
            const canvas = document.createElement("canvas");
            canvas.getContext("2d").drawImage(image, -image.naturalWidth / 2, 0);
            return [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }"""
    )
    return pixel


async def test_a_changed_profile_is_shown_on_cruds(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await worf.crud("a good day")
    page, others = await visit(worf, "/settings"), await visit(odo)
    profile = page.get_by_role("form", name="Profile")
    watch.expect(422, "/api/profile/update")
    await profile.get_by_label("Name").fill("")
    await profile.get_by_role("button", name="Save profile").click()
    await expect(profile.get_by_label("Name")).to_have_accessible_description(
        re.compile("Enter your name")
    )
    await profile.get_by_label("Name").fill("Worf, son of Mogh")
    await profile.get_by_label("Bio").fill("Security. Ask @odo about #honour.")
    await profile.get_by_role("button", name="Save profile").click()
    notices = page.get_by_role("status", name="Notices")
    await expect(notices).to_contain_text("Profile saved")
    await expect(page.get_by_role("navigation")).to_contain_text("Worf, son of Mogh")

    chooser = page.get_by_label("Choose a picture")
    watch.expect(422, "/api/avatars/uploads/*")
    await chooser.set_input_files(
        {"name": "me.txt", "mimeType": "text/plain", "buffer": b"It is me."}
    )
    await expect(page.get_by_role("alert").filter(has_text="Choose a JPEG")).to_be_visible()
    assert not watch.sent("POST", "/api/avatars/*")
    await chooser.set_input_files({**png("red"), "buffer": b"\x89PNG and then nothing"})
    await expect(page.get_by_role("alert").filter(has_text="read that picture")).to_be_visible()
    for color, rgb in (("red", [254, 0, 0]), ("lime", [0, 255, 1])):
        async with page.expect_response("**/api/avatars/*.jpg*"):
            await chooser.set_input_files(png(color))
        await expect(notices).to_contain_text("Picture updated")
        mine = page.get_by_role("region", name="Picture").locator("img")
        assert await color_of(mine) == rgb

    await others.reload()
    card = others.get_by_role("article")
    await expect(card).to_contain_text("Worf, son of Mogh")
    assert await color_of(card.locator("img")) == [0, 255, 1]
    await card.get_by_role("link", name="Worf, son of Mogh").click()
    about = others.get_by_role("region", name="Profile")
    await expect(about).to_contain_text("Security. Ask @odo about #honour.")
    await expect(about.get_by_role("link", name="@odo")).to_have_attribute("href", "/@odo")


async def test_a_device_can_be_signed_out_from_another(
    visit: Visit, watch: Watch, api: Api, worf: Member
) -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    await sign_in(api, worf.handle, firefox)
    other = await visit(worf, "/@worf")
    await expect(other.get_by_role("link", name="Edit profile")).to_be_visible()
    page = await visit(worf, "/settings")
    devices = page.get_by_role("region", name="Devices").get_by_role("listitem")
    await expect(devices.filter(has_text="Firefox on Windows")).to_be_visible()
    await expect(devices.filter(has_text="This device")).to_have_count(1)
    watch.expect(401, "/api/*")  # the other browser's session ends
    await expect(devices.first).to_contain_text("This device")
    await expect(devices.first).to_contain_text("Active now · signed in ")
    for name in ("Firefox on Windows", "Chrome on Linux"):
        await devices.get_by_role("button", name=f"Sign out {name}").click()
        await expect(page.get_by_role("status", name="Notices")).to_contain_text(
            f"Signed out {name}"
        )
        await expect(devices.get_by_role("button", name=f"Sign out {name}")).not_to_be_attached()

    await expect(other.get_by_role("link", name="Edit profile")).not_to_be_attached()
    await other.goto("/settings")
    await expect(other.get_by_role("heading", name="Members only")).to_be_visible()
    await page.reload()
    await expect(devices.filter(has_text="This device")).to_be_visible()
    for _ in range(2):
        await sign_in(api, worf.handle, firefox)
    await page.reload()
    await expect(devices).to_have_count(3)
    await page.get_by_role("button", name="Sign out all other devices").click()
    await expect(devices).to_have_count(1)
    await expect(devices).to_contain_text("This device")
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Signed out 2 devices")


async def test_a_changed_password_ends_other_sessions(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    other = await visit(worf, "/messages")
    await expect(other.get_by_role("heading", name="No messages yet")).to_be_visible()
    page = await visit(worf, "/settings")
    await settle(page, watch)  # later content would move the button
    form = page.get_by_role("form", name="Password")
    watch.expect(401, "/api/auth/password")
    watch.expect(422, "/api/auth/password")
    current, new = form.get_by_label("Current password"), form.get_by_label("New password")
    for old, other_one, words in (
        (PASSWORD, "worf", "too easy to guess"),
        ("not it", NEW_PASSWORD, "password doesn’t match"),
    ):
        await current.fill(old)
        await new.fill(other_one)
        await form.get_by_role("button", name="Change password").click()
        await expect(form.get_by_role("alert").filter(has_text=words)).to_be_visible()
    await current.fill(PASSWORD)
    await new.fill(NEW_PASSWORD)
    watch.expect(401, "/api/*")  # the other browser's session ends
    await form.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Password changed")
    await expect(current).to_have_value("")
    await expect(page.get_by_role("region", name="Devices").get_by_role("listitem")).to_have_count(
        1
    )

    await expect(other.get_by_role("heading", name="Members only")).to_be_visible()
    await other.get_by_role("main").get_by_role("link", name="Sign in").click()
    await other.get_by_label("Email or handle").fill("worf")
    await other.get_by_label("Password").fill(NEW_PASSWORD)
    await other.get_by_role("button", name="Sign in").click()
    await expect(other.get_by_role("heading", name="Messages")).to_be_visible()


async def test_a_deleted_account_is_removed_completely(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await worf.crud("remember me")
    await worf.message("odo", "remember me")
    page, others = await visit(worf, "/settings"), await visit(odo)
    await expect(others.get_by_text("remember me")).to_be_visible()
    await page.get_by_role("button", name="Delete account…").click()
    dialog = page.get_by_role("dialog", name="Delete your account?")
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Delete account…").click()
    watch.expect(401, "/api/auth/me")
    await dialog.get_by_label("Your password").fill("not it")
    await dialog.get_by_role("button", name="Delete account").click()
    await expect(dialog.get_by_role("alert").first).to_contain_text("password doesn’t match")
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Delete account").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text(
        "Your account is deleted"
    )
    await expect(page.get_by_role("heading", name="No cruds right now")).to_be_visible()
    assert await count_rows(database, "users") == 1

    await others.reload()
    await expect(others.get_by_role("heading", name="No cruds right now")).to_be_visible()
    await others.get_by_role("link", name="Messages").click()
    await expect(others.get_by_role("heading", name="No messages yet")).to_be_visible()
    for path in ("/@worf", "/api/activities/@worf"):
        watch.expect(404, path)
    await others.goto("/@worf")
    await expect(others.get_by_role("heading", name="User not found")).to_be_visible()
    watch.expect(401, "/api/auth/signin")
    await page.goto("/signin")
    await page.get_by_label("Email or handle").fill("worf")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert").first).to_contain_text("password doesn’t match")
