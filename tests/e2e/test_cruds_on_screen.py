"""Post, react, reply and delete in the browser, including when the backend fails."""

import re

import asyncpg
import pytest
from playwright.async_api import Locator, Page, Route, expect

from cruddur.services.activities import LIFETIMES
from e2e.screen import Visit, Watch, settle
from support import Member, count_rows

POSTS = "/api/activities"
WORDS = "What’s on your mind?"
CRUD_CHARS = 280


def crud(page: Page, words: str) -> Locator:
    """Return the card of a crud."""
    return page.get_by_role("article").filter(has_text=words)


async def write(page: Page, words: str) -> None:
    await page.get_by_label(WORDS).fill(words)
    await page.get_by_role("button", name="Crud it").click()


async def fail(route: Route) -> None:
    """Respond with an internal server error."""
    await route.fulfill(status=500, json=["generic_500"])


async def cut(route: Route) -> None:
    """Abort the request before it reaches the backend."""
    await route.abort()


async def lose(route: Route) -> None:
    """Let the request reach the backend, but lose the response."""
    await route.fetch()
    await route.abort()


async def test_likes_reposts_and_replies_are_counted(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await worf.crud("Today is a good day to crud")
    page, others = await visit(odo), await visit(worf)
    card, theirs = crud(page, "a good day"), crud(others, "a good day")
    like, repost = (card.get_by_role("button", name=name) for name in ("Like", "Repost"))
    await like.click()
    await repost.click()
    await expect(like).to_have_attribute("aria-pressed", "true")
    await expect(repost).to_have_attribute("aria-pressed", "true")
    await card.get_by_role("button", name="Reply").click()
    dialog = page.get_by_role("dialog", name="Reply to Worf")
    await expect(dialog.get_by_role("textbox")).to_be_focused()
    await dialog.get_by_role("textbox").fill("So it is")
    await dialog.get_by_role("button", name="Reply").click()
    await expect(dialog).not_to_be_visible()
    for name in ("Like, 1 like", "Repost, 1 repost", "Reply, 1 reply"):
        await expect(card.get_by_role("button", name=name)).to_be_visible()

    await settle(page, watch)  # the page shows a reaction before the server has stored it
    await others.reload()
    for name in ("Like, 1 like", "Repost, 1 repost", "Reply, 1 reply"):
        await expect(theirs.get_by_role("button", name=name)).to_be_visible()
    await expect(theirs.get_by_role("button", name="Like")).to_have_attribute(
        "aria-pressed", "false"
    )
    await theirs.get_by_role("paragraph").filter(has_text="a good day").click()
    await expect(others.get_by_role("region", name="Replies")).to_contain_text("So it is")
    await others.get_by_role("link", name="Odo", exact=True).first.click()
    await expect(others.get_by_role("link", name="Odo reposted")).to_be_visible()

    await like.click()
    await repost.click()
    for name in ("Like, 0 likes", "Repost, 0 reposts"):
        await expect(card.get_by_role("button", name=name)).to_have_attribute(
            "aria-pressed", "false"
        )
    await settle(page, watch)
    await page.reload()
    for name in ("Like, 0 likes", "Repost, 0 reposts"):
        await expect(card.get_by_role("button", name=name)).to_be_visible()


def ending(title: str) -> re.Pattern[str]:
    """Match a window's title, with or without the count of what is unread."""
    return re.compile(rf"(\(\d+\) )?{re.escape(title)}")


async def test_a_thread_shows_all_cruds_above_and_the_replies_below(
    visit: Visit, worf: Member, odo: Member
) -> None:
    thread = [await worf.crud("a good day")]
    for number in range(8):
        author = odo if number % 2 == 0 else worf
        thread.append(await author.reply(thread[-1]["uuid"], f"step {number}"))
    for number in range(5):
        await odo.reply(thread[1]["uuid"], f"aside {number}")
    page = await visit(worf, f"/@worf/status/{thread[-1]['uuid']}")
    above = page.get_by_role("region", name="Earlier in this thread").get_by_role("article")
    await expect(above).to_have_count(8)
    await expect(above).to_contain_text(["a good day", *(f"step {number}" for number in range(7))])
    await expect(above.nth(2)).to_contain_text("Replying to @odo")
    shown = page.get_by_role("article").filter(has_text="step 7")
    await expect(shown).to_be_in_viewport()
    await expect(above.first).not_to_be_in_viewport()
    title = "Worf: “step 7” · Cruddur"
    await expect(page).to_have_title(ending(title))
    served = await worf.http.get(f"/@worf/status/{thread[-1]['uuid']}")
    assert f"<title>{title}</title>" in served.text

    await page.get_by_label("Reply to @worf").fill("the last word")
    await page.get_by_role("button", name="Reply", exact=True).last.click()
    await page.get_by_role("status", name="Notices").get_by_role("link", name="View").click()
    await expect(above).to_have_count(9)
    await expect(page).to_have_title(ending("Worf: “the last word” · Cruddur"))

    await above.first.get_by_text("a good day").click()
    below = page.get_by_role("group", name="Replies to Odo")
    await expect(below.get_by_role("article")).to_have_count(3)
    await expect(below.get_by_role("link", name="Show 1 reply")).to_be_visible()
    await below.get_by_role("button", name="Show 3 more replies").press("Enter")
    await expect(below.get_by_role("article")).to_have_count(6)
    await expect(below.get_by_role("article").nth(3).locator(":focus")).to_be_visible()


async def test_a_deleted_crud_disappears_for_all_viewers(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    for words in ("a good day", "a bad day"):
        await worf.crud(words)
    page, others = await visit(worf, "/@worf"), await visit()
    await expect(page.get_by_role("region", name="Profile")).to_contain_text("2 live cruds")
    await expect(
        crud(others, "a bad day").get_by_role("button", name="Delete")
    ).not_to_be_attached()
    card = crud(page, "a bad day")
    await card.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Cancel").click()
    await card.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(card).not_to_be_attached()
    await expect(page.get_by_role("region", name="Profile")).to_contain_text("1 live crud")
    await settle(page, watch)
    await others.reload()
    await expect(crud(others, "a good day")).to_be_visible()
    await expect(crud(others, "a bad day")).not_to_be_attached()


async def test_the_page_of_a_crud_says_that_it_was_deleted(visit: Visit, worf: Member) -> None:
    uuid = (await worf.crud())["uuid"]
    page = await visit(worf, f"/@worf/status/{uuid}")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name="This crud is gone")).to_be_visible()
    await page.get_by_role("link", name="See the latest cruds").click()
    await expect(page.get_by_role("heading", name="No cruds right now")).to_be_visible()


