"""Every page on a desktop and a phone, dark and light: accessible, no wider than the window,
and without dead controls. With CRUDDUR_TEST_SCREENS=1, the screenshots are in `.local/screens/`."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FloatRect, Locator, Page, ViewportSize
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

from cruddur.routes.pages import PAGES
from e2e.gallery import Gallery
from e2e.places import OPENED, PLACES, Audience, Place, views
from e2e.screen import (
    AXE,
    DESKTOP,
    PHONE,
    SCREENS,
    STANDARDS,
    TAKES_SCREENSHOTS,
    cut_texts,
    sideways,
    violations,
)
from e2e.walk import Walk

SIZES = {"phone": PHONE, "desktop": DESKTOP}
VIEWS = views(*PLACES, *OPENED)
LIGHT = ("home", "signup")
"""The places that also have a screenshot of the light scheme."""

PARTS = """() => Object.fromEntries(
    ["nav", "main", "aside"].flatMap((name) => {
        const part = document.querySelector(`body ${name}`);
        return part === null ? [] : [[name, part.outerHTML]];
    }))"""
"""The markup of each part that is on several pages."""

COLORS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


def pictures(place: Place, audience: Audience) -> dict[str, str]:
    """Return the file names of a place's screenshots, by size and scheme, or by a preference."""
    who = "-visitor" if audience == "visitor" and "member" in place.audience else ""
    dark = {f"{size} dark": f"{place.name}{who}-{size}.png" for size in SIZES}
    light = {f"{size} light": f"{place.name}{who}-{size}-light.png" for size in SIZES}
    other = {name: f"{place.name}{who}-{name}.png" for name in ("forced", "large")}
    return dark | other | (light if place.name in LIGHT else {})


ALL_PICTURES = {name for view in VIEWS for name in pictures(*view).values()}


@pytest.fixture(scope="module", autouse=True)
def _screens() -> None:
    """Create the folder of the screenshots, and remove outdated ones of these pages."""
    if not TAKES_SCREENSHOTS:
        return
    SCREENS.mkdir(parents=True, exist_ok=True)
    for path in SCREENS.iterdir():
        if path.name not in ALL_PICTURES and not path.name.startswith(("traceview-", "german-")):
            path.unlink(missing_ok=True)  # another worker may have removed it first


@pytest.mark.parametrize(
    ("place", "audience"), VIEWS, ids=[f"{place.name}-{audience}" for place, audience in VIEWS]
)
async def test_a_page_is_accessible_fits_and_has_no_dead_controls(
    gallery: Gallery, place: Place, audience: Audience
) -> None:
    walk = await Walk.begin(gallery, place, audience)
    wanted = pictures(place, audience) if TAKES_SCREENSHOTS else {}
    faults = await look(gallery, walk.page, wanted)
    if place.opens is None:
        faults += await walk.past_all()
    elif await walk.page.evaluate(FOCUSES_CLOSE):
        faults.append("the button that closes the dialog has the focus")
    await gallery.leave(walk.page)
    assert not faults, "\n".join(faults)


async def test_dead_controls_are_detected(gallery: Gallery) -> None:
    terms = next(place for place in PLACES if place.name == "terms")
    walk = await Walk.begin(gallery, terms, "visitor")
    await walk.page.evaluate(
        """() => {
            document.body.insertAdjacentHTML("beforeend", `
                <button>Dead</button><a href="#">Empty</a>
                <div><button>Under</button><i></i></div>
                <a href="/about">Stuck</a><a href="/nowhere">Astray</a>`);
            const stop = (event) => event.preventDefault();
            document.querySelector("body > a[href='/about']").addEventListener("click", stop);
            const lid = document.querySelector("body > div > i");
            lid.parentElement.style.position = "relative";
            Object.assign(lid.style, { position: "absolute", inset: 0 });
        }"""
    )
    gallery.watch.expect(404, "/nowhere")
    faults = [fault.rpartition(" / ")[2] for fault in await walk.past_all()]
    assert faults == [
        "Dead: it has no effect",
        "Empty: it has no effect",
        "Under: it cannot be reached",
        "Stuck: it has no effect",
        "Astray: it leads to no page",
    ]
    await gallery.leave(walk.page)


