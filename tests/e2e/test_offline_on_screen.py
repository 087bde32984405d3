"""The installed app: its icons, and its pages without a network, which show no crud."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, expect

from e2e.screen import DIST, Watch, hand_over, open_browser, settle
from patience import PATIENCE
from support import Member, free_port
from telemetry.serving import Served, served

MAX_ICON_BYTES = 10_000

OFFLINE = "You’re offline."
STORED = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        for (const request of await (await caches.open(name)).keys()) {
            found.push(new URL(request.url).pathname);
        }
    }
    return found;
}"""
"""The paths of everything that the service worker has stored."""

ACTIVE = """async () => {
    const { installing, waiting, active } = await navigator.serviceWorker.ready;
    return installing === null && waiting === null && active.state === "activated";
}"""


@pytest.fixture
async def context(
    browser: Browser, service: Served, watch: Watch, worf: Member
) -> AsyncIterator[BrowserContext]:
    """A browser that runs service workers, signed in as Worf."""
    opened = await open_browser(browser, service, service_workers="allow")
    await hand_over(opened, service, worf)
    watch.follow(opened)
    yield opened
    watch.unfollow(opened)
    await opened.close()
    watch.check()


async def until(page: Page, condition: Callable[[list[str], bool], bool]) -> None:
    """Wait for what the service worker has stored, and for one that is active and the newest."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition(await page.evaluate(STORED), await page.evaluate(ACTIVE)):
                return
            await asyncio.sleep(0.01)


async def open_home(context: BrowserContext, watch: Watch) -> Page:
    """Open home, and wait until the service worker can open it offline."""
    page = await context.new_page()
    await page.goto("/")
    await settle(page, watch)
    await until(page, lambda _, is_active: is_active)
    return page


async def test_a_page_opens_offline_and_recovers(
    context: BrowserContext, watch: Watch, worf: Member
) -> None:
    await worf.crud("a good day")
    page = await open_home(context, watch)
    await expect(page.get_by_text("a good day")).to_be_visible()
    watch.expect(0, "*")
    await context.set_offline(True)
    await expect(page.get_by_text(OFFLINE)).to_be_visible()
    for path in ("/", "/@worf", "/settings"):
        await page.goto(path)
        await expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        await expect(page.get_by_text(OFFLINE)).to_be_visible()
        await expect(page.get_by_text("a good day")).to_have_count(0)
    await page.goto("/")
    await expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("Are you online?")
    await context.set_offline(False)
    await expect(page.get_by_text("a good day")).to_be_visible()
    await expect(page.get_by_text(OFFLINE)).to_have_count(0)
    await settle(page, watch)


async def test_only_the_build_is_stored(
    context: BrowserContext, watch: Watch, worf: Member, odo: Member
) -> None:
    crud = await odo.crud("a good day")
    page = await open_home(context, watch)
    for path in (f"/@odo/status/{crud['uuid']}", "/@odo", "/search?term=day", "/notifications"):
        await page.goto(path)
        await settle(page, watch)
    stored = await page.evaluate(STORED)
    assert "/" in stored
    assert all(re.fullmatch(r"/|/assets/[\w-]+\.(js|css)", path) for path in stored), stored


async def test_a_deployment_shows_at_the_next_visit(
    browser: Browser, screen_dsn: str, tmp_path: Path
) -> None:
    """Also offline; and an open tab of the build before still finds its files."""
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(DIST, old)
    style = next(old.glob("assets/*.css")).name
    deploy(old, new, style)
    added = f"/assets/new-{style}"
    port = free_port()
    run = partial(served, screen_dsn, tmp_path, port=port)
    with run(CRUDDUR_FRONTEND_DIRECTORY=str(old)) as service:
        context = await open_browser(browser, service, service_workers="allow")
        page = await context.new_page()
        await page.goto("/about")
        await until(page, lambda _, is_active: is_active)
    with run(CRUDDUR_FRONTEND_DIRECTORY=str(new)):
        await page.goto("/about")
        await expect(page.locator(f"link[href='{added}']")).to_be_attached()
        await until(page, lambda stored, is_active: added in stored and is_active)
    await page.goto("/about")  # the service is stopped
    await expect(page.locator(f"link[href='{added}']")).to_be_attached()
    await expect(page.get_by_role("heading", level=1)).to_have_text("About")
    assert f"/assets/{style}" in await page.evaluate(STORED)
    await context.close()


def deploy(old: Path, new: Path, style: str) -> None:
    """Copy a build, as if its style had changed."""
    shutil.copytree(old, new)
    (new / "assets" / style).rename(new / "assets" / f"new-{style}")
    for name in ("index.html", "worker.js"):
        text = (new / name).read_text("utf-8").replace(f"/assets/{style}", f"/assets/new-{style}")
        (new / name).write_text(
            re.sub(r'"digest":"\w+"', '"digest":"0123456789abcdef"', text), "utf-8"
        )


async def test_the_app_can_be_installed(client: httpx.AsyncClient) -> None:
    index = (await client.get("/")).text
    assert '<link rel="manifest" href="/manifest.webmanifest"' in index
    response = await client.get("/manifest.webmanifest")
    assert response.headers["content-type"] == "application/manifest+json"
    assert response.headers["cache-control"] == "no-cache"
    manifest = response.json()
    assert {"name", "start_url", "display", "background_color", "theme_color"} <= set(manifest)
    icons = [(icon["src"], icon["sizes"], icon.get("purpose", "any")) for icon in manifest["icons"]]
    for purpose in ("any", "maskable"):
        assert {"192x192", "512x512"} <= {size for _, size, use in icons if use == purpose}
    touch = re.search(r'<link rel="apple-touch-icon" href="([^"]+)"', index)
    assert touch is not None
    for source, size, _ in [*icons, (touch[1], "180x180", "")]:
        icon = await client.get(source)
        assert icon.headers["cache-control"] == "no-cache"
        if size != "any":
            assert icon.headers["content-type"] == "image/png"
            assert "{}x{}".format(*Image.open(BytesIO(icon.content)).size) == size
            assert len(icon.content) < MAX_ICON_BYTES
    for shortcut in manifest["shortcuts"]:
        assert (await client.get(shortcut["url"])).headers["content-type"].startswith("text/html")


async def test_the_worker_is_served_for_all_pages(client: httpx.AsyncClient) -> None:
    response = await client.get("/worker.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
    assert "worker-src 'self'" in (await client.get("/")).headers["content-security-policy"]
    assert "worker-src 'none'" in (await client.get("/docs")).headers["content-security-policy"]
