"""The refresh cookie, the pages that may use it, and the headers that protect browsers."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from http.cookies import Morsel, SimpleCookie
from typing import Any

import asyncpg
import httpx
import jwt
import pytest
from playwright.async_api import Browser, ConsoleMessage
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from support import Api, Member, serving, serving_on_a_socket, visiting

pytestmark = pytest.mark.usefixtures("quick_passwords")

PLAIN, SECURE = "cruddur_refresh", "__Secure-cruddur_refresh"
DEVICE, SECURE_DEVICE = "cruddur_device", "__Secure-cruddur_device"
SITE = "https://cruddur.example"
PASSWORD = "today is a good day"
STRANGERS = ["https://evil.example", "null", "http://cruddur.example", f"{SITE}.evil.example", ""]
HOME = "/api/activities/home"
NOTIFICATIONS = "/api/activities/notifications"


@pytest.fixture
async def https_app(settings: Settings, database: asyncpg.Connection) -> AsyncIterator[Quart]:
    """The application with an https BACKEND_URL, behind a proxy that ends TLS."""
    application = create_app(replace(settings, backend_url=SITE))
    async with application.test_app():
        yield application


@pytest.fixture
async def site(https_app: Quart) -> AsyncIterator[Api]:
    """The API of the application, called by a client that stores no cookies."""
    async with visiting(https_app, base_url="http://10.0.0.9:4567") as api:
        yield api


def cookies(response: httpx.Response) -> dict[str, Morsel[str]]:
    found: SimpleCookie = SimpleCookie()
    for line in response.headers.get_list("set-cookie"):
        found.load(line)
    return dict(found)


async def sign_in(api: Api, codes: Callable[[str], str], *, new: bool = True) -> httpx.Response:
    email = "worf@example.com"
    draft = {"email": email, "password": PASSWORD, "handle": "worf", "display_name": "Worf"}
    if new:
        await api.post("/api/auth/signup", draft)
        await api.post("/api/auth/confirm", {"email": email, "code": codes(email)})
    body = {"email": email, "password": PASSWORD}
    response = await api.request("POST", "/api/auth/signin", json=body)
    api.http.cookies.clear()
    return response


async def use_cookie(
    api: Api, path: str, name: str, value: str, expect: int = 200, **headers: str
) -> httpx.Response:
    headers["Cookie"] = f"{name}={value}"
    response = await api.request("POST", f"/api/auth/{path}", headers=headers, expect=expect)
    api.http.cookies.clear()
    return response


async def test_hardening_17_over_https_the_cookie_is_secure_by_name(
    site: Api, codes: Callable[[str], str]
) -> None:
    entered = cookies(await sign_in(site, codes))
    assert set(entered) == {SECURE, SECURE_DEVICE}
    refreshed = cookies(await use_cookie(site, "refresh", SECURE, entered[SECURE].value))
    assert list(refreshed) == [SECURE]
    left = cookies(await use_cookie(site, "signout", SECURE, refreshed[SECURE].value))
    assert list(left) == [SECURE]
    assert left[SECURE].value == ""
    for cookie in (*entered.values(), refreshed[SECURE], left[SECURE]):
        assert cookie["secure"] is True
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Strict"
        assert cookie["path"] == "/api/auth"
        assert cookie["domain"] == ""


async def test_hardening_17_on_localhost_the_cookie_has_its_plain_name(
    api: Api, codes: Callable[[str], str]
) -> None:
    entered = cookies(await sign_in(api, codes))
    assert set(entered) == {PLAIN, DEVICE}
    assert {cookie["secure"] for cookie in entered.values()} == {""}


async def test_hardening_17_the_upgrade_to_https_signs_no_member_out(
    api: Api, site: Api, codes: Callable[[str], str]
) -> None:
    old = cookies(await sign_in(api, codes))[PLAIN].value
    moved = cookies(await use_cookie(site, "refresh", PLAIN, old))
    assert moved[PLAIN].value == ""  # the browser forgets it
    assert moved[PLAIN]["max-age"] == "0"
    assert moved[SECURE]["secure"] is True
    both = f"{old}; {SECURE}={moved[SECURE].value}"
    again = cookies(await use_cookie(site, "refresh", PLAIN, both))
    assert again[SECURE].value not in {"", old}


async def test_hardening_17_signing_out_forgets_the_old_cookie_too(
    api: Api, site: Api, codes: Callable[[str], str]
) -> None:
    old = cookies(await sign_in(api, codes))[PLAIN].value
    left = cookies(await use_cookie(site, "signout", PLAIN, old))
    assert {name: cookie.value for name, cookie in left.items()} == {PLAIN: "", SECURE: ""}
    await use_cookie(site, "refresh", PLAIN, old, expect=401)


@pytest.mark.parametrize("path", ["refresh", "signout"])
async def test_hardening_17_another_sites_page_neither_refreshes_nor_ends_a_session(
    site: Api, codes: Callable[[str], str], path: str
) -> None:
    token = cookies(await sign_in(site, codes))[SECURE].value
    for origin in STRANGERS:
        response = await use_cookie(site, path, SECURE, token, expect=403, Origin=origin)
        assert response.json() == ["generic_403"]
        assert "set-cookie" not in response.headers
    for relation in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": relation}
        await use_cookie(site, path, SECURE, token, expect=403, **headers)
    await use_cookie(site, "refresh", SECURE, token)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": SITE, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://10.0.0.9:4567"},
        {"Sec-Fetch-Site": "same-origin"},
        {},
    ],
    ids=["its own page", "FRONTEND_URL", "the address in use", "no Origin", "a program"],
)
async def test_hardening_17_our_own_pages_and_programs_use_the_cookie(
    site: Api, codes: Callable[[str], str], headers: dict[str, str]
) -> None:
    token = cookies(await sign_in(site, codes))[SECURE].value
    token = cookies(await use_cookie(site, "refresh", SECURE, token, **headers))[SECURE].value
    await use_cookie(site, "signout", SECURE, token, **headers)
    await use_cookie(site, "refresh", SECURE, token, expect=401)


async def test_hardening_17_an_open_frontend_url_does_not_open_the_cookie(
    settings: Settings, database: asyncpg.Connection
) -> None:
    async with serving(create_app(replace(settings, frontend_url="*"))) as api:
        await use_cookie(api, "signout", PLAIN, "x", expect=403, Origin="https://evil.example")
        await use_cookie(api, "signout", PLAIN, "x", Origin="http://localhost:4567")


ANSWERS = [
    ("GET", HOME, 200),
    ("GET", "/api/health-check", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs", 200),
    ("GET", "/.well-known/jwks.json", 200),
    ("GET", "/nowhere", 404),
    ("PATCH", HOME, 405),
    ("POST", "/api/activities", 401),
    ("POST", "/api/auth/signin", 415),
    ("GET", "/api/activities/search", 422),
    ("OPTIONS", HOME, 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_hardening_17_no_browser_guesses_a_type(
    api: Api, site: Api, method: str, path: str, status: int
) -> None:
    for _ in range(3):  # the last ones come from the response cache
        response = await api.http.request(method, path)
        assert response.status_code == status
        assert response.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "strict-transport-security" not in response.headers
    secure = await site.http.request(method, path)
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
    assert secure.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_hardening_17_the_documentation_runs_only_its_own_scripts(api: Api) -> None:
    response = await api.http.get("/docs")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    for element in ("script", "style"):
        [text] = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", response.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


async def test_hardening_17_the_documentation_works_in_a_browser(
    app: Quart, database: asyncpg.Connection, browser: Browser
) -> None:
    async with serving_on_a_socket(app) as url, await browser.new_page() as page:
        troubles: list[str] = []

        def keep(message: ConsoleMessage) -> None:
            if not message.location["url"].endswith("/favicon.ico"):  # browsers ask for one
                troubles.append(message.text)

        page.on("console", keep)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        await page.goto(f"{url}/docs")
        await page.get_by_text("/api/auth/refresh").first.click()
        await page.get_by_text("Also replaces the cookie").wait_for()
        size = "getComputedStyle(document.querySelector('.method')).fontWeight"
        assert await page.evaluate(size) == "700"  # its styles apply as well
        assert troubles == []


@pytest.fixture
def expired(app: Quart, andrew: Member) -> dict[str, str]:
    """Andrew's Authorization header, when its token has expired."""
    token = andrew.headers["Authorization"].partition(" ")[2]
    claims = jwt.decode(token, options={"verify_signature": False})
    keys = app.extensions["cruddur"].keys
    old = keys.sign({**claims, "iat": claims["iat"] - 7200, "exp": claims["exp"] - 7200})
    return {"Authorization": f"Bearer {old}"}


async def test_hardening_17_notifications_refuse_an_expired_token(
    api: Api, expired: dict[str, str], andrew: Member, database: asyncpg.Connection
) -> None:
    await api.get(NOTIFICATIONS, headers=expired, expect=401)
    assert await andrew.get(NOTIFICATIONS) == []
    assert await api.get(NOTIFICATIONS) == []
    assert await api.get(NOTIFICATIONS, headers={"Authorization": "Bearer null"}) == []
    await database.execute("DELETE FROM sessions")
    await andrew.get(NOTIFICATIONS, expect=401)  # its session was revoked


@pytest.mark.parametrize(
    "path",
    [
        HOME,
        "/api/activities/search?term=crud",
        "/api/activities/@andrewbrown",
        "/api/users/suggested",
        "/api/trending",
    ],
)
async def test_hardening_17_public_lists_are_public_with_an_expired_token(
    api: Api, expired: dict[str, str], path: str
) -> None:
    response: Any = await api.get(path, headers=expired)
    visitor = await api.get(path, headers={"Authorization": "Bearer null"})
    assert response == visitor