async def test_every_lifetime_can_be_chosen(
    visit: Visit, worf: Member, database: asyncpg.Connection
) -> None:
    page = await visit(worf)
    options = page.get_by_label("Lives for").get_by_role("option")
    await expect(options).to_have_count(len(LIFETIMES))
    offered = await options.all_inner_texts()
    assert {life.replace(" ", "-") for life in offered} == set(LIFETIMES)
    for life in offered:
        await page.get_by_label("Lives for").select_option(life)
        await write(page, f"for {life}")
        await expect(page.get_by_label(WORDS)).to_have_value("")
    lives = dict(
        await database.fetch("SELECT message, expires_at - created_at AS life FROM activities")
    )
    assert lives == {
        f"for {ttl.replace('-', ' ')}": lifetime for ttl, lifetime in LIFETIMES.items()
    }
    await expect(crud(page, "for 30 days")).to_contain_text("29d 23h left")
    await expect(crud(page, "for 1 hour")).to_contain_text(re.compile(r"59m \d\ds left"))


async def test_the_counter_counts_like_the_backend(visit: Visit, worf: Member) -> None:
    page = await visit(worf)
    form, words = page.get_by_role("form", name="New crud"), page.get_by_label(WORDS)
    button = form.get_by_role("button", name="Crud it")
    for nothing in ("", "  \n "):
        await words.fill(nothing)
        await expect(button).to_be_disabled()
    await words.fill("🖖" * (CRUD_CHARS + 1))
    await expect(form.get_by_role("status")).to_have_text("1 character too many")
    await expect(words).to_have_attribute("aria-invalid", "true")
    await expect(button).to_be_disabled()
    await words.fill("🖖" * CRUD_CHARS)
    await expect(form.get_by_role("status")).to_have_text("0 characters left")
    await words.press("Control+Enter")
    await expect(crud(page, "🖖" * CRUD_CHARS)).to_be_visible()
    await expect(words).to_have_value("")