async def test_cut_texts_are_detected(gallery: Gallery) -> None:
    terms = next(place for place in PLACES if place.name == "terms")
    page = await gallery.enter(terms, "visitor")
    assert await cut_texts(page) == []
    await page.evaluate(
        """() => {
            const line = "white-space: nowrap; overflow";
            const texts = {
                "Narrow": "inline-size: 2rem; overflow-wrap: normal",
                "A clipped line": `${line}: clip`,
                "Tall": "block-size: 0.5rem; overflow: clip",
                "Shortened": `inline-size: 2rem; text-overflow: ellipsis; ${line}: hidden`,
                "Shortened less": `text-overflow: ellipsis; ${line}: hidden`,
                "It can be scrolled": `${line}: auto`,
                "Conversations": "inline-size: 5rem",
                "Outside": "translate: -3rem",
            };
            const box = document.body.appendChild(document.createElement("div"));
            box.style.cssText = "position: fixed; inset: 0; inline-size: 5rem";
            for (const [text, style] of Object.entries(texts)) {
                for (const name of text === "Conversations" ? ["p", "h2"] : ["p"]) {
                    const element = box.appendChild(document.createElement(name));
                    element.textContent = text;
                    element.style.cssText = style;
                }
            }
        }"""
    )
    assert await cut_texts(page) == [
        "“Narrow” sticks out of its box, in p",
        "“line” is cut off, in p",
        "“Tall” is cut off at the top or the bottom, in p",
        "“Shortened” has no space, in p",
        "“Conversations” breaks, in h2",
        "“Outside” is cut off, in p",
    ]
    await gallery.leave(page)


UNFILLED = """(filled) => filled.filter((element) => {
    const { backgroundColor, borderTopColor, borderTopWidth } = getComputedStyle(element);
    return parseFloat(borderTopWidth) === 0 || borderTopColor === backgroundColor;
}).map((element) => element.outerHTML.slice(0, 120))"""
"""The controls that forced colors make invisible, because these remove every background."""

FILLED = """() => [...document.querySelectorAll("a, button")].filter((element) =>
    element.checkVisibility() && getComputedStyle(element).backgroundImage === "none"
    && getComputedStyle(element).backgroundColor !== "rgba(0, 0, 0, 0)"
    && !element.matches(".active"))"""
"""The controls that are recognized by their background."""

FOCUSES_CLOSE = """() => document.activeElement.ariaLabel === "Close"
    && document.activeElement.closest("dialog").querySelectorAll("button").length > 1"""
"""Whether the button that closes a dialog has the focus instead of another one."""

PHONES: tuple[ViewportSize, ...] = (PHONE, {"width": 390, "height": 844})


async def with_large_text(page: Page, picture: Path | None) -> list[str]:
    """Return what does not fit on a phone with twice the default font size.

    Args:
        page: the page.
        picture: the path of a screenshot to take, or None.
    """
    faults = []
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    for size in PHONES:
        await page.set_viewport_size(size)
        found = await sideways(page) + await cut_texts(page)
        faults += [f"large text, {size['width']} pixels: {fault}" for fault in found]
        if size == PHONE and picture is not None:
            await page.screenshot(path=picture, animations="disabled", full_page=True)
    await page.evaluate("document.documentElement.style.fontSize = ''")
    await page.set_viewport_size(DESKTOP)
    return faults


SHAPES = """() => [...document.querySelectorAll("#root *")].flatMap((element) =>
    [undefined, "::before", "::after"].map((part) => [element, part])
).filter(([element, part]) => {
    const { content, backgroundColor } = getComputedStyle(element, part);
    const isEmpty = part === undefined
        ? element.matches("div, span, p") && !element.hasChildNodes()
        : content === '""';
    return isEmpty && element.checkVisibility() && backgroundColor !== "rgba(0, 0, 0, 0)"
        && !element.matches(".profile-banner");
})"""
"""What is only a background, such as the line of a thread, except for decorations."""

