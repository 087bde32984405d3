"""The page in German, on a phone: complete, accessible, and no wider than the window."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from playwright.async_api import Browser, Page, expect

from browsing import do_without
from e2e.screen import (
    AXE,
    PASSWORD,
    PHONE,
    ROOT,
    SCREENS,
    TAKES_SCREENSHOTS,
    Watch,
    code_for,
    cut_texts,
    settle,
    sideways,
)
from patience import PATIENCE
from support import Member
from telemetry.serving import Served

FRONTEND = ROOT / "frontend-react-js"
LANGUAGES = FRONTEND / "src" / "language"
LITERALS = ROOT / "tests" / "e2e" / "literals.mjs"

TEXTS = """() => {
    const names = ["aria-label", "title", "placeholder", "alt", "aria-description"];
    const words = [document.title, document.querySelector("html").lang];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        if (walker.currentNode.parentElement.closest("noscript, script, option[lang]") === null) {
            words.push(walker.currentNode.data);
        }
    }
    for (const name of names) {
        for (const element of document.querySelectorAll(`[${name}]`)) {
            words.push(element.getAttribute(name));
        }
    }
    return words.map((text) => text.replace(/\\s+/g, " ").trim()).filter((text) => text !== "");
}"""
"""Everything on the page that a person reads or hears."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def literals(language: str) -> set[str]:
    """Return the texts of a language in the catalogue, in parts without placeholders."""
    typescript = FRONTEND / "node_modules" / "typescript" / "lib" / "typescript.js"
    names = ("first.tsx", "further.tsx", "errors.ts", "moreErrors.ts")
    files = [LANGUAGES / language / name for name in names]
    command = ["node", str(LITERALS), str(typescript), *map(str, files)]
    try:
        printed = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE).stdout
    except FileNotFoundError:
        do_without("node was not found")
    return set(json.loads(printed))


@pytest.fixture(scope="module")
def english() -> re.Pattern[str]:
    """What only English texts contain: those of the catalogue that are not in German texts too."""
    german = " ".join(literals("de"))
    words = {
        text
        for text in literals("en")
        if re.search(r"\w{3}", text) and not re.search(rf"\b{re.escape(text)}\b", german)
    }
    assert len(words) > 200
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(words)))})(?!\w)")


@pytest.fixture
async def german(
    browser: Browser, service: Served, watch: Watch, database: asyncpg.Connection
) -> AsyncIterator[Page]:
    """A page in a browser that prefers German."""
    context = await browser.new_context(
        base_url=service.url,
        locale="de-DE",
        timezone_id="Europe/Vienna",
        viewport=PHONE,
        color_scheme="dark",
        reduced_motion="reduce",
    )
    watch.follow(context)
    context.set_default_timeout(PATIENCE * 1000)
    yield await context.new_page()
    await context.close()
    watch.check()


async def look(page: Page, watch: Watch, english: re.Pattern[str], name: str) -> None:
    """Fail if a page has English texts, violates a rule of accessibility or scrolls sideways."""
    await settle(page, watch)
    faults = await sideways(page) + await cut_texts(page)
    texts: list[str] = await page.evaluate(TEXTS)
    assert "de" in texts
    faults += [f"English: {text}" for text in texts if english.search(text)]
    await page.evaluate(AXE.read_text("utf-8"))
    # The floating button covers parts of controls, and which ones depends on the scroll position.
    found: list[dict[str, Any]] = await page.evaluate(
        """async (values) => (await axe.run(
            { exclude: [".nav-compose"] }, { runOnly: { type: "tag", values } },
        )).violations""",
        RULES,
    )
    faults += [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
    if TAKES_SCREENSHOTS:
        SCREENS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENS / f"german-{name}.png", full_page=True)
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    found_large = await sideways(page) + await cut_texts(page)
    faults += [f"large text: {fault}" for fault in found_large]
    if TAKES_SCREENSHOTS:
        await page.screenshot(path=SCREENS / f"german-{name}-large.png", full_page=True)
    await page.evaluate("document.documentElement.style.fontSize = ''")
    assert not faults, "\n".join([name, *faults])


