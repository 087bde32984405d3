"""What must never leave the process: message texts, tokens, codes, addresses, passwords.

Structure comes first (placeholders in SQL, route templates, an allow-list of query keys);
the patterns and the values of the request itself are for free text such as the messages
of exceptions, where nobody knows beforehand what a library quotes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

import msgspec

REDACTED = "[redacted]"

HARMLESS_QUERY_KEYS = frozenset(
    {"crud", "cursor", "feed", "handle", "last_event_id", "limit", "shape"}
)
"""Query parameters whose values may be seen; all others may hold what a person wrote."""

HARMLESS_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "content-length",
        "content-type",
        "host",
        "origin",
        "traceparent",
        "user-agent",
    }
)
"""Request headers whose values may be seen; of all others only that they were there."""

_OPAQUE = re.compile(r"[\w=-]*")  # a cursor, a number, a uuid, a handle
_WORD = re.compile(r"[a-z_-]{1,24}(?:\.[a-z0-9]{1,5})?")  # as people write paths and parameters
_ODD = re.compile(r"[^/]@|%40|eyJ")  # worth a look for an address or a token
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t"}
_SHORTEST = 3
"""Characters; replacing shorter values would only garble the text."""

_HINT = re.compile(r"@|%40|eyJ|earer |asic |://|-----")  # without any, no pattern matches
_PATTERNS = re.compile(
    r"""
      eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?                       # a JSON web token
    | (?:(?<=[Bb]earer\ )|(?<=[Bb]asic\ ))\S+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                      # user and password of a URL
    | (?:"[^"\n]{1,64}"|[^\s"'<>()\[\],;:@\\/=&?]{1,64})(?:@|%40)    # an e-mail address
      (?:\[[^\]\s]+\]|[\w-]+(?:\.[\w-]+)*)
    | -----BEGIN[ ][A-Z ]+-----.*?-----END[ ][A-Z ]+-----
    """,
    re.VERBOSE | re.DOTALL,
)


def scrub(text: str, private: Iterable[str] = ()) -> str:
    """The text without addresses and tokens, and without the given private values, however
    they are quoted in it."""
    values = sorted({v for v in private if len(v) >= _SHORTEST}, key=len, reverse=True)
    if values:
        # Of a run of backslashes one is enough, and more could be matched in too many ways.
        plain = (re.sub(r"\\+", r"\\", value) for value in values)
        quoted = "|".join("".join(map(_quoted, value)) for value in plain)
        text = re.sub(quoted, REDACTED, text, flags=re.IGNORECASE)
    return _PATTERNS.sub(REDACTED, text) if _HINT.search(text) else text


def _quoted(character: str) -> str:
    """A pattern of a character as it is and as Python and JSON write it, also twice over."""
    if character in "\"'":
        return rf"\\*{character}"
    if character == "\\":
        return r"\\+"
    if character in _ESCAPES:
        return rf"(?:{character}|\\+{_ESCAPES[character]})"
    if character.isascii():
        return re.escape(character)
    units = character.encode("utf-16-be", "surrogatepass").hex()
    escaped = "".join(rf"\\+u{units[i : i + 4]}" for i in range(0, len(units), 4))
    return rf"(?:{re.escape(character)}|{escaped})"


def redact_query(query: str) -> str:
    """A query string without the values of all but the harmless keys, and odd keys."""
    shown = []
    for key, value in parse_qsl(query, keep_blank_values=True):
        is_harmless = key in HARMLESS_QUERY_KEYS and _OPAQUE.fullmatch(value)
        is_word = _WORD.fullmatch(key)
        shown.append((key if is_word else REDACTED, value if is_harmless else REDACTED))
    return urlencode(shown, safe="[]")


def redact_path(path: str) -> str:
    """A path that matched no route: plain words are shown, whatever else it holds is not."""
    segments = path.split("/")
    return "/".join(s if not s or _WORD.fullmatch(s) else REDACTED for s in segments)


def redact_odd(text: str) -> str:
    """A text that is usually harmless, in which anybody may write: a path that matched a
    route with public parameters, or the name of a browser."""
    return scrub(text) if _ODD.search(text) else text


def redact_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of an ASGI scope by name, the values of all but the harmless replaced."""
    found = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1")
        shown = scrub(raw_value.decode("latin-1")) if name in HARMLESS_HEADERS else REDACTED
        found[name] = shown
    return found


def private_values(scope: Mapping[str, Any], bodies: Iterable[object]) -> Iterator[str]:
    """Every text that came with a request and may be private: its body's strings, the
    values of its query, the parameters of a signed path, its headers but for a few."""
    for body in bodies:
        yield from _strings(body if isinstance(body, str) else msgspec.to_builtins(body))
    query = scope.get("query_string", b"").decode("latin-1")
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in HARMLESS_QUERY_KEYS:
            yield value
            yield unquote_to_bytes(value).decode("utf-8", "replace")
    for raw_name, raw_value in scope.get("headers", ()):
        if raw_name.decode("latin-1") not in HARMLESS_HEADERS:
            value = raw_value.decode("latin-1")
            yield value
            yield from re.split(r"[ ;=,]+", value)
    yield from scope.get("cruddur.private", ())


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
