"""`make bench-page`: the CPU time of the page with a long home feed.

A member has loaded 1,000 cruds. The figures are the CPU time of the page's main thread, as the
DevTools protocol reports it, so they depend little on other processes. They are printed with their
goals, which do not affect the exit code.

    python -m benchmarks.page [--short]
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

import asyncpg
from playwright.async_api import CDPSession, Page, async_playwright, expect

from benchmarks.servers import OURS, serving
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate
from cruddur.identity.passwords import hash_password
from cruddur.identity.tokens import ISSUER
from e2e import browser_path

BACK_SECONDS = 0.6
KEYS_SECONDS = 0.3
IDLE_SECONDS = 0.12
"""Goals, for going back to the feed, for 20 keystrokes, and for 10 seconds without any action."""

KEYS = 20
IDLE = 10.0
ROUNDS = 5
PASSWORD = "today-is-a-good-day"
PATIENCE = 120_000
"""Milliseconds after which a step has failed."""

DIST = Path(__file__).parents[1] / "frontend-react-js" / "dist"
MARK = "cruddur.signed-in"
"""The page's note that it was signed in (`src/api/session.ts`)."""


class Measured:
    """A page whose CPU time is measured."""

    def __init__(self, page: Page, protocol: CDPSession) -> None:
        self.page = page
        self._protocol = protocol

    async def cpu(self) -> float:
        """Return the CPU seconds of the page's main thread so far."""
        metrics = (await self._protocol.send("Performance.getMetrics"))["metrics"]
        [seconds] = [one["value"] for one in metrics if one["name"] == "TaskDuration"]
        return float(seconds)

    async def rest(self) -> None:
        """Wait until everything is rendered and no task is left."""
        await self.page.evaluate(
            """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
                () => scheduler.postTask(done, { priority: "background" }))))"""
        )


async def main(cruds: int) -> int:
    """Measure and print; return the exit code."""
    if not (DIST / "index.html").is_file():
        print("The page is not built: Node.js was not found.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory:
        database = EmbeddedPostgres(Path(directory), durable=False)
        database.start()
        try:
            database.create_database("page")
            dsn = database.dsn("page")
            await fill(dsn, cruds)
            environment = {"CONNECTION_URL": dsn, "CRUDDUR_FRONTEND_DIRECTORY": str(DIST)}
            with serving(OURS, 1, environment) as server:
                async with opened(f"http://127.0.0.1:{server.port}") as measured:
                    await measure(measured, cruds)
        finally:
            database.stop()
    return 0


async def fill(dsn: str, cruds: int) -> None:
    """Create a member and cruds. "number 0" is the newest."""
    await migrate(dsn)
    user_uuid = uuid4()
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
        " VALUES ($1, $2, $3, 'bench', 'Bench')",
        user_uuid, ISSUER, str(user_uuid),
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO accounts (user_uuid, email, password_hash) VALUES ($1, $2, $3)",
        user_uuid, "bench@example.com", await hash_password(PASSWORD),
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO activities (user_uuid, message, created_at, expires_at)"
        " SELECT $1, 'number ' || n || '. Say it now, it will be #gone soon. @bench'"
        "     || repeat(' And another sentence.', n % 8),"
        "     now() - n * interval '1 min', now() + (1 + n % 40) * interval '1 day'"
        " FROM generate_series(0, $2 - 1) AS n",
        user_uuid, cruds,
    )  # fmt: skip
    await conn.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Measured]:
    """Yield the home page in a browser of the member."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path.find(), args=[*browser_path.FLAGS]
        )
        context = await browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE)
        draft = {"email": "bench", "password": PASSWORD}
        response = await context.request.post("/api/auth/signin", data=draft)
        user_uuid = (await response.json())["user"]["uuid"]
        await context.add_init_script(f"localStorage.setItem('{MARK}', '{user_uuid}')")
        page = await context.new_page()
        protocol = await context.new_cdp_session(page)
        await protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
        await page.goto("/")
        yield Measured(page, protocol)
        await browser.close()


async def measure(measured: Measured, cruds: int) -> None:
    """Load all cruds, then measure."""
    page = measured.page
    start = await measured.cpu()
    await page.get_by_text("number 0.").wait_for()
    while await page.get_by_text(f"number {cruds - 1}.").count() == 0:
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        await measured.rest()
    show(f"loading {cruds:,} cruds, s", await measured.cpu() - start)
    elements = await page.evaluate("document.querySelectorAll('*').length")
    print(f"{'elements':45}{elements:>10,}")
    idle = await measured.cpu()
    await asyncio.sleep(IDLE)
    show("10 s without any action, s", await measured.cpu() - idle, IDLE_SECONDS)
    await measure_back(measured)
    await measure_keys(measured)


async def measure_back(measured: Measured) -> None:
    """Open a crud in the middle of the feed and go back to it."""
    page, times, moves, kept = measured.page, [], [], True
    for _ in range(ROUNDS):
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
        await measured.rest()
        await page.wait_for_function(
            "document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('article')"
        )
        link = (
            await page.evaluate_handle(
                """() => document.elementFromPoint(innerWidth / 2, innerHeight / 2)
                    .closest("article").querySelector(".crud-time")"""
            )
        ).as_element()
        assert link is not None
        address = await link.get_attribute("href")
        await link.focus()
        before = await page.evaluate("scrollY")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Crud", level=1)).to_be_visible()
        await expect(page.get_by_role("heading", name="No replies yet")).to_be_visible()
        await measured.rest()
        start = await measured.cpu()
        await page.go_back()
        await page.wait_for_function(
            "href => document.querySelector(`.crud-time[href='${href}']`) !== null", arg=address
        )
        await measured.rest()
        times.append(await measured.cpu() - start)
        moves.append(abs(await page.evaluate("scrollY") - before))
        kept &= await page.evaluate(
            "href => document.activeElement.getAttribute('href') === href", address
        )
    show("back to the feed, s (median)", median(times), BACK_SECONDS)
    print(f"{'scroll position moved by, px (largest)':45}{max(moves):10.0f}")
    print(f"{'focus kept':45}{'yes' if kept else 'no':>10}")


async def measure_keys(measured: Measured) -> None:
    """Write in the composer above the feed."""
    page = measured.page
    await page.evaluate("scrollTo(0, 0)")
    await page.get_by_role("main").get_by_role("textbox").focus()
    await measured.rest()
    start = await measured.cpu()
    await page.keyboard.type("x" * KEYS, delay=50)
    await measured.rest()
    show(f"{KEYS} keystrokes in the composer, s", await measured.cpu() - start, KEYS_SECONDS)


def show(what: str, seconds: float, goal: float | None = None) -> None:
    """Print a figure and its goal."""
    verdict = "" if goal is None else f"  goal {goal}: {'met' if seconds <= goal else 'missed'}"
    print(f"{what:45}{seconds:10.3f}{verdict}", flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(100 if "--short" in sys.argv else 1000)))
