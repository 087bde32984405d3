"""Fetch one page or picture, with limits on everything that its server decides."""

import asyncio
import zlib
from dataclasses import dataclass

import httpx

from cruddur.errors import OverloadedError
from cruddur.public_web.transport import REDIRECT
from cruddur.public_web.urls import RefusedError, public_url

SECONDS = 10.0
"""Maximum duration of one fetch with all its redirects."""

MAX_REDIRECTS = 4

MAX_PAGE_BYTES = 512 * 1024
"""Bytes of a page that are read, decompressed. What describes a page is at its beginning."""

MAX_PICTURE_BYTES = 8 * 1024 * 1024

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

TIMEOUT = httpx.Timeout(5.0, connect=3.0)
"""Of each step, in seconds."""

_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_TEMPORARY_STATUSES = frozenset({408, 425, 429})
_GZIP = 16 + zlib.MAX_WBITS


class NotFetchedError(Exception):
    """There is no page or picture at a URL.

    Attributes:
        is_temporary: whether another attempt may succeed.
    """

    def __init__(self, text: str, *, is_temporary: bool = False) -> None:
        """Set the reason, which contains nothing of the URL or the response."""
        super().__init__(text)
        self.is_temporary = is_temporary


@dataclass(frozen=True, slots=True)
class Fetched:
    """The content of a URL.

    Attributes:
        url: the URL after all redirects.
        charset: the parameter of the content type, or an empty string.
        body: the content; of a long page, its beginning.
    """

    url: httpx.URL
    charset: str
    body: bytes

    def join(self, address: str) -> str:
        """Return the URL of an address in the page.

        Raises:
            NotFetchedError: it is not valid.
        """
        try:
            return str(self.url.join(address))
        except (httpx.InvalidURL, ValueError) as error:
            raise NotFetchedError("the address is not valid") from error


class PublicWeb:
    """Fetches pages and pictures."""

    def __init__(self, http: httpx.AsyncClient, user_agent: str) -> None:
        """Set the client, whose transport is a `PublicTransport`, and the name of this service."""
        self._http = http
        self._user_agent = user_agent

    async def page(self, url: str) -> Fetched:
        """Fetch a page.

        Raises:
            NotFetchedError: there is none, or it must not be fetched.
        """
        return await self._fetch(url, PAGE_TYPES, MAX_PAGE_BYTES, may_cut=True)

    async def picture(self, url: str) -> bytes:
        """Fetch a picture.

        Raises:
            NotFetchedError: there is none, it is too large, or it must not be fetched.
        """
        return (await self._fetch(url, PICTURE_TYPES, MAX_PICTURE_BYTES, may_cut=False)).body

    async def _fetch(
        self, url: str, types: frozenset[str], max_bytes: int, *, may_cut: bool
    ) -> Fetched:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._follow(url, types, max_bytes, may_cut=may_cut)
        except TimeoutError as error:
            raise NotFetchedError("it took too long", is_temporary=True) from error
        except RefusedError as error:
            raise NotFetchedError(str(error)) from error
        except OverloadedError as error:
            raise NotFetchedError("too many look-ups are waiting", is_temporary=True) from error
        except httpx.HTTPError as error:
            text = f"the connection failed: {type(error).__name__}"
            raise NotFetchedError(text, is_temporary=True) from error

    async def _follow(
        self, url: str, types: frozenset[str], max_bytes: int, *, may_cut: bool
    ) -> Fetched:
        target = public_url(url)
        for _ in range(MAX_REDIRECTS + 1):
            headers = {
                "User-Agent": self._user_agent,
                "Accept": ", ".join(sorted(types)),
                "Accept-Encoding": "gzip",
            }
            # The redirects are followed here, so that each is checked like the first URL.
            async with self._http.stream(
                "GET", target, headers=headers, follow_redirects=False, timeout=TIMEOUT
            ) as response:
                location = response.extensions.get(REDIRECT)
                if location is not None and response.status_code in _REDIRECT_STATUSES:
                    target = _redirected(target, location)
                    continue
                charset = _check(response, types)
                body = await _read(response, max_bytes, may_cut=may_cut)
                return Fetched(target, charset, body)
        raise NotFetchedError(f"it redirects more than {MAX_REDIRECTS} times")


def _redirected(base: httpx.URL, location: str) -> httpx.URL:
    try:
        return public_url(str(base.join(location)))
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedError("it redirects to no valid URL") from error


def _check(response: httpx.Response, types: frozenset[str]) -> str:
    """Check the status and the type of a response, and return its charset.

    Raises:
        NotFetchedError: it is an error, or not of these types.
    """
    status = response.status_code
    if status != 200:
        is_temporary = status >= 500 or status in _TEMPORARY_STATUSES
        raise NotFetchedError(f"the status is {status}", is_temporary=is_temporary)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in types:
        raise NotFetchedError("it is of another type")
    return response.charset_encoding or ""


async def _read(response: httpx.Response, max_bytes: int, *, may_cut: bool) -> bytes:
    """Return the decompressed body, up to a number of bytes.

    Nothing is decompressed beyond that number, so a small body cannot fill the memory.

    Raises:
        NotFetchedError: it is longer, unless it may be cut; or it is compressed in another way.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise NotFetchedError("it is compressed in another way than by gzip")
    inflater = None if encoding == "identity" else zlib.decompressobj(_GZIP)
    body = bytearray()
    try:
        async for chunk in response.aiter_raw():
            room = max_bytes + 1 - len(body)
            body += chunk[:room] if inflater is None else inflater.decompress(chunk, room)
            if len(body) > max_bytes:
                if not may_cut:
                    raise NotFetchedError("it is too large")
                break
    except zlib.error as error:
        raise NotFetchedError("it is not compressed correctly") from error
    return bytes(body[:max_bytes])
