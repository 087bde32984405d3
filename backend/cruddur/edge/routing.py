"""Find the route of a request before any layer handles it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from cruddur.asgi_types import Scope
from cruddur.request_context import Kind
from cruddur.telemetry.redaction import redact_path, scrub_if_suspicious

MAX_CACHED_PATHS = 1024
"""Paths whose match is cached, the least recently used evicted first."""

_PUBLIC_ARGUMENTS = frozenset(
    {"asset", "digest", "handle", "message_group_uuid", "subject", "uuid"}
)
"""Path parameters whose values may be logged; a path with any other one is logged as its rule."""


@dataclass(frozen=True, slots=True)
class Match:
    """The result of matching a method and a path.

    Attributes:
        kind: how the edge treats the request.
        route: the text of the rule, or None without a match.
        redacted_path: the path with everything private redacted.
        private: values of path parameters that no log or span may contain.
    """

    kind: Kind
    route: str | None
    redacted_path: str
    private: tuple[str, ...] = ()


class Router:
    """Matches requests with the rules of the application."""

    def __init__(self, url_map: Map, kinds: Mapping[str, Kind]) -> None:
        """Set the rules.

        Args:
            url_map: the rules of the application; rules may be added until the first request.
            kinds: the rules whose requests are not `Kind.PLAIN`.
        """
        self._adapter = url_map.bind("")
        self._kinds = kinds
        self._cached = lru_cache(MAX_CACHED_PATHS)(self._match)

    def match(self, scope: Scope) -> Match:
        """Return the match of an HTTP or WebSocket scope."""
        is_websocket = scope["type"] == "websocket"
        return self._cached("GET" if is_websocket else scope["method"], scope["path"], is_websocket)

    def _match(self, method: str, path: str, is_websocket: bool) -> Match:
        try:
            rule, arguments = self._look_up(method, path, is_websocket)
        except HTTPException:
            return Match(Kind.PLAIN, None, redact_path(path))
        kind = self._kinds.get(rule.rule, Kind.PLAIN)
        if arguments.keys() <= _PUBLIC_ARGUMENTS:
            return Match(kind, rule.rule, scrub_if_suspicious(path))
        return Match(kind, rule.rule, rule.rule, tuple(map(str, arguments.values())))

    def _look_up(
        self, method: str, path: str, is_websocket: bool
    ) -> tuple[Rule, Mapping[str, Any]]:
        return self._adapter.match(path, method, return_rule=True, websocket=is_websocket)