async def test_the_page_in_german(
    german: Page,
    watch: Watch,
    service: Served,
    english: re.Pattern[str],
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    odo: Member = await member("odo", "Odo")
    await odo.crud("Heute ist ein guter Tag für einen #abschied")
    page = german

    async def see(name: str) -> None:
        await look(page, watch, english, name)

    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Start")
    await expect(page.get_by_role("article", name="Crud von Odo")).to_contain_text("noch")
    await see("home-visitor")
    for path in ("about", "terms", "privacy", "search", "notifications", "forgot", "reset"):
        await page.goto(f"/{path}")
        await see(path)

    await page.goto("/signup")
    await see("signup")
    watch.expect(422, "/api/auth/signup")
    await page.get_by_role("button", name="Jetzt mitmachen").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_accessible_description(
        re.compile("Gib deinen Namen ein")
    )
    await see("signup-errors")
    for label, text in {
        "Name": "Kurn", "Handle": "kurn", "E-Mail": "kurn@example.com", "Passwort": PASSWORD,
    }.items():  # fmt: skip
        await page.get_by_label(label, exact=True).fill(text)
    await page.get_by_role("button", name="Jetzt mitmachen").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Gib deinen Code ein")
    await see("confirm")
    await page.get_by_label("Code", exact=True).fill(await code_for(service, "kurn@example.com"))
    await page.get_by_role("button", name="Bestätigen").click()
    notices = page.get_by_role("status", name="Hinweise")
    await expect(notices).to_contain_text("Willkommen bei Cruddur!")

    await page.get_by_label("Was geht dir durch den Kopf?").fill("Ein guter Tag.")
    await page.get_by_role("button", name="Crudden").click()
    await expect(page.get_by_role("article", name="Crud von Kurn")).to_be_visible()
    await see("home")
    await (
        page.get_by_role("article", name="Crud von Kurn")
        .get_by_role("button", name="Löschen")
        .click()
    )
    await expect(page.get_by_role("dialog")).to_contain_text("Diesen Crud löschen?")
    await see("delete")
    await page.keyboard.press("Escape")
    await (
        page.get_by_role("article", name="Crud von Odo")
        .get_by_role("button", name="Antworten")
        .click()
    )
    await see("reply")
    await page.get_by_role("dialog").get_by_role("textbox").fill("Ja.")
    await page.get_by_role("dialog").get_by_role("button", name="Antworten").click()
    await expect(notices).to_contain_text("Antwort gesendet")
    await notices.get_by_role("link", name="Ansehen").click()
    await see("thread")
    for path in ("@odo", "@kurn", "@niemand", "messages", "messages/@odo", "notifications"):
        if path == "@niemand":
            watch.expect(404, "/@niemand")
            watch.expect(404, "/api/activities/@niemand")
        await page.goto(f"/{path}")
        await see(path.replace("/", "-"))

    for hidden in ("mutes", "blocks"):
        await database.execute(
            f"INSERT INTO {hidden} SELECT k.uuid, o.uuid FROM users k, users o"
            " WHERE k.handle = 'kurn' AND o.handle = 'odo'"
        )
    await page.goto("/settings")
    await see("settings")
    await page.get_by_label("Sprache dieser Seite").select_option("English")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    await expect(page.get_by_label("Language of this page")).to_be_focused()
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    await settle(page, watch)
    assert await page.evaluate("document.documentElement.lang") == "en"
    texts: list[str] = await page.evaluate(TEXTS)
    assert len([text for text in texts if english.search(text)]) > 20  # the check finds English


async def test_a_language_that_cannot_be_loaded(german: Page, watch: Watch) -> None:
    await german.route("**/assets/de-*.js", lambda route: route.abort())
    watch.expect(0, "/assets/de-*.js")
    await german.goto("/")
    await expect(german.get_by_role("heading", level=1)).to_have_text("Home")
    assert await german.evaluate("document.documentElement.lang") == "en"