SHAPELESS = """(shapes) => {
    const probe = document.createElement("i");
    probe.style.backgroundColor = "Canvas";
    document.body.append(probe);
    const canvas = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return shapes.filter(([element, part]) => {
        const { backgroundColor, borderTopWidth } = getComputedStyle(element, part);
        return backgroundColor === canvas && parseFloat(borderTopWidth) === 0;
    }).map(([element, part]) => `${part ?? "all"} of ${element.outerHTML.slice(0, 120)}`);
}"""

STATES = {
    ".note-unread": ".note:not(.note-unread)",
    ".group-unread": ".group:not(.group-unread)",
    ".tab[aria-current]": ".tab:not([aria-current])",
    ".completion-option[aria-selected='true']": ".completion-option[aria-selected='false']",
    ".nav-item.active": ".nav-item:not(.active)",
}
"""Elements that mean more than others of their kind, and these others."""

ALIKE = """(states) => {
    const look = (element) => {
        const one = getComputedStyle(element);
        const before = getComputedStyle(element, "::before");
        const inner = [element, ...element.querySelectorAll("*")].map((part) =>
            getComputedStyle(part).fontWeight);
        return JSON.stringify([
            one.borderWidth, one.borderColor, one.backgroundColor, one.outline, one.textDecoration,
            before.content, Math.max(...inner),
        ]);
    };
    return Object.entries(states)
        .map((selectors) => selectors.map((selector) => document.querySelector(selector)))
        .filter(([marked, other]) => marked && other && look(marked) === look(other))
        .map(([marked]) => `looks like any other: ${marked.outerHTML.slice(0, 120)}`);
}"""


async def with_forced_colors(page: Page, picture: Path | None) -> list[str]:
    """Return what is invisible with forced colors.

    Args:
        page: the page.
        picture: the path of a screenshot to take, or None.
    """
    filled = await page.evaluate_handle(FILLED)
    shapes = await page.evaluate_handle(SHAPES)
    await page.emulate_media(forced_colors="active")
    faults: list[str] = await page.evaluate(UNFILLED, filled)
    faults += await page.evaluate(SHAPELESS, shapes)
    faults += await page.evaluate(ALIKE, STATES)
    if picture is not None:
        await page.screenshot(path=picture, animations="disabled")
    await page.emulate_media(forced_colors="none")
    return [f"forced colors: {fault}" for fault in faults]


async def look(gallery: Gallery, page: Page, wanted: dict[str, str]) -> list[str]:
    """Check a page in every size and scheme, and take its screenshots."""
    for name in wanted.values():
        (SCREENS / name).unlink(missing_ok=True)
    await page.evaluate(AXE.read_text("utf-8"))
    # On a phone, a scroll bar covers the page; this browser reserves space for it.
    await page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
    faults = []
    for size, viewport in SIZES.items():
        await page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            if size == "phone" and scheme == "light" and "phone light" not in wanted:
                continue
            await page.emulate_media(color_scheme=scheme)
            found = []
            if scheme == "dark":
                found = await new_violations(gallery, page, STANDARDS) + await sideways(page)
            elif size == "desktop":
                # The other rules do not depend on the scheme.
                found = await new_violations(gallery, page, COLORS)
            faults += [f"{size} {scheme}: {fault}" for fault in found]
            if name := wanted.get(f"{size} {scheme}"):
                await page.screenshot(path=SCREENS / name, animations="disabled", caret="initial")
        for control in await page.evaluate("controls.outOfReach()"):
            faults.append(f"{size}: cannot be reached: {control}")
        await page.evaluate("scrollTo(0, 0)")
    faults += await with_forced_colors(page, SCREENS / wanted["forced"] if wanted else None)
    return faults + await with_large_text(page, SCREENS / wanted["large"] if wanted else None)


