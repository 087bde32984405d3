"""The page reports its own errors as such, and never as an outage of the explorer."""

import pytest
from playwright.async_api import Route, expect
from samples import request, span
from screens import Screen


@pytest.mark.parametrize(
    "script",
    [
        "setTimeout(() => { throw new Error('planted') })",
        "void Promise.reject(new Error('planted'))",
    ],
    ids=["exception", "rejection"],
)
async def test_an_exception_is_shown_until_the_user_opens_another_page(
    screen: Screen, script: str
) -> None:
    page = screen.page
    await screen.open("/")
    await page.evaluate(script)
    await expect(page.locator("#fault")).to_contain_text("planted")
    async with page.expect_response("**/api/traces?**"):
        pass  # the next refresh succeeds
    await screen.viewer.send(request(1, "/api/one"))
    await expect(page.locator("#traces li")).to_have_count(1)
    await expect(page.locator("#fault")).to_be_visible()
    await expect(page.locator("#offline")).to_be_hidden()
    await page.get_by_role("link", name="Metrics").click()
    await expect(page.locator("#fault")).to_be_hidden()
    screen.expect_trouble("planted")


@pytest.mark.parametrize(("name", "shown"), [("trace", "cannot be loaded"), ("app", "SyntaxError")])
async def test_a_script_that_does_not_run_is_reported(
    screen: Screen, name: str, shown: str
) -> None:
    async def break_it(route: Route) -> None:
        if shown == "SyntaxError":
            await route.fulfill(body="}{", content_type="text/javascript")
        else:
            await route.abort()

    await screen.page.route(f"**/static/{name}.js", break_it)
    await screen.page.goto("/")
    await expect(screen.page.locator("#fault")).to_contain_text(shown)
    await expect(screen.page.locator("#offline")).to_be_hidden()
    screen.expect_trouble("Unexpected token|ERR_FAILED")


async def test_an_error_of_the_server_is_not_an_outage(screen: Screen) -> None:
    page = screen.page
    status = 500

    async def fail(route: Route) -> None:
        await route.fulfill(status=status, json={"error": "planted"})

    await page.route("**/api/traces?**", fail)
    for status in (500, 403):
        await screen.open("/")
        await expect(page.locator("#fault")).to_contain_text(f"status {status}")
        await expect(page.locator("#fault")).to_contain_text("planted")
        await expect(page.locator("#offline")).to_be_hidden()
    status = 503  # from a proxy in front of an explorer that does not run
    await expect(page.locator("#offline")).to_be_visible()
    await expect(page.locator("#fault")).to_be_hidden()
    await page.unroute("**/api/traces?**")
    await expect(page.locator("#offline")).to_be_hidden()
    screen.expect_trouble("status of 50|status 50|status of 403|status 403")


async def test_a_trace_that_cannot_be_drawn_stays_reported(screen: Screen) -> None:
    page = screen.page
    await screen.viewer.send(span(1))

    async def nonsense(route: Route) -> None:
        await route.fulfill(json={"trace_id": "x"}, headers={"ETag": '"1"'})

    await page.route("**/api/traces/*", nonsense)
    await screen.open("/?background=1")
    await page.locator("#traces li a").click()
    await expect(page.locator("#fault")).to_contain_text("TypeError")
    async with page.expect_response("**/api/traces/*"):
        pass
    await expect(page.locator("#fault")).to_be_visible()
    await page.unroute("**/api/traces/*")
    await expect(page.locator(".spans [data-span]")).to_have_count(1)
    await expect(page.locator("#fault")).to_be_hidden()
    screen.expect_trouble("TypeError")


async def test_deleting_during_an_outage_is_reported_as_an_outage(screen: Screen) -> None:
    page = screen.page
    await screen.viewer.send(request(1, "/api/one"))
    await screen.open("/")
    await page.route("**/api/traces**", lambda route: route.abort())
    await page.get_by_role("button", name="Delete all").click()
    await expect(page.locator("#offline")).to_be_visible()
    await expect(page.locator("#fault")).to_be_hidden()
    await screen.leave()
    screen.expect_trouble("ERR_FAILED")


async def test_a_malformed_address_shows_that_there_is_no_such_trace(screen: Screen) -> None:
    await screen.open("/trace/%E0%A4%A")
    await expect(screen.page.get_by_role("heading", level=2)).to_have_text("Trace not found")
    await expect(screen.page.locator("#fault")).to_be_hidden()
    await screen.leave()
    screen.expect_trouble("status of 404")


async def test_both_sides_of_a_call_with_one_span_id_open_and_fold_alone(screen: Screen) -> None:
    page = screen.page
    await screen.viewer.send(span(1, "job", ms=9), span(2, "call", parent=1, kind=3, ms=5))
    await screen.viewer.send(span(2, "serve", parent=1, kind=2, start=2), service="api")
    await screen.open("/?background=1")
    await page.locator("#traces li a").click()
    rows = page.locator(".spans [data-span]")
    await expect(rows).to_have_count(3)
    await rows.nth(1).click()
    await expect(page.locator(".details")).to_have_count(1)
    await expect(page.locator(".details")).to_contain_text("CLIENT")
    await rows.nth(1).locator(".fold").click()
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("call")
