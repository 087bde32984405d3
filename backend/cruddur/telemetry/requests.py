"""What is known of a request before anything answers it: its span's name and attributes."""

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from opentelemetry.util.types import AttributeValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from cruddur.telemetry.redaction import redact_odd, redact_path, redact_query

METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
)
"""Any other is `_OTHER` (semantic conventions), lest a caller invents span names."""

_KEPT = 1024
"""Paths, hosts and browsers whose reading is kept, the least used given up first."""

_PUBLIC_ARGUMENTS = frozenset(
    {"asset", "digest", "handle", "message_group_uuid", "subject", "uuid"}
)
_HOST = re.compile(r"([\w.-]+|\[[\d:a-fA-F.]+\])(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class _Match:
    """What a method and a path come to: the rule that they match, if there is one.

    Attributes:
        route: the rule's text, or None.
        shown: the path, as far as it may be seen.
        private: the values of its parameters that may not.
    """

    route: str | None
    shown: str
    private: tuple[str, ...] = ()


class RequestNames:
    """Names requests by the rule that they match, before anything else is known of them."""

    def __init__(self, url_map: Map) -> None:
        """Take the application's rules; more may be added until the first request."""
        self._adapter = url_map.bind("")
        self._match = lru_cache(_KEPT)(self._matched)

    def describe(self, scope: MutableMapping[str, Any]) -> tuple[str, dict[str, AttributeValue]]:
        """The span's name and its first attributes (semantic conventions, HTTP server spans).

        Adds to the scope `cruddur.path`, which may be shown, and, where a rule matches,
        `cruddur.route` and `cruddur.private`.
        """
        is_websocket = scope["type"] == "websocket"
        verb = "WS" if is_websocket else scope["method"]
        method = "GET" if is_websocket else verb
        match = self._match(method, scope["path"], is_websocket)
        scope["cruddur.path"] = match.shown
        attributes: dict[str, AttributeValue] = {
            "http.request.method": method if method in METHODS else "_OTHER",
            "url.scheme": scope["scheme"],
            "url.path": match.shown,
            "network.protocol.version": scope["http_version"],
        }
        if query := scope.get("query_string"):
            attributes["url.query"] = redact_query(query.decode("latin-1"))
        if client := scope.get("client"):
            attributes["client.address"], attributes["client.port"] = client
        for name, value in scope["headers"]:
            if name == b"user-agent":
                attributes["user_agent.original"] = _browser(value)
            elif name == b"host" and (server := _server(value, scope["scheme"])):
                attributes["server.address"], attributes["server.port"] = server
        if match.route is None:
            return verb if verb in METHODS or is_websocket else "HTTP", attributes
        scope["cruddur.route"] = attributes["http.route"] = match.route
        if match.private:
            scope["cruddur.private"] = match.private
        return f"{verb} {match.route}", attributes

    def _matched(self, method: str, path: str, is_websocket: bool) -> _Match:
        try:
            rule, arguments = self._look_up(method, path, is_websocket)
        except HTTPException:
            return _Match(None, redact_path(path))
        if arguments.keys() <= _PUBLIC_ARGUMENTS:
            return _Match(rule.rule, redact_odd(path))
        # A signed address.
        return _Match(rule.rule, rule.rule, tuple(map(str, arguments.values())))

    def _look_up(
        self, method: str, path: str, is_websocket: bool
    ) -> tuple[Rule, Mapping[str, Any]]:
        return self._adapter.match(path, method, return_rule=True, websocket=is_websocket)


@lru_cache(_KEPT)
def _browser(value: bytes) -> str:
    return redact_odd(value.decode("latin-1"))


@lru_cache(_KEPT)
def _server(value: bytes, scheme: str) -> tuple[str, int] | None:
    """Host and port that the caller used, where the scope has those of the socket."""
    host = _HOST.fullmatch(value.decode("latin-1"))
    if host is None:
        return None
    default = 443 if scheme in {"https", "wss"} else 80
    return host[1].strip("[]"), int(host[2] or default)
