"""Long lists, new cruds, and search."""

import re
from datetime import timedelta
from uuid import UUID

import asyncpg
from playwright.async_api import expect

from e2e.screen import STREAM, Visit, Watch, settle
from support import Member

MANY = 45
VERY_MANY = 130

LOST = 10_000
"""Milliseconds without the stream after which a page starts to poll."""

POLLED = 21_000
"""Milliseconds within which a page polls once."""


async def insert_many(database: asyncpg.Connection, author: UUID, count: int = MANY) -> None:
    """Insert cruds of the last minutes; "number 0" is the newest."""
    await database.executemany(
        "INSERT INTO activities (user_uuid, message, created_at, expires_at)"
        " VALUES ($1, $2, now() - $3::interval, now() + interval '1 day')",
        [(author, f"number {n}.", timedelta(minutes=n)) for n in range(count)],
    )


async def test_a_long_list_loads_further_pages_and_keeps_them(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    await insert_many(database, worf.uuid)
    page = await visit()
    cards = page.get_by_role("article")
    await expect(page.get_by_text("number 0.")).to_be_visible()
    assert await cards.count() < MANY
    await expect(page.get_by_text(f"number {MANY - 1}.")).not_to_be_attached()
    await page.get_by_role("main").click(position={"x": 5, "y": 5})
    while (count := await cards.count()) < MANY:
        await page.keyboard.press("End")
        await page.wait_for_function(
            "count => document.querySelectorAll('article').length > count", arg=count
        )
    texts = await cards.all_text_contents()
    assert re.findall(r"number (\d+)\.", "".join(texts)) == [str(n) for n in range(MANY)]
    await expect(page.get_by_role("button", name="Show more")).not_to_be_attached()

    await page.get_by_text(f"number {MANY - 5}.").click()
    await expect(page.get_by_role("heading", name="Crud")).to_be_visible()
    await page.go_back()
    await expect(cards).to_have_count(MANY)
    await expect(page.get_by_text(f"number {MANY - 5}.")).to_be_in_viewport()
    asked = [request.url for request in watch.sent("GET", "/api/activities/home")]
    assert len([url for url in asked if "cursor=" in url]) == len(
        {url for url in asked if "cursor=" in url}
    )


async def test_a_very_long_list_renders_what_is_near_and_keeps_its_place(
    visit: Visit, worf: Member, database: asyncpg.Connection
) -> None:
    await insert_many(database, worf.uuid, VERY_MANY)
    page = await visit()
    rows, cards = page.locator(".row"), page.get_by_role("article")
    await expect(page.get_by_text("number 0.")).to_be_visible()
    assert await rows.count() < VERY_MANY
    await expect(page.get_by_text(f"number {VERY_MANY - 1}.")).not_to_be_attached()
    await page.get_by_role("main").click(position={"x": 5, "y": 5})
    while (count := await rows.count()) < VERY_MANY:
        await page.keyboard.press("End")
        await page.wait_for_function(
            "count => document.querySelectorAll('.row').length > count", arg=count
        )
    await expect(page.get_by_role("button", name="Show more")).not_to_be_attached()

    # Cards that are far from the viewport are not rendered, and none is missing near it.
    await page.keyboard.press("End")
    await expect(page.get_by_text(f"number {VERY_MANY - 1}.")).to_be_in_viewport()
    await expect(page.get_by_text("number 0.")).not_to_be_attached()
    texts = await cards.all_text_contents()
    numbers = [int(found) for found in re.findall(r"number (\d+)\.", "".join(texts))]
    assert 5 < len(numbers) < VERY_MANY
    assert numbers == list(range(VERY_MANY))[-len(numbers) :]

    chosen = page.get_by_role("article").filter(has_text=f"number {VERY_MANY - 5}.")
    await chosen.locator(".crud-time").focus()
    place = await page.evaluate("scrollY")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Crud")).to_be_visible()
    await page.go_back()
    await expect(chosen).to_be_in_viewport()
    await expect(chosen.locator(".crud-time")).to_be_focused()
    assert await page.evaluate("scrollY") == place
    assert await rows.count() == VERY_MANY
    await expect(page.get_by_text("number 0.")).not_to_be_attached()
    await page.keyboard.press("Home")
    await expect(page.get_by_text("number 0.")).to_be_visible()


async def test_new_cruds_appear_without_the_stream(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    for n in range(12):
        await odo.crud(f"old {n}")
    page = await visit(path=None)
    await page.clock.install()
    await page.route(f"**{STREAM}", lambda route: route.abort())
    watch.expect(0, STREAM)
    await page.goto("/")
    cards = page.get_by_role("article")
    await expect(cards).to_have_count(12)
    await settle(page, watch)  # the first poll is done
    await page.clock.fast_forward(LOST)
    await expect(page.get_by_role("status").filter(has_text="Not live")).to_be_visible()
    await worf.crud("at the top")
    await page.clock.fast_forward(POLLED)
    await expect(cards.first).to_contain_text("at the top")
    await expect(page.get_by_role("status").filter(has_text="1 new crud")).to_be_attached()

    await page.get_by_text("old 0").scroll_into_view_if_needed()
    await expect(page.get_by_text("at the top")).not_to_be_in_viewport()
    await worf.crud("higher still")
    await page.clock.fast_forward(POLLED)
    await page.get_by_role("button", name="1 new crud").click()
    await expect(cards.first).to_contain_text("higher still")
    await expect(cards.first).to_be_in_viewport()
    await expect(page.get_by_role("button", name="1 new crud")).not_to_be_attached()


async def test_search_finds_words_tags_handles_and_phrases(
    visit: Visit, worf: Member, odo: Member
) -> None:
    await worf.crud("Revenge is a dish best served cold #klingon")
    await worf.crud("A cold day on Kronos")
    await odo.crud("I like my bucket warm #Klingon")
    page = await visit()
    await page.get_by_role("searchbox").fill("  cold ")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/search\?term=cold$"))
    results = page.get_by_role("region", name="Results").get_by_role("article")
    await expect(results).to_have_count(2)
    await expect(page.get_by_role("searchbox")).to_have_value("cold")

    await results.get_by_role("link", name="#klingon").click()
    await expect(page.get_by_role("searchbox")).to_have_value("#klingon")
    await expect(results).to_have_count(2)
    await expect(results.filter(has_text="bucket")).to_be_visible()
    await page.reload()
    await expect(results).to_have_count(2)
    await page.go_back()
    await expect(results.filter(has_text="Kronos")).to_be_visible()

    for term, count in (("@odo", 1), ('"dish best"', 1), ("cold -dish", 1), ("tribble", 0)):
        await page.get_by_role("searchbox").fill(term)
        await page.keyboard.press("Enter")
        await expect(results).to_have_count(count)
    await expect(page.get_by_role("heading", name="No cruds found")).to_be_visible()
    await expect(page.get_by_text("No live crud matches “tribble” right now")).to_be_visible()

    await page.get_by_role("navigation").get_by_role("link", name="Search").click()
    await expect(page.get_by_role("searchbox")).to_have_value("")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.get_by_role("region", name="Trending").get_by_role("link", name="#klingon").click()
    await expect(results).to_have_count(2)


async def test_empty_sidebar_boxes_are_hidden(
    visit: Visit, worf: Member, database: asyncpg.Connection
) -> None:
    page = await visit()
    await expect(page.get_by_role("heading", name="No cruds right now")).to_be_visible()
    for name in ("Trending", "Suggested people"):
        await expect(page.get_by_role("region", name=name)).not_to_be_attached()
    await worf.crud("something to #remember")
    await page.reload()
    await expect(page.get_by_role("region", name="Trending")).to_contain_text("#remember")
    await page.get_by_role("region", name="Suggested people").get_by_role("link").click()
    await expect(page.get_by_role("heading", name="Worf").first).to_be_visible()
