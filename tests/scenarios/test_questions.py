"""The ten questions of docs/telemetry.md are answered on the page of the explorer.

The problems of three scenarios are planted. Then each question is asked as a user asks it, in at
most three clicks. With CRUDDUR_TEST_SCREENS=1, pictures of the answers are in `.local/screens/`.
"""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from exploring import Explorer, exporting
from playwright.async_api import Browser, Locator, Page, expect
from traffic import User, of
from under_load import serve

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry import resource
from e2e.screen import SCREENS, TAKES_SCREENSHOTS
from patience import PATIENCE
from scenarios.scenario import load as load_scenario
from scenarios.since_the_release import SinceTheRelease

PLANTED = ("server-errors", "since-the-release", "slow-search")
CLICKS = 3
"""How many clicks an answer may need."""


@dataclass
class Planted:
    """What is in the explorer.

    Attributes:
        members: the users of the load.
        starts: when each release began to serve.
    """

    members: Sequence[UUID]
    starts: list[str]


@dataclass
class Reader:
    """A user of the explorer, whose clicks are counted."""

    page: Page
    planted: Planted
    clicks: int = 0

    @property
    def rows(self) -> Locator:
        """The rows of the result."""
        return self.page.locator("#drawing tbody tr")

    async def click(self, target: Locator) -> None:
        self.clicks += 1
        await target.click()

    async def ask(self, name: str) -> None:
        """Open a query of the board, from the list of traces."""
        queries = self.page.get_by_role("navigation", name="Queries")
        await expect(queries.get_by_role("link", name="More queries")).to_be_visible()
        wanted = queries.get_by_role("link", name=name, exact=True)
        if not await wanted.count():
            await self.click(queries.get_by_role("link", name="More queries"))
            wanted = self.page.locator("#board a").filter(
                has=self.page.get_by_text(name, exact=True)
            )
        await self.click(wanted)


async def slowest_route(reader: Reader) -> None:
    await reader.ask("Slowest routes")
    await expect(reader.rows.filter(has_text="/api/activities/search")).to_have_count(1)


async def user_with_errors(reader: Reader) -> None:
    await reader.ask("Errors by user")
    # The second member has the client whose requests fail.
    await expect(reader.rows.filter(has_text=str(reader.planted.members[1]))).to_have_count(1)


async def changed_between_periods(reader: Reader) -> None:
    before, after = reader.planted.starts
    await reader.ask("Slowest routes")
    await reader.click(reader.page.get_by_role("button", name="two periods"))
    await reader.page.get_by_label("This period").fill(f"{after}..")
    await reader.page.get_by_label("Compared with").fill(f"{before}..{after}")
    await reader.click(reader.page.get_by_role("button", name="Compare", exact=True))
    await expect(reader.page.locator('[data-key="resource.service.version"]')).to_contain_text(
        "0.3.0"
    )


async def statement_with_the_most_time(reader: Reader) -> None:
    await reader.ask("Slowest statements")
    await expect(reader.rows.filter(has_text="profile.common_words")).to_have_count(1)


async def slow_requests_in_common(reader: Reader) -> None:
    await reader.ask("Latency")
    plot = reader.page.get_by_role("link", name="Heat map")
    box = await plot.bounding_box()
    assert box is not None
    await reader.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 2)
    reader.clicks += 1
    await reader.page.mouse.down()
    await reader.page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2, steps=3)
    await reader.page.mouse.up()
    await expect(reader.page.locator(".chosen")).to_contain_text("selected")
    await expect(reader.page.locator("#difference .sides")).to_contain_text("the rest")


async def repeated_statement(reader: Reader) -> None:
    await reader.ask("Repeated statements")
    row = reader.rows.filter(has_text="/api/activities/search")
    await expect(row.filter(has_text="SELECT activities.page")).to_have_count(1)


async def lost_time(reader: Reader) -> None:
    await reader.ask("Repeated statements")
    await reader.click(
        reader.rows.filter(has_text="/api/activities/search").get_by_role("link").first
    )
    await expect(reader.page.get_by_label("Query", exact=True)).to_have_value(
        'from roots where trace.repetitions >= 3 and route = "/api/activities/search"'
        ' and trace.repeated_statement = "SELECT activities.page"'
    )
    await reader.click(reader.rows.first.get_by_role("link").first)
    path = reader.page.get_by_role("region", name="Critical path")
    await expect(path.get_by_role("button", name="SELECT activities.page")).to_be_visible()
    await expect(reader.page.locator(".repeated")).to_contain_text("× SELECT activities.page")


