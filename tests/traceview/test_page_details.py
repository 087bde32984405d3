"""Details of the explorer's pages that a reader needs: nothing is cut off, hidden or ambiguous."""

import re
import time
from urllib.parse import quote

import pytest
import samples
from playwright.async_api import expect
from samples import MS, TRACE, pack, request, span
from screens import Screen

CUT_OFF = """() => [...document.querySelectorAll("#controls select")].filter((select) => {
    const copy = select.cloneNode();
    copy.append(new Option(select.selectedOptions[0].text));
    copy.style.cssText = "flex: none; width: auto; position: absolute";
    select.parentElement.append(copy);
    const { offsetWidth } = copy;
    copy.remove();
    return offsetWidth > select.offsetWidth;
}).map((select) => select.getAttribute("aria-label"))"""
"""The controls that are narrower than the choice that they show."""


@pytest.fixture
async def shown(stored: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """An explorer with 1,200 requests of a minute ago, in a browser."""
    monkeypatch.setattr(samples, "START", time.time_ns() - 60 * 10**9)
    await stored.viewer.send(*(request(number, "/api/home") for number in range(1, 1201)))
    return stored


async def ask(screen: Screen, text: str) -> None:
    await screen.open(f"/query?q={quote(text)}")


async def test_the_controls_show_their_choices_completely(shown: Screen) -> None:
    page = shown.page
    for width in (1440, 1280, 390):
        await page.set_viewport_size({"width": width, "height": 800})
        await ask(shown, "from roots | p95(duration), count by route order by p95(duration)")
        await expect(page.locator("#drawing tbody tr")).to_have_count(1)
        await page.locator("#builder").evaluate("node => { node.open = true; }")
        await expect(page.get_by_label("Order by")).to_have_value("p95(duration)")
        assert await page.evaluate(CUT_OFF) == [], width


async def test_the_bar_does_not_cover_what_has_the_focus(shown: Screen) -> None:
    page = shown.page
    await ask(shown, "from roots limit 100")
    links = page.locator("#drawing tbody a:not([tabindex])")
    await links.nth(60).focus()
    bar = await page.locator(".bar").bounding_box()
    assert bar is not None
    for at in range(60, 55, -1):
        previous = await links.nth(at - 1).bounding_box()
        assert previous is not None
        await page.evaluate("top => scrollBy(0, top - 5)", previous["y"])
        await page.keyboard.press("Shift+Tab")
        await expect(links.nth(at - 1)).to_be_focused()
        top = await page.evaluate("document.activeElement.getBoundingClientRect().top")
        assert top >= bar["height"]


async def test_large_counts_have_separators(shown: Screen) -> None:
    await ask(shown, "from roots | heatmap(duration)")
    await expect(shown.page.locator(".readout")).to_contain_text("1,200 rows")


async def test_an_empty_result_offers_longer_ranges_and_nothing_to_compare(shown: Screen) -> None:
    page = shown.page
    empty = page.locator("#drawing .empty")
    await ask(shown, "from roots where name = other")
    await expect(empty.get_by_role("link")).to_have_text(["6 hours", "24 hours", "3 days"])
    await expect(page.get_by_role("heading", name="What is different?")).to_be_hidden()
    await ask(shown, "from roots where name = other since 3d")
    await expect(empty).to_contain_text("no such rows")
    await expect(empty.get_by_role("link")).to_have_count(0)


async def test_steps_with_one_name_say_their_service(shown: Screen) -> None:
    page, viewer = shown.page, shown.viewer
    await viewer.post(
        "traces", pack(span(1, "GET /api/home", kind=3, ms=100), service="cruddur-web")
    )
    await viewer.send(
        span(2, "GET /api/home", kind=2, parent=1, start=10, ms=60),
        span(3, "SELECT activities.home", kind=3, parent=2, start=20, ms=30),
    )
    await shown.open(f"/trace/{TRACE}")
    await expect(page.locator(".steps .step")).to_have_text(
        [
            re.compile(r"GET /api/home\s*cruddur-web"),
            re.compile(r"GET /api/home\s*cruddur"),
            "SELECT activities.home",
        ]
    )


async def test_the_length_of_a_bar_with_marks_is_readable(shown: Screen) -> None:
    page = shown.page
    made = span(1, "render", ms=100)
    for at in range(0, 50, 5):
        made.events.add(name="event", time_unix_nano=made.start_time_unix_nano + at * MS)
    await shown.viewer.send(made)
    await page.set_viewport_size({"width": 390, "height": 800})
    await shown.open(f"/trace/{TRACE}")
    label = page.locator(".label.inside")
    await expect(label).to_have_text("100 ms")
    ground = await label.evaluate("node => getComputedStyle(node).backgroundColor")
    assert ground == await page.locator(".waterfall").evaluate(
        "node => getComputedStyle(node).backgroundColor"
    )