async def new_violations(gallery: Gallery, page: Page, rules: dict[str, Any]) -> list[str]:
    """Return the accessibility rules that a page violates.

    A part of the page is skipped if the same markup passed the same rules in the same size and
    scheme before, such as the navigation and the sidebar of most pages.
    """
    parts: dict[str, str] = await page.evaluate(PARTS)
    setting = (rules["type"], page.viewport_size == PHONE)
    markup = {selector: (*setting, part) for selector, part in parts.items()}
    exclude = [selector for selector, key in markup.items() if key in gallery.accessible]
    found = await violations(page, rules, exclude)
    if not found:
        gallery.accessible.update(markup.values())
    return found


async def shown(element: Locator) -> FloatRect:
    """Return the box of an element that is on screen."""
    box = await element.bounding_box()
    assert box is not None
    return box


BOX = """(selector) => {
    const { left, right, top, bottom } = document.querySelector(selector).getBoundingClientRect();
    return { left, right, top, bottom };
}"""


async def test_what_belongs_together_is_aligned_on_a_phone(gallery: Gallery) -> None:
    async def enter(name: str) -> Page:
        place = next(place for place in (*PLACES, *OPENED) if place.name == name)
        page = await gallery.enter(place, "member")
        await page.set_viewport_size(PHONE)
        return page

    async def box(page: Page, selector: str) -> dict[str, float]:
        found: dict[str, float] = await page.evaluate(BOX, selector)
        return found

    page = await enter("profile")
    picture, actions = await box(page, ".profile-row .avatar"), await box(page, ".profile-actions")
    assert actions["top"] < picture["bottom"]
    assert (await box(page, "[href='/settings'] .badge"))["right"] <= PHONE["width"] - 4
    await gallery.leave(page)

    page = await enter("messages")
    title, handle = await box(page, ".group .crud-name"), await box(page, ".group .crud-handle")
    assert handle["top"] >= title["bottom"]
    cut = "(element) => element.scrollHeight > element.clientHeight"
    assert not any([await one.evaluate(cut) for one in await page.locator(".crud-name").all()])
    await gallery.leave(page)

    page = await enter("case")
    for form in (".evidence form", ".case > section:last-child form"):
        field, button = await box(page, f"{form} select"), await box(page, f"{form} > .button")
        assert abs(button["right"] - field["right"]) <= 1
    await gallery.leave(page)

    for name in ("compose-dialog", "reply-dialog"):
        page = await enter(name)
        date = await box(page, "dialog .lives-end")
        assert date["bottom"] - date["top"] < 30  # one line
        button = await box(page, "dialog .composer-foot > .button")
        assert button["top"] <= date["top"] <= date["bottom"] <= button["bottom"]  # of one row
        await gallery.leave(page)

    page = await enter("two-factor-dialog")
    assert await cut_texts(page) == []
    await gallery.leave(page)

    page = await enter("followers")
    await page.set_viewport_size({"width": 345, "height": 740})  # next to a scroll bar
    await page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
    for row in await page.locator(".person-row").all():
        name, button = row.locator(".box-person"), row.get_by_role("button")
        assert (await shown(button))["y"] < (await shown(name))["y"] + (await shown(name))["height"]
    await gallery.leave(page)

    page = await gallery.enter(PLACES[0], "member")
    area = page.get_by_label("What’s on your mind?")
    await area.fill("I write a text that takes one line on a desktop, and three on a phone. " * 2)
    await page.set_viewport_size(PHONE)
    assert not await area.evaluate("(area) => area.scrollHeight > area.clientHeight")
    await gallery.leave(page)


def test_every_address_has_a_place() -> None:
    rules = Map([Rule(rule, endpoint=rule) for rule in PAGES]).bind("localhost")
    seen = set()
    for place in PLACES:
        path = place.path.partition("?")[0].format(
            **dict.fromkeys(("crud", "own", "reply"), "01a210df-5a22-785a-afe2-c072c7aa8e21")
        )
        try:
            seen.add(rules.match(path)[0])
        except NotFound:
            assert place.name == "not-found"
    assert seen == set(PAGES)
