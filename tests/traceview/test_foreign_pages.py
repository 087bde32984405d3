"""Foreign pages in a real browser, also one whose name resolves to this machine."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Response
from quart import Quart
from samples import TRACE, pack, span
from screens import Screen

from e2e.browser_path import FOREIGN
from patience import PATIENCE
from support import serving_on_a_socket

# Everything with which a page can reach another server, and whether each succeeded.
ATTEMPTS = """async ({url, body, trace}) => {
  const succeeded = [];
  const attempt = async (name, action) => {
    try { if (await action()) succeeded.push(name); } catch {}
  };
  const apis = ["/healthz", "/api/traces", `/api/traces/${trace}`, "/api/metrics"];
  const paths = ["/", ...apis, "/static/app.js"];
  for (const path of paths) {
    await attempt("read " + path, async () => (await fetch(url + path)).ok);
    await attempt("probe " + path, () => fetch(url + path, {mode: "no-cors"}));
  }
  const bytes = Uint8Array.from(body);
  for (const type of ["text/plain", "application/x-protobuf"]) {
    for (const mode of ["cors", "no-cors"]) {
      const options = {method: "POST", mode, body: new Blob([bytes], {type})};
      const send = async () => (await fetch(url + "/v1/traces", options)).ok;
      await attempt(`post ${mode} ${type}`, send);
    }
  }
  await attempt("delete", async () => (await fetch(url + "/api/traces", {method: "DELETE"})).ok);
  navigator.sendBeacon(url + "/v1/traces", new Blob([bytes], {type: "text/plain"}));
  const scripts = ["/api/traces", "/static/app.js"].map((path) => ["script", path]);
  for (const [tag, path] of [...scripts, ["img", "/static/icon.svg"]]) {
    await attempt(tag + path, () => new Promise((resolve) => {
      const node = document.createElement(tag);
      node.onload = () => resolve(true);
      node.onerror = () => resolve(false);
      node.src = url + path;
      document.body.append(node);
    }));
  }
  const frame = document.createElement("iframe");
  frame.name = "frame";
  const loaded = () => new Promise((resolve) => { frame.onload = resolve; });
  frame.src = url + "/";
  let wait = loaded();
  document.body.append(frame);
  await wait;
  const form = document.createElement("form");
  Object.assign(form, {method: "POST", action: url + "/v1/traces", target: "frame"});
  form.enctype = "text/plain";
  document.body.append(form);
  wait = loaded();
  form.submit();
  await wait;
  return succeeded;
}"""


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of its own, because a script that another one has cached has the status 200."""
    opened = await browser.new_context()
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    await opened.close()


@pytest.fixture
async def screen(screen: Screen) -> AsyncIterator[Screen]:
    """An explorer with a trace. The errors of its pages do not matter here."""
    await screen.viewer.send(span(1, "private"))
    yield screen
    await screen.leave()
    screen.troubles.clear()


async def _try_everything(page: Page, target: str) -> list[str]:
    body = [*pack(span(9, "forged", trace="ee" * 16))]
    wanted = {"url": target, "body": body, "trace": TRACE}
    succeeded: list[str] = await page.evaluate(ATTEMPTS, wanted)
    return succeeded


async def test_a_foreign_page_can_neither_read_nor_write(screen: Screen) -> None:
    foreign = Quart("foreign")

    @foreign.get("/")
    async def page_of_the_attacker() -> str:
        return "<!doctype html><title>foreign</title><body>"

    statuses: set[int] = set()

    def note(response: Response) -> None:
        if response.url.startswith(target):
            statuses.add(response.status)

    target = str(screen.viewer.http.base_url).rstrip("/")
    before = (await screen.viewer.http.get("/healthz")).json()
    async with serving_on_a_socket(foreign) as url:
        for origin in (url, url.replace("127.0.0.1", FOREIGN)):  # same site, and another one
            await screen.page.goto(origin)
            screen.page.on("response", note)
            succeeded = await _try_everything(screen.page, target)
            screen.page.remove_listener("response", note)
            assert [one for one in succeeded if not one.startswith("probe")] == []
            assert statuses == {403}
        assert (await screen.viewer.http.get("/healthz")).json() == before

        link = f"<a href='{target}/trace/{TRACE}'>the trace</a>"
        await screen.page.set_content(link)
        await screen.page.get_by_role("link").click()
        await screen.page.locator(".spans [data-span]").first.wait_for()


async def test_a_name_that_resolves_to_this_machine_is_not_served(screen: Screen) -> None:
    target = str(screen.viewer.http.base_url).rstrip("/").replace("127.0.0.1", FOREIGN)
    before = (await screen.viewer.http.get("/healthz")).json()
    response = await screen.page.goto(target)
    assert response is not None
    assert response.status == 403
    assert "private" not in await screen.page.content()
    statuses = await screen.page.evaluate(
        """async (url) => {
          const send = async (method, path) => (await fetch(url + path, {method})).status;
          const list = "/api/traces";
          const traces = [await send("GET", list), await send("DELETE", list)];
          return [...traces, await send("POST", "/v1/traces")];
        }""",
        target,
    )
    assert statuses == [403, 403, 403]
    assert (await screen.viewer.http.get("/healthz")).json() == before
