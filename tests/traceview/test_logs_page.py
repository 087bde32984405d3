"""The page of log lines in a browser: search, pages, live tail, lines around a moment."""

import re
import time

import pytest
import samples
from playwright.async_api import expect
from samples import TRACE, line, span
from screens import Screen

NO_TRACE = "00" * 16


@pytest.fixture
async def logged(stored: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """An explorer with 250 log lines of the last minutes, one a second, in a browser."""
    monkeypatch.setattr(samples, "START", time.time_ns() - 400 * 10**9)
    await stored.viewer.send(span(1, "GET /api/a", kind=2, start=100_000))
    await stored.viewer.log(
        *(
            line(f"line {n}", trace=NO_TRACE, of=0, at=n * 1000, place=n)
            for n in range(250)
            if n != 100
        ),
        line("it <b>failed</b>", at=100_000, severity=17, attempt=3),
    )
    return stored


async def test_log_lines(logged: Screen) -> None:
    page = logged.page
    lines = page.locator("#log-lines > .log")
    await logged.open("/logs")
    await expect(page).to_have_title("Logs · traceview")
    await expect(lines).to_have_count(200)
    await expect(lines.first.locator(".body")).to_have_text("line 249")
    await page.get_by_role("button", name="Older lines").click()
    await expect(lines).to_have_count(250)
    await expect(page.get_by_role("button", name="Older lines")).to_be_hidden()

    # Live: new lines arrive at the top, but wait while the page is scrolled.
    await page.evaluate("scrollTo(0, 3000)")
    await logged.viewer.log(line("a new line", trace=NO_TRACE, of=0, at=390_000))
    waiting = page.get_by_role("button", name="1 new line")
    await expect(waiting).to_be_visible()
    await expect(lines).to_have_count(250)
    await waiting.click()
    await expect(lines.first.locator(".body")).to_have_text("a new line")
    await expect(waiting).to_be_hidden()
    await logged.viewer.log(line("a late line", trace=NO_TRACE, of=0, at=389_000))
    await expect(lines.nth(1).locator(".body")).to_have_text("a late line")

    # A search is in the address; new lines are searched too.
    await page.get_by_label("Text").fill("FAILED")
    await expect(lines).to_have_count(1)
    await expect(lines.locator(".body")).to_have_text("it <b>failed</b>")
    await expect(page).to_have_url(re.compile(r"/logs\?text=FAILED$"))
    await logged.viewer.log(
        line("nothing", trace=NO_TRACE, of=0, at=391_000),
        line("this failed too", trace=NO_TRACE, of=0, at=391_000, severity=17),
    )
    await expect(lines).to_have_count(2)
    await page.get_by_label("Text").fill("")
    await page.get_by_label("Severity").select_option("Errors")
    await expect(lines).to_have_count(2)
    condition = page.get_by_label("Condition")
    await condition.fill("attempt = ")
    await condition.press("Enter")
    await expect(page.locator("#log-tally")).to_have_text(
        "Column 10: expected a value, found the end"
    )
    logged.expect_trouble("status of 400")
    await condition.fill("att")
    completions = page.get_by_role("listbox", name="Completions")
    await expect(completions).to_be_visible()
    await logged.inspect("completions")
    await completions.get_by_role("option", name="attempt").click()
    await condition.press_sequentially("= 3")
    await condition.press("Enter")
    await expect(lines).to_have_count(1)

    # A line opens to its attributes and resource, and leads to its trace and to its neighbors.
    await lines.locator("summary").first.click()
    await expect(lines.locator(".pairs").first).to_have_text("attempt3")
    await page.get_by_text("Resource (1)").click()
    await expect(page.get_by_text("service.name")).to_be_visible()
    await logged.inspect("logs-open")
    await page.get_by_role("link", name="Lines around this moment").click()
    await expect(page).to_have_url(re.compile(r"/logs\?around=\d+$"))
    around = page.locator("#log-lines > li")
    await expect(around).to_have_count(255)  # 100 older, 154 newer, and the moment
    moment = page.locator(".moment")
    await expect(moment).to_be_in_viewport()
    await expect(moment.locator("xpath=preceding-sibling::li[1]")).to_contain_text("failed")
    await expect(moment.locator("xpath=following-sibling::li[1]")).to_contain_text("line 99")
    await logged.open(f"{page.url}&severity=error")  # a short page is inspected in less time
    await expect(lines).to_have_count(2)
    await logged.inspect("logs-around")
    await page.get_by_role("link", name="trace", exact=True).click()
    await expect(page).to_have_url(re.compile(rf"/trace/{TRACE}#0{{15}}1$"))
    await page.get_by_role("link", name="Log lines around its start").click()
    await expect(moment).to_be_in_viewport()
    await page.get_by_role("link", name="Newest lines").click()
    await expect(lines).to_have_count(200)

    # Nothing is found; and the number of lines over time.
    await page.get_by_label("Text").fill("no such line")
    await expect(page.get_by_role("heading", name="No line matches")).to_be_visible()
    await page.get_by_label("Text").fill("line")
    await page.get_by_role("link", name="Count over time").click()
    await expect(page.locator(".legend-list")).to_contain_text("INFO")


async def test_log_lines_without_a_file(screen: Screen) -> None:
    page = screen.page
    await screen.open("/logs")
    await expect(page.get_by_role("heading", name="No log lines yet")).to_be_visible()
    await expect(page.get_by_label("Condition")).to_be_disabled()
    await expect(page.locator("#log-note")).to_contain_text(
        "only the newest lines", ignore_case=True
    )
    await screen.viewer.log(line("first", trace=NO_TRACE, of=0, severity=13))
    await expect(page.locator("#log-lines > .log")).to_have_count(1)
    await page.get_by_label("Severity").select_option("Errors")
    await expect(page.get_by_role("heading", name="No line matches")).to_be_visible()
    await screen.inspect("logs-empty")
