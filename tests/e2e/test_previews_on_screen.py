"""The preview of a link appears below the text, and its picture does not move the page."""

import asyncio
from io import BytesIO
from uuid import UUID

import asyncpg
import pytest
from PIL import Image
from playwright.async_api import Route, ViewportSize, expect

from e2e.screen import DESKTOP, PHONE, STREAM, Visit, Watch, settle
from e2e.world import add_preview
from support import Member

TITLE = "On honour"


def picture() -> bytes:
    """Return a picture of the size that the service makes."""
    data = BytesIO()
    Image.new("RGB", (600, 315), "teal").save(data, "JPEG")
    return data.getvalue()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_a_preview_appears_without_a_reload(
    size: ViewportSize,
    visit: Visit,
    watch: Watch,
    worf: Member,
    odo: Member,
    database: asyncpg.Connection,
) -> None:
    crud = await worf.crud("read https://example.com/honour")
    page = await visit(odo, None, size=size)
    async with page.expect_response(f"**{STREAM}"):
        await page.goto("/")
    await settle(page, watch)
    card = page.get_by_role("article").filter(has_text="read https")
    preview = card.get_by_role("link", name=TITLE)
    await expect(card).to_be_visible()
    await expect(preview).to_have_count(0)
    async with page.expect_response("**/api/previews/*"):
        await add_preview(database, UUID(crud["uuid"]), "https://example.com/honour", picture())
    await expect(preview).to_have_attribute("href", "https://example.com/honour")
    await expect(preview).to_have_attribute("rel", "nofollow noopener noreferrer ugc")
    image = preview.locator("img")
    await expect(image).to_have_js_property("naturalWidth", 600)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]


async def test_a_picture_has_its_space_before_it_has_loaded(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    crud = await worf.crud("read https://example.com/honour")
    await add_preview(database, UUID(crud["uuid"]), "https://example.com/honour", picture())
    page = await visit(worf, None)
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/api/previews/*", held.put)
    await page.goto("/")
    image = page.get_by_role("article").locator(".preview img")
    await expect(image).to_be_visible()
    before = await image.bounding_box()
    assert before is not None
    assert abs(before["width"] / before["height"] - 600 / 315) < 0.02
    await (await held.get()).continue_()
    await expect(image).to_have_js_property("complete", True)
    assert await image.bounding_box() == before
    await settle(page, watch)
