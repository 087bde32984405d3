"""Settings: profile, picture, devices, second factor, API tokens, password, deletion."""

import base64
import re
import time
from io import BytesIO

import asyncpg
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from PIL import Image
from playwright.async_api import FilePayload, FloatRect, Locator, Page, ViewportSize, expect

from e2e.screen import (
    AXE,
    DESKTOP,
    PASSWORD,
    PHONE,
    SCREENS,
    TAKES_SCREENSHOTS,
    Visit,
    Watch,
    settle,
    sideways,
    sign_in,
)
from support import Api, Member, count_rows

ORIENTATION = 0x0112
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
    crop = page.get_by_role("dialog", name="Crop your picture")
    await expect(crop).to_contain_text("browser can’t show this picture")
    await crop.get_by_role("button", name="Save picture").click()
    await expect(crop.get_by_role("alert")).to_contain_text("read that picture")
    await crop.get_by_role("button", name="Cancel").click()
    for color, rgb in (("red", [254, 0, 0]), ("lime", [0, 255, 1])):
        await chooser.set_input_files(png(color))
        async with page.expect_response("**/api/avatars/*.jpg*"):
            await crop.get_by_role("button", name="Save picture").click()
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


def quarters() -> FilePayload:
    """Return a picture with four colors, which is stored on its side."""
    image = Image.new("RGB", (400, 200), "red")
    for place, color in (((200, 0), "lime"), ((0, 100), "blue"), ((200, 100), "white")):
        image.paste(color, (*place, place[0] + 200, place[1] + 100))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = BytesIO()
    image.save(data, "JPEG", quality=95, exif=exif)
    return {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": data.getvalue()}


async def uploaded_color(page: Page, crop: Locator) -> list[int]:
    """Upload the cropped picture, and return its color."""
    async with page.expect_response("**/api/avatars/*.jpg*"):
        await crop.get_by_role("button", name="Save picture").click()
    await expect(crop).not_to_be_attached()
    return await color_of(page.get_by_role("region", name="Picture").locator("img"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_a_picture_is_cropped_with_the_pointer_touch_and_keys(
    visit: Visit, watch: Watch, worf: Member, size: ViewportSize
) -> None:
    """Upright, the picture is blue, red, white and lime, from the upper left to the lower right."""
    page = await visit(worf, "/settings", size=size)
    await settle(page, watch)  # later content would move the picture
    chooser = page.get_by_label("Choose a picture")
    crop = page.get_by_role("dialog", name="Crop your picture")
    area = crop.get_by_role("application", name="Part of the picture to show")

    await chooser.set_input_files(quarters())
    await expect(area).to_be_focused()
    assert await sideways(page) == []
    await page.keyboard.press("Minus")
    for key in ("Minus",) * 10 + ("ArrowUp",) * 50 + ("ArrowLeft",) * 50:
        await page.keyboard.press(key)
    assert near(await uploaded_color(page, crop), [0, 0, 255])

    await chooser.set_input_files(quarters())
    stage = await shown_box(crop.locator("canvas"))
    square = await shown_box(area)
    assert abs(square["width"] - stage["width"]) < 2
    assert abs(square["height"] - square["width"]) < 2
    corner = square["x"] + square["width"] - 6, square["y"] + square["height"] - 6
    await drag(page, corner, (corner[0] - stage["width"] * 0.7, corner[1] - stage["width"] * 0.7))
    small = await shown_box(area)
    assert abs(small["width"] - stage["width"] * 0.3) < 4
    assert abs(small["x"] - stage["x"]) < 2
    middle = small["x"] + small["width"] / 2, small["y"] + small["height"] / 2
    await drag(page, middle, (stage["x"] + stage["width"] + 99, stage["y"] + stage["height"] + 99))
    moved = await shown_box(area)
    assert abs(moved["x"] + moved["width"] - stage["x"] - stage["width"]) < 2
    assert abs(moved["y"] + moved["height"] - stage["y"] - stage["height"]) < 2
    assert near(await uploaded_color(page, crop), [0, 255, 0])

    await chooser.set_input_files(quarters())
    await expect(area).to_be_focused()
    before = await shown_box(area)
    await pinch(page, area, 0.5)
    after = await shown_box(area)
    assert abs(after["width"] - before["width"] / 2) < 8
    await check_with_axe(page)
    if TAKES_SCREENSHOTS:
        for scheme in ("dark", "light"):
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=SCREENS / f"crop-{size['width']}-{scheme}.png")
    await page.keyboard.press("Escape")
    await expect(crop).not_to_be_attached()


async def check_with_axe(page: Page) -> None:
    """Check the dialog in both themes."""
    await page.evaluate(AXE.read_text())
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate("async () => (await axe.run('dialog')).violations")
        assert found == [], scheme


async def shown_box(element: Locator) -> FloatRect:
    box = await element.bounding_box()
    assert box is not None
    return box


def near(color: list[int], expected: list[int]) -> bool:
    return all(abs(one - other) < 24 for one, other in zip(color, expected, strict=True))


async def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    await page.mouse.move(*start)
    await page.mouse.down()
    await page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    await page.mouse.move(*end, steps=3)
    await page.mouse.up()


async def pinch(page: Page, element: Locator, scale: float) -> None:
    """Move two fingers on an element together."""
    box = await shown_box(element)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = await page.context.new_cdp_session(page)
    await client.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    async def touch(kind: str, distance: float | None) -> None:
        points = (
            []
            if distance is None
            else [{"x": x - distance, "y": y, "id": 1}, {"x": x + distance, "y": y, "id": 2}]
        )
        await client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    await touch("touchStart", 60)
    for step in range(1, 11):
        await touch("touchMove", 60 * (1 + (scale - 1) * step / 10))
    await touch("touchEnd", None)
    await client.detach()


async def test_a_picture_is_removed_everywhere(visit: Visit, watch: Watch, worf: Member) -> None:
    await worf.crud("a good day")
    page = await visit(worf, "/settings")
    mine = page.get_by_role("region", name="Picture")
    await mine.get_by_label("Choose a picture").set_input_files(png("red"))
    crop = page.get_by_role("dialog", name="Crop your picture")
    await uploaded_color(page, crop)
    others = await visit(None)
    await settle(others, watch)  # its stream is open
    card = others.get_by_role("article")
    await expect(card.locator("img")).to_be_visible()
    await mine.get_by_role("button", name="Remove picture…").click()
    confirmation = page.get_by_role("dialog", name="Remove your picture?")
    await expect(confirmation.get_by_role("button", name="Cancel")).to_be_focused()
    await confirmation.get_by_role("button", name="Remove picture").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Picture removed")
    await expect(page.locator(".avatar img")).to_have_count(0)
    await expect(mine.get_by_role("button", name="Remove picture…")).not_to_be_attached()
    await expect(card.locator(".avatar")).to_have_text("W")


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


async def test_a_second_factor_is_set_up_used_and_turned_off(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf, "/settings")
    await settle(page, watch)
    section = page.get_by_role("region", name="Two\u2011factor sign-in")
    await section.get_by_role("button", name="Set up two\u2011factor…").click()
    dialog = page.get_by_role("dialog", name="Set up two\u2011factor sign-in")
    await dialog.get_by_label("Your password").fill(PASSWORD)
    await dialog.get_by_role("button", name="Next").click()
    secret = await dialog.get_by_label("Key").inner_text()
    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    qr = dialog.get_by_role("img", name="QR code")
    await expect(qr.locator("path")).to_have_attribute("d", re.compile("^M4 4h1"))
    assert await sideways(page) == []
    code = dialog.get_by_label("Code from your app")
    await expect(code).to_be_focused()
    await code.fill(app.generate(time.time()).decode())
    await page.keyboard.press("Enter")
    shown = page.get_by_role("dialog", name="Two\u2011factor sign-in is on")
    codes = (await shown.get_by_label("Recovery codes").inner_text()).split()
    assert len(codes) == 10
    await shown.get_by_role("button", name="Done").click()
    await expect(section).to_contain_text("You have 10 recovery codes left")

    await page.get_by_role("button", name="Sign out", exact=True).first.click()
    await expect(page.get_by_role("link", name="Join").first).to_be_visible()
    await page.goto("/signin")
    await page.get_by_label("Email or handle").fill(worf.handle)
    await page.get_by_label("Password").fill(PASSWORD)
    watch.expect(403, "/api/auth/signin")
    await page.get_by_role("button", name="Sign in").click()
    second = page.get_by_label("Code from your app")
    await expect(second).to_be_focused()
    await page.keyboard.type(codes[0])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("form", name="New crud")).to_be_visible()

    await page.goto("/settings")
    devices = page.get_by_role("region", name="Devices")
    await expect(devices).to_contain_text("with your password and a code")
    await expect(section).to_contain_text("You have 9 recovery codes left")
    await section.get_by_role("button", name="Turn off…").click()
    off = page.get_by_role("dialog", name="Turn off two\u2011factor sign-in?")
    await off.get_by_label("Your password").fill(PASSWORD)
    await off.get_by_role("button", name="Turn off").click()
    await expect(section.get_by_role("button", name="Set up two\u2011factor…")).to_be_visible()


async def test_an_api_token_is_created_used_and_revoked(
    visit: Visit, watch: Watch, api: Api, worf: Member
) -> None:
    page = await visit(worf, "/settings")
    await settle(page, watch)
    tokens = page.get_by_role("region", name="API tokens")
    await tokens.get_by_role("button", name="Create a token…").click()
    dialog = page.get_by_role("dialog", name="Create a token")
    name = dialog.get_by_label("Name of the token")
    await expect(name).to_be_focused()
    watch.expect(422, "/api/auth/tokens")
    await dialog.get_by_label("Read cruds").uncheck()
    await dialog.get_by_role("button", name="Create a token").click()
    await expect(name).to_have_accessible_description(re.compile("Enter a name for the token"))
    await expect(dialog.get_by_role("group", name="What it can do")).to_have_accessible_description(
        re.compile("Choose what the token can do")
    )
    await name.fill("Bat'leth bot")
    await dialog.get_by_label("Post, react").check()
    await dialog.get_by_label("Valid for").select_option("1 year")
    await dialog.get_by_role("button", name="Create a token").click()

    shown = page.get_by_role("dialog", name="Your new token")
    await expect(shown.get_by_role("button", name="Copy")).to_be_focused()
    token = await shown.get_by_label("API token").inner_text()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await shown.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == token
    await shown.get_by_role("button", name="Done").click()
    bot = {"Authorization": f"Bearer {token}"}
    draft = {"message": "from a bot", "ttl": "1-hour"}
    assert (await api.post("/api/activities", draft, headers=bot))["handle"] == worf.handle

    await page.reload()
    listed = tokens.get_by_role("listitem")
    await expect(listed).to_contain_text("Bat'leth bot")
    await expect(listed).to_contain_text(re.compile("Write · last used .* · expires "))
    assert token not in await page.content()
    await listed.get_by_role("button", name="Revoke Bat'leth bot").click()
    await expect(listed).to_have_count(0)
    await api.post("/api/activities", draft, headers=bot, expect=401)


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
