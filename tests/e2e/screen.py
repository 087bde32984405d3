"""Shared parts of the browser tests: watched browsers and conditions to wait for.

A page is Playwright's own. A `Watch` observes requests, responses and the console; an error
there that the test did not announce fails the test.
"""

import asyncio
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import asyncpg
import httpx
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    WebError,
)

from patience import PATIENCE
from support import QUICK_HASHER, Api, Member, insert_user
from telemetry.serving import Served

ROOT = Path(__file__).parents[2]
DIST = ROOT / "frontend-react-js" / "dist"
AXE = ROOT / "frontend-react-js" / "node_modules" / "axe-core" / "axe.min.js"
CONTROLS = Path(__file__).with_name("controls.js")
CUT_TEXTS = Path(__file__).with_name("cut_texts.js")
SCREENS = ROOT / ".local" / "screens"
TAKES_SCREENSHOTS = os.environ.get("CRUDDUR_TEST_SCREENS") == "1"
"""Whether tests save screenshots in `SCREENS`. No test compares them."""

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}

PASSWORD = "today-is-a-good-day"
"""The password of every member in these tests."""


USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0"
"""The User-Agent of the members' browsers."""

EMPTY = "/robots.txt"
"""An address without scripts. It shares a process with the pages, as a blank page would not."""

ABORTED = {"net::ERR_ABORTED", "NS_BINDING_ABORTED"}
"""How Chromium and Firefox name the failure of a request that the page aborted."""

STANDARDS = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
"""The accessibility rules for every page."""

STREAM = "/api/stream"
COOKIE = "cruddur_refresh"
MARK = "cruddur.signed-in"
"""The page's note that it was signed in (`src/api/session.ts`)."""


class Visit(Protocol):
    """Open a new browser: `page = await visit(worf)` is signed in, on the home page."""

    async def __call__(
        self,
        member: Member | None = None,
        path: str | None = "/",
        *,
        size: ViewportSize = DESKTOP,
    ) -> Page: ...


