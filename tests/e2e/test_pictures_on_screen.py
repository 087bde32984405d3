"""Pictures of cruds: choosing, describing, sending, looking at them, and their end."""

import asyncio
import contextlib
import re
from io import BytesIO
from typing import Any

import asyncpg
import pytest
from PIL import Image
from playwright.async_api import Error, FilePayload, Locator, Page, Route, expect

from e2e.screen import PHONE, Visit, Watch, settle
from support import Member, count_rows, expire

WORDS = "What’s on your mind?"
HINT = "Describe it for people who can’t see it"


def png(name: str, color: str = "red", size: tuple[int, int] = (90, 60)) -> FilePayload:
    data = BytesIO()
    Image.new("RGB", size, color).save(data, "PNG")
    return {"name": f"{name}.png", "mimeType": "image/png", "buffer": data.getvalue()}


def composer(page: Page) -> Locator:
    return page.get_by_role("form", name="New crud")


async def choose(page: Page, *files: FilePayload) -> None:
    """Choose files with the button of the composer."""
    await composer(page).get_by_label("Add pictures").set_input_files(files)


async def give(page: Page, event: str, file: FilePayload) -> None:
    """Paste a file into the composer, or drop it there."""
    await page.get_by_label(WORDS).evaluate(
        """(area, { event, name, bytes }) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
            const options = { bubbles: true, cancelable: true };
            area.dispatchEvent(event === "paste"
                ? new ClipboardEvent(event, { ...options, clipboardData: data })
                : new DragEvent(event, { ...options, dataTransfer: data }));
        }""",
        {"event": event, "name": file["name"], "bytes": list(file["buffer"])},
    )


async def upload(member: Member, size: tuple[int, int], color: str = "red") -> str:
    content = png("x", color, size)["buffer"]
    uploaded = await member.request("POST", "/api/pictures", content=content)
    uuid: str = uploaded.json()["uuid"]
    return uuid


async def post(member: Member, message: str, *sizes: tuple[int, int]) -> Any:
    """Post a crud with pictures of these sizes."""
    pictures = [
        {"uuid": await upload(member, size), "alt": f"field {number}"}
        for number, size in enumerate(sizes, start=1)
    ]
    body = {"message": message, "ttl": "1-day", "pictures": pictures}
    return await member.post("/api/activities", body)