async def test_a_crud_can_be_posted_from_another_page(visit: Visit, worf: Member) -> None:
    page = await visit(worf, "/about")
    await page.get_by_role("button", name="Crud").click()
    dialog = page.get_by_role("dialog", name="New crud")
    await expect(dialog.get_by_label(WORDS)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).not_to_be_visible()
    await expect(page.get_by_role("button", name="Crud")).to_be_focused()
    await page.get_by_role("button", name="Crud").click()
    await dialog.get_by_label(WORDS).fill("from afar")
    await dialog.get_by_role("button", name="Crud it").click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    await expect(crud(page, "from afar")).to_be_visible()
    await page.get_by_role("button", name="Crud", exact=True).click()
    await expect(page.get_by_role("main").get_by_label(WORDS)).to_be_focused()


async def test_tags_handles_and_addresses_are_links(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await worf.crud("@odo said #honour at https://example.com/honour, and <b>meant</b> it")
    page = await visit()
    card = crud(page, "said")
    await expect(card).to_contain_text("<b>meant</b>")
    address = card.get_by_role("link", name="https://example.com/honour", exact=True)
    await expect(address).to_have_attribute("href", "https://example.com/honour")
    await expect(address).to_have_attribute("rel", re.compile("noopener"))
    await card.get_by_role("link", name="#honour").click()
    await expect(page.get_by_role("searchbox")).to_have_value("#honour")
    await card.get_by_role("link", name="@odo").click()
    await expect(page.get_by_role("heading", name=odo.display_name).first).to_be_visible()


_ICONS = """() => {
    const places = {};
    for (const action of document.querySelectorAll(".action")) {
        (places[action.title] ??= []).push(action.querySelector("svg").getBoundingClientRect().x);
    }
    return places;
}"""
"""The positions of all icons, by what they do."""

_OVERLAPS = """() => [...document.querySelectorAll(".action + .action")]
    .filter((action) => action.previousSibling.lastChild.getBoundingClientRect().right
        > action.firstChild.getBoundingClientRect().left)
    .map((action) => action.outerHTML)"""
"""The actions whose icon is under the count of the one before."""


async def test_the_icons_of_all_cards_are_in_line(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    for number, (author, counts) in enumerate(((worf, 0), (odo, 8), (worf, 1234), (odo, 567890))):
        uuid = (await author.crud(f"number {number}"))["uuid"]
        await database.execute(
            "UPDATE activities SET likes_count = $2, reposts_count = $2 WHERE uuid = $1",
            uuid, counts,
        )  # fmt: skip
    page = await visit(worf)
    await expect(page.get_by_role("article")).to_have_count(4)
    for width in (360, 390, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        places: dict[str, list[float]] = await page.evaluate(_ICONS)
        assert {name: len(set(xs)) for name, xs in places.items()} == dict.fromkeys(
            ("Reply", "Repost", "Like", "Share", "Delete", "More"), 1
        )
        assert await page.evaluate(_OVERLAPS) == []


async def test_share_copies_the_address(visit: Visit, worf: Member) -> None:
    uuid = (await worf.crud())["uuid"]
    page = await visit()
    await page.get_by_role("button", name="Share").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith(f"/@worf/status/{uuid}")
    await page.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_role("status", name="Notices")).to_have_text("")
    await page.goto(copied)
    await expect(page.get_by_role("heading", name="Crud")).to_be_visible()


async def test_a_double_click_posts_once(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    page = await visit(worf)
    await page.get_by_label(WORDS).fill("once")
    await page.get_by_role("button", name="Crud it").dblclick()
    await expect(crud(page, "once")).to_have_count(1)
    await expect(page.get_by_label(WORDS)).to_have_value("")
    assert len(watch.sent("POST", POSTS)) == 1
    assert await count_rows(database, "activities") == 1


async def test_a_retry_after_a_lost_response_posts_no_second_crud(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    page = await visit(worf)
    await page.route(f"**{POSTS}", lose, times=1)
    watch.expect(0, POSTS)
    await write(page, "once")
    await expect(page.get_by_role("alert")).to_contain_text("We can’t reach Cruddur")
    assert await count_rows(database, "activities") == 1
    await page.get_by_role("button", name="Crud it").click()
    await expect(page.get_by_label(WORDS)).to_have_value("")
    await expect(crud(page, "once")).to_have_count(1)
    assert await count_rows(database, "activities") == 1
    first, second = [
        await request.header_value("Idempotency-Key") for request in watch.sent("POST", POSTS)
    ]
    assert first == second
    await write(page, "twice")
    await expect(crud(page, "twice")).to_be_visible()
    third = watch.sent("POST", POSTS)[-1]
    assert await third.header_value("Idempotency-Key") != first


async def test_a_draft_survives_a_failed_post_and_a_reload(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf)
    await page.route(f"**{POSTS}", fail, times=1)
    watch.expect(500, POSTS)
    await write(page, "it is hard to say")
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("Something went wrong on our side")
    [request] = watch.sent("POST", POSTS)
    trace = (await request.header_value("traceparent") or "").split("-")[1]
    await expect(alert.get_by_role("code")).to_have_text(trace)
    await expect(crud(page, "it is hard to say")).not_to_be_attached()
    await expect(page.get_by_label(WORDS)).to_have_value("it is hard to say")
    await page.reload()
    await expect(page.get_by_label(WORDS)).to_have_value("it is hard to say")
    await page.get_by_role("button", name="Crud it").click()
    await expect(page.get_by_label(WORDS)).to_have_value("")
    await expect(crud(page, "it is hard to say")).to_be_visible()
    await settle(page, watch)
    await page.reload()
    await expect(page.get_by_label(WORDS)).to_have_value("")


@pytest.mark.parametrize(
    ("response", "status", "words"),
    [(fail, 500, "Something went wrong on our side"), (cut, 0, "We can’t reach Cruddur")],
)
async def test_failed_actions_are_undone_with_an_error(
    visit: Visit, watch: Watch, worf: Member, response: object, status: int, words: str
) -> None:
    uuid = (await worf.crud("a good day"))["uuid"]
    page = await visit(worf)
    card, notices = crud(page, "a good day"), page.get_by_role("status", name="Notices")
    await page.route(re.compile(f"{POSTS}/{uuid}"), response)
    watch.expect(status, f"{POSTS}/{uuid}*")
    for name in ("Like", "Repost"):
        button = card.get_by_role("button", name=name)
        await button.click()
        await expect(notices).to_contain_text(words)
        if status == 500:
            await expect(notices.get_by_role("code")).to_have_text(re.compile("^[0-9a-f]{32}$"))
        await expect(button).to_have_attribute("aria-pressed", "false")
        await expect(button).to_have_accessible_name(re.compile(", 0 "))
        await page.get_by_role("button", name="Dismiss").click()

    await card.get_by_role("button", name="Reply").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("so it is")
    await dialog.get_by_role("button", name="Reply").click()
    await expect(dialog.get_by_role("alert")).to_contain_text(words)
    await expect(dialog.get_by_role("textbox")).to_have_value("so it is")
    await dialog.get_by_role("button", name="Close").click()
    await expect(card.get_by_role("button", name="Reply, 0 replies")).to_be_visible()

    await card.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(notices).to_contain_text(words)
    await expect(card).to_be_visible()
    await page.unroute_all(behavior="wait")


async def test_a_request_is_the_root_of_its_trace(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await visit(worf)
    async with page.expect_response(f"**{POSTS}") as expected:
        await write(page, "follow me")
    response = await expected.value
    sent = await response.request.all_headers()
    version, trace, span, flags = sent["traceparent"].split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert (await response.header_value("traceresponse") or "").split("-")[1] == trace
    assert len(sent["idempotency-key"]) >= 32
    assert sent["authorization"].startswith("Bearer ")
    traces = [
        (await request.header_value("traceparent") or "").split("-")[1]
        for request in watch.sent("*", "/api/*") + watch.sent("GET", "/api/*")
    ]
    assert len(set(traces)) == len(traces) > 3