async def failed_job(reader: Reader) -> None:
    await reader.ask("Failed background jobs")
    await expect(reader.rows).to_have_text(re.compile("sweep.*DatabaseUnavailableError"))


async def lines_around_a_moment(reader: Reader) -> None:
    pages = reader.page.get_by_role("navigation", name="Pages")
    await reader.click(pages.get_by_role("link", name="Logs"))
    await reader.click(reader.page.locator("#log-lines summary").nth(5))
    await reader.click(reader.page.get_by_role("link", name="Lines around this moment"))
    await expect(reader.page.locator(".moment + li")).to_be_visible()
    await expect(reader.page.locator("li:has(+ .moment)")).to_be_visible()


async def over_time(reader: Reader) -> None:
    await reader.ask("Requests over time")
    await expect(reader.page.locator("#drawing h2")).to_have_text(
        ["rate /s", "errors", "p95(duration)"]
    )
    groups = reader.page.get_by_role("list", name="Groups")
    await expect(groups.get_by_text("/api/activities/home")).to_be_visible()


Question: TypeAlias = Callable[[Reader], Awaitable[None]]

QUESTIONS: Sequence[Question] = (
    slowest_route,
    user_with_errors,
    changed_between_periods,
    statement_with_the_most_time,
    slow_requests_in_common,
    repeated_statement,
    lost_time,
    failed_job,
    lines_around_a_moment,
    over_time,
)


async def users_load(users: Sequence[User]) -> None:
    """The load of a release. Each member also does something that no cached page answers."""
    await of(90, search=8, read_profile=4)(users)
    for user in users:
        if user.number is not None:
            await user.read_notifications()


@pytest.fixture(scope="module")
async def planted(
    worker_settings: Settings,
    make_database: Callable[..., Any],
    filled: tuple[str, Sequence[UUID]],
    explorer: Explorer,
) -> Planted:
    """Two releases of a service whose sweeps fail; the second has the planted problems."""
    settings = replace(
        exporting(worker_settings, await make_database(of=filled[0]), explorer),
        logs_exporter="otlp",
        direct_url="postgresql://127.0.0.1:1/none",
    )
    made = Planted(filled[1], [])
    requests = logging.getLogger("cruddur.request")
    level = requests.level
    requests.setLevel(logging.INFO)
    with pytest.MonkeyPatch.context() as patch:
        for release in SinceTheRelease.releases:
            made.starts.append(datetime.now(UTC).isoformat())
            patch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"service.version={release.version}")
            resource._resource.cache_clear()
            app = create_app(settings)
            for name in PLANTED if release.is_changed else ():
                load_scenario(name).extend(app)
            await serve(app, made.members, users_load)
    requests.setLevel(level)
    return made


@pytest.fixture(scope="module")
async def page(browser: Browser, explorer: Explorer) -> AsyncIterator[Page]:
    """A page in a browser."""
    expect.set_options(timeout=PATIENCE * 1000)
    context = await browser.new_context(
        base_url=explorer.url, viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE * 1000)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
async def test_a_question_is_answered_on_the_page(
    question: Question, page: Page, planted: Planted
) -> None:
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    await page.goto("/")
    reader = Reader(page, planted)
    await question(reader)
    assert reader.clicks <= CLICKS
    await picture(page, f"traceview-question-{QUESTIONS.index(question) + 1:02}")
    assert troubles == []


async def picture(page: Page, name: str) -> None:
    """Save pictures of an answer: light, dark, and on a phone."""
    if not TAKES_SCREENSHOTS:
        return
    SCREENS.mkdir(parents=True, exist_ok=True)
    looks: Sequence[tuple[str, int, Any]] = (
        ("", 1280, "light"),
        ("-dark", 1280, "dark"),
        ("-390", 390, "light"),
    )
    for look, width, scheme in looks:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)
        await page.evaluate("scrollTo(0, 0)")
        await page.screenshot(path=SCREENS / f"{name}{look}.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 800})
