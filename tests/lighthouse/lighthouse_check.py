"""Check the page with Lighthouse: `make lighthouse`.

The service runs with its embedded PostgreSQL and the seed data. Every audit of accessibility, best
practices and SEO must pass on phones and on desktops, for visitors and for members. The figures of
performance are printed as information, because they depend on the machine.
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, async_playwright

from cruddur.services.seed import PASSWORD
from e2e import browser_path
from e2e.screen import DIST
from processes import Running, services
from support import free_port

ROOT = Path(__file__).parents[2]
LIGHTHOUSE = ROOT / ".local/lighthouse/node_modules/lighthouse/cli/index.js"
REPORTS = ROOT / ".local" / "lighthouse" / "reports"

MEMBER = "andrewbrown"
TERM = "cruddur"
"""A member and a search term of the seed data."""

LOAD_MILLISECONDS = 15_000
"""How long Lighthouse waits until a page uses neither the network nor the CPU."""

CHECKED = {"accessibility": "Access.", "best-practices": "Pract.", "seo": "SEO"}
FIGURES = {
    "largest-contentful-paint": "LCP",
    "cumulative-layout-shift": "CLS",
    "total-blocking-time": "TBT",
}
PRESETS = ("mobile", "desktop")

CRAWLING = "is-crawlable"
"""The audit that fails on the pages of a member, which robots.txt excludes."""


@dataclass(frozen=True)
class Address:
    """A page to check.

    Attributes:
        path: its path and query.
        is_private: whether only its member sees it, so that search engines must not.
        signed_in: whether a member looks at it.
    """

    path: str
    is_private: bool = False
    signed_in: bool = False

    @property
    def name(self) -> str:
        """The path without the id of a crud."""
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", self.path)


def visitors(crud: str) -> list[Address]:
    """Return the pages that visitors see, with the id of a crud that has replies."""
    paths = (
        "/", f"/@{MEMBER}", f"/@{MEMBER}/status/{crud}", f"/search?term={TERM}",
        "/about", "/terms", "/privacy", "/signin", "/signup",
    )  # fmt: skip
    return [Address(path) for path in paths]


MEMBERS = [
    Address("/", signed_in=True),
    Address("/notifications", is_private=True, signed_in=True),
    Address("/messages", is_private=True, signed_in=True),
    Address("/settings", is_private=True, signed_in=True),
]


async def audit(address: Address, url: str, preset: str, port: int) -> dict[str, Any]:
    """Return the report of Lighthouse about a page.

    Args:
        address: the page.
        url: the service.
        preset: one of `PRESETS`.
        port: the debugging port of the browser.
    """
    name = re.sub(r"\W+", "-", address.name).strip("-") or "home"
    report = REPORTS / f"{name}{'-member' if address.signed_in else ''}-{preset}.json"
    process = await asyncio.create_subprocess_exec(
        "node", str(LIGHTHOUSE), f"{url}{address.path}",
        "--quiet", f"--port={port}", "--output=json", f"--output-path={report}",
        f"--max-wait-for-load={LOAD_MILLISECONDS}",
        *(["--preset=desktop"] if preset == "desktop" else []),
        *(["--disable-storage-reset"] if address.signed_in else []),
        *([f"--skip-audits={CRAWLING}"] if address.is_private else []),
    )  # fmt: skip
    if await process.wait() != 0:
        raise RuntimeError(f"Lighthouse failed at {address.path}")
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def faults(report: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a page."""
    if error := report.get("runtimeError"):
        yield error["message"]
    for category in CHECKED:
        if report["categories"][category]["score"] != 1:
            for reference in report["categories"][category]["auditRefs"]:
                found = report["audits"][reference["id"]]
                if reference["weight"] > 0 and found["score"] not in {1, None}:
                    items = json.dumps(found.get("details", {}).get("items", []))
                    yield f"{category}: {found['title']} ({found['id']}) {items[:1000]}"


def row(report: dict[str, Any], address: Address, preset: str) -> str:
    """Return the scores and figures of a page."""
    who = "member" if address.signed_in else "visitor"
    scores = [report["categories"][name]["score"] for name in (*CHECKED, "performance")]
    percents = "".join("      –" if one is None else f"{one * 100:7.0f}" for one in scores)
    figures = [report["audits"][name].get("displayValue", "–") for name in FIGURES]
    return f"{address.name:28}{who:8}{preset:8}{percents}" + "".join(
        f"{one:>10}" for one in figures
    )


async def sign_in(browser: BrowserContext, url: str) -> None:
    """Start a session of the member.

    Each audit needs its own: a navigation of Lighthouse can abort the refresh of a session, which
    then ends.
    """
    await browser.clear_cookies()
    page = await browser.new_page()
    await page.goto(f"{url}/signin")
    await page.get_by_label("Email or handle").fill(MEMBER)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Settings").wait_for()
    await page.close()


async def check(service: Running, profile: str) -> int:
    """Check every page, print the results and return the exit code.

    Args:
        service: the running service.
        profile: an empty directory for the browser.
    """
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        found = (await http.get(f"/api/activities/@{MEMBER}?shape=list")).json()
    crud = max(found, key=lambda one: int(one["replies_count"]))["uuid"]
    port = free_port()
    is_good = True
    names = (*CHECKED.values(), "Perf.")
    print(f"{'':44}" + "".join(f"{one:>7}" for one in names), end="")
    print("".join(f"{one:>10}" for one in FIGURES.values()))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browser_path.find(),
            args=[*browser_path.FLAGS, f"--remote-debugging-port={port}"],
            no_viewport=True,
        )
        for address in (*visitors(crud), *MEMBERS):
            for preset in PRESETS:
                if address.signed_in:
                    await sign_in(browser, service.url)
                report = await audit(address, service.url, preset, port)
                print(row(report, address, preset), flush=True)
                for fault in faults(report):
                    is_good = False
                    print(f"    {fault}", flush=True)
        await browser.close()
    return 0 if is_good else 1


def main() -> int:
    """Run the service and check its pages; return the exit code."""
    if not (DIST / "index.html").is_file() or not LIGHTHOUSE.is_file():
        print("The page is not built, or Lighthouse is not installed: Node.js was not found.")
        return 1
    if browser_path.find() is None:
        print("No Chromium was found.")
        return 1
    REPORTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data, profile = Path(folder, "data"), Path(folder, "browser")
        with services(Path(folder), data) as serve:
            service = serve(
                "--setup",
                may_fork=False,
                CRUDDUR_FRONTEND_DIRECTORY=str(DIST),
                CRUDDUR_RATE_EXEMPT="127.0.0.1",
            ).wait()
            return asyncio.run(check(service, str(profile)))


if __name__ == "__main__":
    sys.exit(main())