@dataclass
class Watch:
    """What happened in some browsers behind their pages.

    Attributes:
        origin: the only origin that a page may request.
        troubles: unannounced errors.
        requests: all requests, in order.
        may_refuse: whether requests may fail validation, because the test sends nonsense, and
            whether cruds may be gone, because it deletes them and blocks their authors.
    """

    origin: str
    troubles: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    may_refuse: bool = False
    _announced: list[tuple[int, str]] = field(default_factory=list)
    _met: set[tuple[int, str]] = field(default_factory=set)
    _under_way: set[Request] = field(default_factory=set)

    def expect(self, status: int, path: str) -> None:
        """Announce a failure that the test causes; status 0 is a request without a response.

        Args:
            status: the status of the response.
            path: the path of the request; `*` matches anything.
        """
        self._announced.append((status, path))

    def follow(self, context: BrowserContext) -> None:
        """Watch a browser with all its pages."""
        for event, handler in self._handlers().items():
            context.on(event, handler)  # type: ignore[call-overload]  # it has one for each name

    def unfollow(self, context: BrowserContext) -> None:
        """Stop watching a browser."""
        for event, handler in self._handlers().items():
            context.remove_listener(event, handler)

    def _handlers(self) -> dict[str, Callable[[Any], None]]:
        return {
            "request": self._on_request,
            "response": self._on_response,
            "requestfinished": self._on_finish,
            "requestfailed": self._on_failure,
            "console": self._on_console,
            "weberror": self._on_error,
        }

    def check(self) -> None:
        """Fail if an unannounced error occurred, or an announced one did not."""
        troubles, missed = self.troubles, set(self._announced) - self._met
        self.clear()
        assert not troubles, "\n".join(["unexpected errors:", *troubles])
        assert not missed, f"announced, but did not occur: {missed}"

    def clear(self) -> None:
        """Reset the record before the next test."""
        self.troubles, self.requests = [], []
        self._announced, self._met = [], set()

    def is_quiet(self, page: Page) -> bool:
        """Whether a page has no open request except its stream."""
        return not any(
            request.frame.page == page and urlsplit(request.url).path != STREAM
            for request in self._under_way
            if request.service_worker is None
        )

    def sent(self, method: str, path: str) -> list[Request]:
        """Return the requests so far with this method and path; `*` matches anything."""
        return [
            request
            for request in self.requests
            if request.method == method and fnmatch(urlsplit(request.url).path, path)
        ]

    def _on_request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith(("data:", "blob:")):
            self._under_way.add(request)
            if self._is_elsewhere(request) and not request.is_navigation_request():
                self.troubles.append(f"request to another origin: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._met_with(response.status, response.request, response.status_text)

    def _on_finish(self, request: Request) -> None:
        self._under_way.discard(request)

    def _on_failure(self, request: Request) -> None:
        self._under_way.discard(request)
        # A request that the page itself aborted is not a failure. Neither is a link to another
        # site, because no other site is reachable from here.
        if request.failure not in ABORTED and not self._is_elsewhere(request):
            self._met_with(0, request, request.failure or "")

    def _is_elsewhere(self, request: Request) -> bool:
        return not request.url.startswith(f"{self.origin}/")

    def _met_with(self, status: int, request: Request, words: str) -> None:
        path = urlsplit(request.url).path
        fitting = [one for one in self._announced if one[0] == status and fnmatch(path, one[1])]
        is_gone = status == 404 and fnmatch(path, "/api/activities/@*/status/*")
        is_refusal = is_gone or (400 <= status < 500 and request.method != "GET")
        if fitting:
            self._met.update(fitting)
        elif not (self.may_refuse and is_refusal):
            self.troubles.append(f"{request.method} {request.url}: {status} {words}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser also logs failed responses; `_on_response` handles those.
        if message.type in {"error", "warning", "assert"} and not message.text.startswith(
            ("Failed to load resource", "Service Worker registration blocked by Playwright")
        ):
            self.troubles.append(f"console {message.type}: {message.text}")

    def _on_error(self, error: WebError) -> None:
        self.troubles.append(f"uncaught: {error.error}")


@dataclass(frozen=True)
class Person(Member):
    """A member with a password.

    Attributes:
        cookies: of the session from the sign-in, until a browser takes it over.
    """

    cookies: list[str] = field(default_factory=list)


async def join(api: Api, conn: asyncpg.Connection, handle: str, display_name: str) -> Person:
    """Insert a member with an account, and sign in."""
    uuid = await insert_user(conn, handle, display_name)
    await conn.execute(
        "INSERT INTO accounts (user_uuid, email, password_hash) VALUES ($1, $2, $3)",
        uuid, f"{handle}@example.com", QUICK_HASHER.hash(PASSWORD),
    )  # fmt: skip
    response = await sign_in(api, handle)
    return Person(
        api.http,
        {"Authorization": f"Bearer {response.json()['access_token']}"},
        uuid=uuid,
        handle=handle,
        display_name=display_name,
        cookies=[response.cookies[COOKIE]],
    )


async def sign_in(api: Api, who: str, device: str = USER_AGENT) -> httpx.Response:
    """Start a session. The cookie is removed from the client, because a browser will use it."""
    draft = {"email": who, "password": PASSWORD}
    headers = {"User-Agent": device}
    response = await api.request("POST", "/api/auth/signin", json=draft, headers=headers)
    api.http.cookies.clear()
    return response


async def open_browser(
    browser: Browser, service: Served, *, service_workers: Literal["allow", "block"] = "block"
) -> BrowserContext:
    """Open an empty browser. A service worker would answer requests that a test means to fail."""
    is_chromium = browser.browser_type.name == "chromium"
    context = await browser.new_context(
        base_url=service.url,
        permissions=["clipboard-read", "clipboard-write"] if is_chromium else None,
        locale="en-GB",
        timezone_id="Europe/Vienna",
        viewport=DESKTOP,
        color_scheme="dark",
        reduced_motion="reduce",
        service_workers=service_workers,
    )
    await context.add_init_script(_MARK)
    return context


@dataclass
class Browsers:
    """Empty browsers of a service. Tests use the same ones, one test after the other.

    A browser that has shown a page before shows the next one in half of the CPU time: it need
    not start a process, request the scripts, and compile them.
    """

    browser: Browser
    service: Served
    _idle: list[BrowserContext] = field(default_factory=list)

    async def take(self) -> BrowserContext:
        """Return an empty browser with one blank page, which keeps its process alive."""
        if self._idle:
            return self._idle.pop()
        context = await open_browser(self.browser, self.service)
        page = await context.new_page()
        await page.goto(EMPTY)
        return context

    async def give_back(self, context: BrowserContext) -> None:
        """Close its pages and delete what they have stored. Close it if its clock is a fake."""
        blank, *pages = context.pages
        for page in pages:
            await page.close()
        await context.clear_cookies()
        await context.set_offline(False)
        if await blank.evaluate(_EMPTIED):
            self._idle.append(context)
        else:
            await context.close()

    async def close(self) -> None:
        for context in self._idle:
            await context.close()


_EMPTIED = """() => {
    localStorage.clear();
    return String(setTimeout).includes("[native code]");
}"""


async def hand_over(context: BrowserContext, service: Served, member: Member) -> None:
    """Give a browser a session of a member; its next page is signed in."""
    spare = member.cookies if isinstance(member, Person) else []
    api = Api(member.http)
    cookie = spare.pop() if spare else (await sign_in(api, member.handle)).cookies[COOKIE]
    url = f"{service.url}/api/auth"
    await context.add_cookies(
        [
            {"name": COOKIE, "value": cookie, "url": url, "httpOnly": True},
            {"name": "unmarked", "value": str(member.uuid), "url": service.url},
        ]
    )


# Store what the page stores at a sign-in. Only once, so that signing out works.
_MARK = f"""
    const isOurs = location.protocol === "http:";
    const [, uuid] = (isOurs && document.cookie.match(/unmarked=([^;]+)/)) || [];
    if (uuid) {{
        localStorage.setItem("{MARK}", uuid);
        document.cookie = "unmarked=; path=/; max-age=0";
    }}
"""


async def settle(page: Page, watch: Watch) -> None:
    """Wait until everything that the page requested is rendered.

    No request is open before the look at the page: the end of a request arrives here before the
    page has rendered its response.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            was_quiet, sent = watch.is_quiet(page), len(watch.requests)
            await page.wait_for_function(_SETTLED)
            if was_quiet and watch.is_quiet(page) and len(watch.requests) == sent:
                return
            await asyncio.sleep(0.01)


# The navigation shows who is signed in. Two frames: by then the page has rendered the last
# response, and may have sent more requests.
_SETTLED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
    done(document.querySelector("h1") !== null
        && document.querySelector(".skeleton, [aria-busy='true']") === null
        && document.querySelector(".nav:not(:has([href='/settings'], [href='/signin']))") === null
    ))))"""


async def violations(page: Page, rules: Mapping[str, Any], but: Sequence[str] = ()) -> list[str]:
    """Return what violates accessibility rules on a page that has `AXE`.

    Args:
        page: the page.
        rules: the rules, as the option `runOnly` of axe.
        but: the selectors of parts that are not checked.
    """
    found: list[str] = await page.evaluate(
        """async ([exclude, runOnly]) => (await axe.run({ exclude }, {
            runOnly, resultTypes: ["violations"], elementRef: false, preload: false,
        })).violations.flatMap((rule) => rule.nodes.map((node) =>
            `${rule.id} (${rule.help}): ${node.target}\n    ${node.html}`))""",
        [but, rules],
    )
    return found


async def sideways(page: Page) -> list[str]:
    """Return the elements that are wider than the window, if the page scrolls sideways."""
    found: list[str] = await page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll("body *")]
            .filter((element) => element.getBoundingClientRect().right > innerWidth)
            .map((element) => `wider than the window: ${element.outerHTML.slice(0, 120)}`)"""
    )
    return found


async def check_page(page: Page, name: str) -> None:
    """Check that a page is accessible in both schemes, and fits a phone and a desktop.

    Args:
        page: the page.
        name: the prefix of its screenshots.
    """
    await page.evaluate(AXE.read_text("utf-8"))
    for light in (False, True):
        await page.emulate_media(color_scheme="light" if light else "dark")
        assert await violations(page, STANDARDS) == []
    await page.emulate_media(color_scheme="dark")
    for size in (PHONE, DESKTOP):
        await page.set_viewport_size(size)
        assert await sideways(page) == []
        if TAKES_SCREENSHOTS:
            SCREENS.mkdir(parents=True, exist_ok=True)
            path = SCREENS / f"{name}-{size['width']}.png"
            await page.screenshot(path=path, full_page=True)


async def cut_texts(page: Page) -> list[str]:
    """Return the words on the page that are cut off or broken."""
    found: list[str] = await page.evaluate(CUT_TEXTS.read_text("utf-8"))
    return found


async def code_for(service: Served, email: str, *, but: str = "") -> str:
    """Return the latest code for an address, other than `but`, from the service's log."""
    pattern = re.compile(rf'code for {re.escape(email)}: (\d{{6}})"')
    async with asyncio.timeout(PATIENCE):
        while True:
            found = pattern.findall(service.text)
            if found and found[-1] != but:
                return found[-1]
            await asyncio.sleep(0.01)
