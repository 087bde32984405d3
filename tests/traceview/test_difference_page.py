"""The panel of the query page that shows what is different, in a browser."""

import re
import time
from urllib.parse import quote

import pytest
import samples
from playwright.async_api import Page, expect
from samples import request, span
from screens import Screen


def key(page: Page, name: str) -> str:
    return f'#difference .difference[data-key="{name}"]'


async def shows_the_same_again(screen: Screen) -> None:
    """Check that a reload shows the same comparison of the same rows."""
    page = screen.page
    await expect(page.locator("#difference .difference").first).to_be_visible()
    rows = page.locator(".legend.sides .key")
    ranking = page.locator("#difference .difference h3")
    summary = page.locator("#outcome-summary")
    time_range = (await summary.text_content() or "").split(" · ")[1]
    expected = await rows.all_text_contents(), await ranking.all_text_contents()
    await page.reload()
    await expect(rows).to_have_text(expected[0])
    await expect(ranking).to_have_text(expected[1])
    await expect(summary).to_contain_text(time_range)


async def test_the_panel_shows_what_differs(
    stored: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "START", time.time_ns() - 600 * 10**9)
    requests = [
        request(
            number,
            f"/api/{'abc'[number % 3]}",
            500 if number % 4 == 0 else 200,
            start=number * 9_000,
            ms=400 + number if number % 5 == 0 else 10 + number % 7,
            error=number % 4 == 0,
            **{
                "user_agent.original": f"app/{'<i>2' if number % 4 == 0 else number % 2}",
                "enduser.id": f"user {number % 7}",
                "http.response.body.size": number * 100,
            },
        )
        for number in range(1, 61)
    ]
    statements = [
        span(
            1000 + 20 * number + place,
            "SELECT things",
            trace=f"{number:032x}",
            parent=number,
            kind=3,
            start=number * 9_000 + place,
            **{"db.query.summary": "SELECT things"},
        )
        for number in range(1, 61)
        for place in range(12 if number % 5 == 0 else 2)
    ]
    await stored.viewer.send(*requests, *statements)
    page = stored.page
    await stored.open(f"/query?q={quote('from roots | heatmap(duration) every 1m')}")

    await page.get_by_role("button", name="errors with the rest").click()
    first = page.locator("#difference .difference").first
    await expect(first).to_have_attribute("data-key", "user_agent.original")
    await expect(page.locator("#difference")).to_contain_text("errors: 15 rows")
    await expect(first.get_by_role("link").first).to_have_text(re.compile(r"app/<i>2\s*100 %.*0 %"))
    await page.get_by_text("keys that follow from the selection").click()
    await expect(page.locator(key(page, "status_code"))).to_be_visible()
    await stored.inspect("difference")

    # A value adds its condition, and the way back leads to the result with its selection.
    await first.get_by_role("link").first.click()
    await expect(page.get_by_label("Query", exact=True)).to_have_value(
        re.compile('where user_agent.original = "app/<i>2"')
    )
    await expect(page.locator(".readout")).to_contain_text("15 rows")
    await expect(page.locator("#difference .difference")).to_have_count(0)
    await page.go_back()
    await expect(page.locator(".readout")).to_contain_text("60 rows")
    await expect(page.locator("#difference")).to_contain_text("errors: 15 rows")

    # A region of the heat map, by keyboard: the slow requests repeat a statement.
    await page.get_by_text("Select by numbers").click()
    await page.get_by_role("spinbutton", name="At least, ms").fill("300")
    await page.get_by_role("button", name="Select", exact=True).click()
    await expect(first).to_have_attribute("data-key", re.compile(r"^trace\."))
    await expect(first).to_contain_text("trace.")
    await expect(page.locator(key(page, "user_agent.original"))).to_have_count(0)
    await shows_the_same_again(stored)
    await expect(page.locator(".chosen")).to_contain_text("12 of 60 rows selected")
    await page.get_by_role("button", name="Clear").click()
    assert "region" not in page.url
    assert "until" not in page.url
    await expect(page.locator("#difference .difference")).to_have_count(0)

    # Two periods.
    await page.get_by_role("button", name="two periods").click()
    await page.get_by_label("Compared with").fill("10")
    await page.get_by_role("button", name="Compare", exact=True).click()
    await expect(page.locator("#difference .bad")).to_contain_text("a period has a start")
    stored.expect_trouble("status of 400")
    await page.get_by_label("This period").fill("5m..")
    await page.get_by_label("Compared with").fill("10m..5m")
    await page.get_by_role("button", name="Compare", exact=True).click()
    size = page.locator(key(page, "http.response.body.size"))
    await expect(size).to_contain_text("Median")
    await stored.picture("difference-periods")
    await shows_the_same_again(stored)
    compared = page.get_by_label("Compared with")
    await expect(compared).to_have_value(re.compile(r"^20.*Z\.\.20.*Z$"))  # no ages
    await expect(size.get_by_role("link").first).to_have_attribute(
        "aria-label", re.compile(r"of the selection, .* of the rest")
    )
    assert await page.evaluate("document.querySelectorAll('#difference i').length") == 0

    # A group of a result with groups; datasets without comparison offer none.
    await stored.open(f"/query?q={quote('from roots | count by route')}")
    await page.get_by_role("button", name="Compare route /api/a with the rest").click()
    await expect(page.locator(key(page, "route"))).to_have_count(0)
    await expect(page.locator("#difference")).to_contain_text('route = "/api/a": 20 rows')
    await shows_the_same_again(stored)
    await stored.open("/query?q=from+metrics+%7C+count")
    await expect(page.locator("#difference")).to_be_hidden()
