"""A browser as far as the API can tell: an origin, preflights, and what a page may then read."""

from dataclasses import dataclass, field
from typing import Any

import httpx

ORIGIN = "http://localhost:3000"

# What the components of both front ends read (docs/api.md, C1).
ACTIVITY_KEYS = {
    "uuid",
    "handle",
    "display_name",
    "message",
    "created_at",
    "expires_at",
    "replies_count",
    "reposts_count",
    "likes_count",
    "replies",
}
PROFILE_KEYS = {"cognito_user_uuid", "handle", "display_name", "bio", "cruds_count"}
MESSAGE_GROUP_KEYS = {"uuid", "handle", "display_name", "message", "created_at"}
MESSAGE_KEYS = {"uuid", "handle", "display_name", "message", "created_at"}

_SIMPLE_METHODS = {"GET", "HEAD", "POST"}
_SIMPLE_HEADERS = {"accept", "accept-language", "content-language"}
_SIMPLE_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}


@dataclass
class Browser:
    """One page of one origin. `preflights` keeps what was asked before the requests."""

    http: httpx.AsyncClient
    preflights: list[str] = field(default_factory=list)

    async def fetch(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> Any:
        """The parsed answer of a call that must succeed as the front ends check it."""
        response = await self.send(method, url, headers, body)
        assert response.status_code == 200, f"{method} {url}: {response.text}"
        return response.json()

    async def send(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        """Any answer that the page may read: JSON, whatever happened."""
        headers = headers or {}
        asked = self._not_simple(headers)
        if asked or method not in _SIMPLE_METHODS:
            await self._preflight(method, url, asked)
        payload = {"content": body} if isinstance(body, bytes) else {"json": body} if body else {}
        response = await self.http.request(
            method, url, headers={**headers, "Origin": ORIGIN}, **payload
        )
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert response.headers["content-type"] == "application/json"
        assert response.status_code not in {201, 204}
        return response

    async def refusal(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, list[str]]:
        """The status and the codes that the form shows: it maps over an array of strings."""
        response = await self.send(method, url, headers, body)
        codes = response.json()
        assert isinstance(codes, list)
        assert all(isinstance(code, str) for code in codes)
        return response.status_code, codes

    @staticmethod
    def _not_simple(headers: dict[str, str]) -> list[str]:
        names = {name.lower(): value for name, value in headers.items()}
        if names.get("content-type", "text/plain") in _SIMPLE_TYPES:
            names.pop("content-type", None)
        return sorted(set(names) - _SIMPLE_HEADERS)

    async def _preflight(self, method: str, url: str, asked: list[str]) -> None:
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
        if asked:
            headers["Access-Control-Request-Headers"] = ",".join(asked)
        response = await self.http.request("OPTIONS", url, headers=headers)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert method in _listed(response, "access-control-allow-methods")
        allowed = {name.lower() for name in _listed(response, "access-control-allow-headers")}
        assert set(asked) <= allowed
        assert int(response.headers["access-control-max-age"]) > 0
        self.preflights.append(f"{method} {url}")


def _listed(response: httpx.Response, header: str) -> set[str]:
    return {part.strip() for part in response.headers[header].split(",")}


def has(item: dict[str, Any], keys: set[str]) -> bool:
    """Whether a component finds every key that it reads."""
    assert keys - set(item) == set()
    return True


def is_time(text: str) -> bool:
    """Whether both front ends read the time alike: ISO 8601 with an explicit offset."""
    return text.endswith(("Z", "+00:00")) and "T" in text
