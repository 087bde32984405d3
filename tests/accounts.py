"""Helpers for tests of sign-ins and codes."""

from collections.abc import Callable
from typing import Any

import httpx

from support import Api

EMAIL = "worf@example.com"
HANDLE = "worf"
PASSWORD = "today is a good day"
WRONG = "today is a bad day"

SIGN_IN = "/api/auth/signin"
CONFIRM = "/api/auth/confirm"
FORGOT = "/api/auth/forgot"
RESEND = "/api/auth/resend"
RESET = "/api/auth/reset"

Codes = Callable[[str], str]


async def sign_up(api: Api) -> None:
    """Sign up the account."""
    draft = {"email": EMAIL, "password": PASSWORD, "handle": HANDLE, "display_name": "Worf"}
    await api.post("/api/auth/signup", draft)


async def open_account(api: Api, codes: Codes) -> None:
    """Sign up the account, confirm it, and sign out again."""
    await sign_up(api)
    await api.post(CONFIRM, {"email": EMAIL, "code": codes(EMAIL)})
    await api.post("/api/auth/signout")


async def sign_in(
    api: Api, password: str = PASSWORD, login: str = EMAIL, expect: int = 200
) -> httpx.Response:
    """Sign in; the client keeps the cookies that it gets."""
    body = {"email": login, "password": password}
    return await api.request("POST", SIGN_IN, json=body, expect=expect)


async def guess(api: Api, path: str, code: str, expect: int = 422) -> Any:
    """Enter a code."""
    body = {"email": EMAIL, "code": code}
    if path == RESET:
        body["password"] = "glory to the empire"
    return await api.post(path, body, expect=expect)


def wrong(code: str) -> str:
    """Return a code that differs from this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"