@pytest.mark.rule("C83")
async def test_pictures_are_chosen_pasted_dropped_described_and_posted(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await worf.crud("Something to see")
    page, others = await visit(worf), await visit(odo)
    await settle(others, watch)
    await page.get_by_label(WORDS).fill("Look at these")
    await choose(page, png("first", "red"), png("second", "blue"))
    fields = composer(page).get_by_placeholder(HINT)
    await expect(fields).to_have_count(2)
    await give(page, "paste", png("third", "lime"))
    await expect(fields).to_have_count(3)
    await give(page, "drop", png("fourth", "white"))
    await expect(fields).to_have_count(4)
    add = composer(page).get_by_label("Add pictures")
    await expect(add).to_be_disabled()
    await give(page, "paste", png("fifth"))
    await expect(composer(page).get_by_role("alert")).to_have_text(
        "A crud can have up to four pictures."
    )
    await composer(page).get_by_role("button", name="Remove Picture 2 of 4").click()
    await expect(fields).to_have_count(3)
    await expect(add).to_be_focused()
    await fields.nth(0).fill("a red field")
    await composer(page).get_by_role("button", name="Crud it").click()
    for viewer in (page, others):
        card = viewer.get_by_role("article").filter(has_text="Look at these")
        await expect(card.get_by_role("img")).to_have_count(3)
        await expect(card.get_by_role("button", name="a red field")).to_be_visible()
        await expect(card.get_by_role("button", name="Picture 2 of 3")).to_be_visible()
        for picture in await card.get_by_role("img").all():
            await expect(picture).to_have_attribute("src", re.compile(r"^/api/pictures/.*/thumb"))
            await picture.evaluate("image => image.decode()")
    await expect(fields).to_have_count(0)


async def test_a_larger_view_opens_and_is_operated_with_keys(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    crud = await post(worf, "Look", (90, 60), (60, 90))
    for path in ("/", f"/@worf/status/{crud['uuid']}"):
        page = await visit(None, path)
        await settle(page, watch)
        opener = page.get_by_role("button", name="field 1")
        await opener.press("Enter")
        dialog = page.get_by_role("dialog", name="Picture 1 of 2")
        await expect(dialog.get_by_role("img", name="field 1")).to_be_visible()
        await expect(dialog.locator("figcaption")).to_have_text("field 1")
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("dialog", name="Picture 2 of 2")).to_be_visible()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowLeft")
        second = page.get_by_role("dialog", name="Picture 2 of 2")
        await expect(second.get_by_role("img", name="field 2")).to_be_visible()
        await second.get_by_role("button", name="Previous picture").click()
        await expect(dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(opener).to_be_focused()
        assert page.url.endswith(path)


async def test_a_larger_view_is_as_wide_as_its_widest_picture(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    await post(worf, "Look", (40, 60), (90, 60))
    wide = await post(worf, "Look again", (60, 60), (1200, 300))
    page = await visit(None, "/@worf")
    await settle(page, watch)
    small, large = [], []
    for opener in await page.get_by_role("button", name=re.compile("field [12]")).all():
        await opener.click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("img")).to_be_visible()
        box = await dialog.bounding_box()
        assert box is not None
        (large if len(large) < len(wide["pictures"]) else small).append(box["width"])
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
    assert small == [24 * 16, 24 * 16]
    assert large == [64 * 16, 64 * 16]  # the widest dialog


@pytest.mark.parametrize("count", [1, 2, 3, 4])
async def test_a_picture_takes_no_more_room_when_it_arrives(
    count: int, visit: Visit, worf: Member
) -> None:
    sizes = ((900, 60), (60, 900), (400, 300), (30, 30))
    await post(worf, "Look", *sizes[-count:])
    page = await visit(None, None, size=PHONE)
    arrived = asyncio.Event()

    async def hold(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    await page.route("**/api/pictures/**", hold)
    await page.goto("/", wait_until="commit")
    card = page.get_by_role("article")
    await expect(card.get_by_role("img")).to_have_count(count)
    before = await card.bounding_box()
    arrived.set()
    for picture in await card.get_by_role("img").all():
        await picture.evaluate("image => image.decode()")
    assert await card.bounding_box() == before
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_goes_wrong_with_a_picture_is_said_and_nothing_is_lost(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    page = await visit(worf)
    await page.get_by_label(WORDS).fill("Look at these")
    alert = composer(page).get_by_role("alert")
    await choose(page, {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    await expect(alert).to_have_text("Choose a JPEG, PNG, GIF or WebP picture.")
    await choose(page, {**png("big"), "buffer": bytes(8 * 1024 * 1024 + 1)})
    await expect(alert).to_have_text("That picture is too large. It can be up to 8 MB.")
    assert not watch.sent("POST", "/api/pictures")
    watch.expect(422, "/api/pictures")
    await choose(page, {**png("broken"), "buffer": b"\x89PNG and then nothing"})
    await expect(alert).to_contain_text("We couldn’t read that picture")
    watch.expect(500, "/api/pictures")
    await page.route(
        "**/api/pictures", lambda route: route.fulfill(status=500, json=["generic_500"])
    )
    await choose(page, png("unlucky"))
    await expect(alert).to_contain_text("Something went wrong on our side")
    await page.unroute("**/api/pictures")
    await choose(page, png("lucky"))
    await expect(alert).to_have_count(0)
    fields = composer(page).get_by_placeholder(HINT)
    await fields.fill("a red field")

    # The text, the picture and its description outlive a reload; the preview does not.
    await page.reload()
    await expect(fields).to_have_value("a red field")
    await expect(page.get_by_label(WORDS)).to_have_value("Look at these")
    await database.execute("DELETE FROM pictures")
    watch.expect(422, "/api/activities")
    await composer(page).get_by_role("button", name="Crud it").click()
    await expect(alert).to_contain_text("A picture isn’t available anymore")
    await composer(page).get_by_role("button", name="Remove Picture 1 of 1").click()
    await composer(page).get_by_role("button", name="Crud it").click()
    card = page.get_by_role("article").filter(has_text="Look at these")
    await expect(card.get_by_role("button", name="Reply")).to_be_visible()
    assert await count_rows(database, "activities") == 1


async def test_the_progress_of_an_upload_is_shown_and_it_can_be_cancelled(
    visit: Visit, worf: Member, database: asyncpg.Connection
) -> None:
    page = await visit(worf)
    await page.get_by_label(WORDS).fill("Look at these")
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        with contextlib.suppress(Error):  # the page has aborted it
            await route.abort()

    await page.route("**/api/pictures", hold)
    await choose(page, png("slow"), png("next"))
    bars = composer(page).get_by_role("progressbar")
    await expect(bars).to_have_count(2)
    await expect(
        composer(page).get_by_role("progressbar", name="Uploading slow.png")
    ).to_be_visible()
    await expect(composer(page).get_by_role("button", name="Crud it")).to_be_disabled()
    await composer(page).get_by_role("button", name="Cancel the upload of next.png").click()
    await expect(bars).to_have_count(1)
    await composer(page).get_by_role("button", name="Cancel the upload of slow.png").click()
    await expect(bars).to_have_count(0)
    await expect(composer(page).get_by_role("alert")).to_have_count(0)
    await expect(composer(page).get_by_role("button", name="Crud it")).to_be_enabled()
    released.set()
    await page.unroute_all()
    assert await count_rows(database, "pictures") == 0


async def test_a_reply_has_pictures(visit: Visit, worf: Member, odo: Member) -> None:
    crud = await worf.crud("Show me")
    page = await visit(odo, f"/@worf/status/{crud['uuid']}")
    form = page.get_by_role("form", name="Reply to Worf")
    await form.get_by_label("Reply to @worf").fill("Here")
    await form.get_by_label("Add pictures").set_input_files([png("one")])
    await form.get_by_placeholder(HINT).fill("a red field")
    await form.get_by_role("button", name="Reply", exact=True).click()
    reply = page.get_by_role("article").filter(has_text="Here")
    await expect(reply.get_by_role("button", name="a red field")).to_be_visible()


@pytest.mark.rule("C84")
async def test_an_open_picture_goes_with_its_crud(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    crud = await post(worf, "Look", (90, 60))
    page = await visit()
    await settle(page, watch)
    await page.get_by_role("button", name="field 1").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await settle(page, watch)  # the picture itself, which is 404 after the end
    await expire(database, crud["uuid"])
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("article")).to_have_count(0)
    response = await page.request.get(crud["pictures"][0]["url"])
    assert response.status == 404
