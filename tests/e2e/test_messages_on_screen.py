"""Conversations between two browsers, and notifications."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
from playwright.async_api import Route, expect

from e2e.screen import PHONE, Visit, Watch
from support import Member, acquaint, count_rows


async def test_a_conversation_between_two_browsers(
    visit: Visit, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await acquaint(database, worf, odo)
    his, hers = await visit(worf, "/@odo"), await visit(odo)
    await his.get_by_role("button", name="Message").click()
    await expect(his.get_by_role("heading", name="Say hello")).to_be_visible()
    await his.get_by_label("Message @odo").fill("nuqneH")
    await his.keyboard.press("Enter")
    messages = his.get_by_role("list", name="Messages").get_by_role("listitem")
    await expect(messages).to_contain_text(["nuqneH"])
    await expect(his.get_by_label("Message @odo")).to_have_value("")
    await expect(his.get_by_label("Message @odo")).to_be_focused()

    await hers.get_by_role("link", name=re.compile("Messages,? 1 unread")).click()
    await expect(hers.get_by_role("main").get_by_role("link", name="nuqneH")).to_contain_text(
        "1 unread"
    )
    await hers.get_by_role("main").get_by_role("link", name="nuqneH").click()
    await expect(hers.get_by_role("link", name="Messages", exact=True)).to_be_visible()
    await hers.get_by_label("Message @worf").fill("one line")
    await hers.keyboard.press("Shift+Enter")
    await hers.keyboard.type("and another")
    async with his.expect_response("**/api/messages/@odo"):  # the response marks it read
        await hers.get_by_role("button", name="Send").click()

    await expect(messages).to_contain_text(["nuqneH", "one line\nand another"])
    await expect(his.get_by_role("link", name="Messages", exact=True)).to_be_visible()
    await his.get_by_role("button", name="Back").click()
    await expect(his.get_by_role("heading", name="Odo").first).to_be_visible()
    await his.get_by_role("link", name="Messages", exact=True).click()
    await expect(his.get_by_role("main").get_by_role("listitem")).to_contain_text("and another")
    await expect(his.get_by_role("main").get_by_text("unread")).not_to_be_attached()


async def test_a_message_whose_response_is_lost_is_sent_once(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    page = await visit(worf, f"/messages/@{odo.handle}")
    messages = page.get_by_role("list", name="Messages").get_by_role("listitem")
    await page.route("**/api/messages", lose, times=1)
    watch.expect(0, "/api/messages")
    await page.get_by_label("Message @odo").fill("nuqneH")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("can’t reach")
    await expect(page.get_by_label("Message @odo")).to_have_value("nuqneH")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_label("Message @odo")).to_have_value("")
    await expect(messages).to_have_count(1)
    assert await count_rows(database, "messages") == 1


async def test_scrolling_up_loads_older_messages(
    visit: Visit, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    group = uuid4()
    await database.execute(
        "INSERT INTO message_groups (uuid, low_user_uuid, high_user_uuid)"
        " VALUES ($1, LEAST($2, $3::uuid), GREATEST($2, $3))",
        group, worf.uuid, odo.uuid,
    )  # fmt: skip
    await database.executemany(
        "INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)"
        " VALUES ($1, $2, $3, now() - $4::interval)",
        [(group, odo.uuid, f"word {n}.", timedelta(minutes=n)) for n in range(120)],
    )
    page = await visit(worf, "/messages/@odo")
    messages = page.get_by_role("list", name="Messages").get_by_role("listitem")
    await expect(messages.last).to_contain_text("word 0.")
    await expect(messages.last).to_be_in_viewport()
    while (count := await messages.count()) < 120:
        await page.evaluate("scrollTo(0, 0)")
        await page.wait_for_function(
            "count => document.querySelectorAll('.message').length > count", arg=count
        )
    words = re.findall(r"word (\d+)\.", "".join(await messages.all_inner_texts()))
    assert words == [str(n) for n in reversed(range(120))]


async def test_conversations_with_oneself_or_an_unknown_user(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf, "/messages")
    await expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()
    await page.goto("/messages/@worf")
    await expect(page.get_by_role("heading", name="This is you")).to_be_visible()
    watch.expect(404, "/api/*")
    await page.goto("/messages/@nobody")
    await expect(page.get_by_role("heading", name="User not found")).to_be_visible()


async def test_notifications_name_the_users_and_link_to_the_crud(
    visit: Visit,
    worf: Member,
    odo: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    await acquaint(database, worf, odo)
    crud = await worf.crud("a good day")
    page = await visit(worf)
    await expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
    await expect(page).to_have_title("Home · Cruddur")
    for fan in (odo, await member("gus"), await member("ravi")):
        await fan.put(f"/api/activities/{crud['uuid']}/like")
    await odo.put(f"/api/activities/{crud['uuid']}/repost")
    reply = await odo.reply(crud["uuid"], "so it is")
    await odo.crud("where is @worf?")
    await odo.message("worf", "are you there?")
    await expect(page).to_have_title("(7) Home · Cruddur")
    await page.get_by_role("link", name=re.compile("Notifications,? 6 unread")).click()
    main = page.get_by_role("main")
    notes = main.get_by_role("listitem")
    shown = [
        re.compile("Unread: Odo mentioned you"),
        re.compile("Unread: Odo replied to you"),
        re.compile("Unread: Odo reposted your crud"),
        re.compile("Unread: Ravi, Gus and 1 other liked your crud"),
    ]
    await expect(notes).to_contain_text(shown)
    await expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()
    await expect(page).to_have_title("(1) Notifications · Cruddur")  # the message

    await main.get_by_role("button", name="Show all 3 people").click()
    await expect(main.get_by_role("list", name="People").get_by_role("link")).to_contain_text(
        ["@ravi", "@gus", "@odo"]
    )
    await main.get_by_role("button", name="Show less").click()
    await (await member("quark")).put(f"/api/activities/{crud['uuid']}/like")
    await expect(notes.first).to_contain_text("Unread: Quark, Ravi and 2 others liked your crud")
    await expect(notes).to_have_count(4)

    await main.get_by_role("link", name="Mentions").click()
    await expect(notes).to_have_count(2)
    await expect(notes).to_contain_text(["mentioned you", "replied to you"])
    await expect(main.get_by_text("Unread: ")).to_have_count(0)
    await notes.get_by_role("link", name="so it is").click()
    await expect(page).to_have_url(re.compile(f"/@odo/status/{reply['uuid']}$"))
    await page.go_back()
    await main.get_by_role("link", name="All", exact=True).click()
    await notes.filter(has_text="liked your crud").get_by_role("link", name="a good day").click()
    await expect(page).to_have_url(re.compile(f"/@worf/status/{crud['uuid']}$"))
    await page.reload()
    await expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()


async def test_the_pencil_on_the_messages_page_starts_a_message(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    page = await visit(worf, "/messages", size=PHONE)
    await page.get_by_role("button", name="New message").click()
    dialog = page.get_by_role("dialog", name="New message")
    await expect(dialog.get_by_label("To")).to_be_focused()
    watch.expect(404, "/api/users/@nobody/short")
    await dialog.get_by_label("To").fill("@nobody")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_label("To")).to_have_accessible_description(
        re.compile("No one has this handle")
    )
    await dialog.get_by_label("To").fill("")
    await dialog.get_by_label("To").press_sequentially("@Od")
    await expect(dialog.get_by_role("option", name="Odo @odo")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog.get_by_role("listbox")).to_have_count(0)
    await dialog.get_by_label("To").press_sequentially("o")
    await expect(dialog.get_by_role("option", name="Odo @odo")).to_have_attribute(
        "aria-selected", "true"
    )
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/messages/@odo$"))
    await page.get_by_label("Message @odo").fill("for you alone")
    await page.keyboard.press("Enter")
    messages = page.get_by_role("list", name="Messages").get_by_role("listitem")
    await expect(messages).to_contain_text(["for you alone"])
    assert await odo.get("/api/activities/home") == []
