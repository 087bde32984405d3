"""Remove private data: message texts, tokens, codes, addresses, passwords.

Structure comes first: placeholders in SQL, route templates, a list of query keys that may be shown.
Patterns and the values of the request itself are for free text such as the messages of exceptions,
because a library may quote anything in them.
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
"""Query parameters whose values may be shown; others may contain text of a user."""

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
"""Request headers whose values may be shown; of all others, only the names are."""

_PROTOCOL_HEADERS = frozenset(
    {
        "cache-control",
        "connection",
        "dnt",
        "expect",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "keep-alive",
        "pragma",
        "priority",
        "range",
        "save-data",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "via",
    }
)
"""Request headers whose values HTTP defines. They are redacted, but their values are not secret."""

_CLIENT_HINTS = ("sec-fetch-", "sec-ch-")  # the browser describes itself

_OPAQUE = re.compile(r"[\w=-]*")  # a cursor, a number, a uuid, a handle
_WORD = re.compile(r"[a-z_-]{1,24}(?:\.[a-z0-9]{1,5})?")  # common in paths and parameters
_PUBLIC = re.compile(r"@[a-z0-9_]{2,30}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"[A-Za-z_$][\w$]{0,39}")
# A quotation. Without its end, it lasts up to the end of the text. An apostrophe is not a quote.
_QUOTED = re.compile(
    r"(?<!\w)[\"'`\u201c\u2018\xab](.*?)(?:[\"'`\u201d\u2019\xbb](?!\w)|$)", re.DOTALL
)
_SUSPICIOUS = re.compile(
    r"[^/]@|%40|eyJ|cruddur_[0-9a-f]{20}"
)  # may be part of an address or a token
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t"}
_MIN_CHARS = 3
"""Minimum length of a value that is replaced; shorter values occur in any text."""

_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")  # close, keep-alive: letters only
# A plain word starts outside of another word, or after an escape such as \n.
_BEGIN = r"(?:(?<![^\W\d_])|(?<=\\[nrt]))"
_END = r"(?![^\W\d_])"

_HINT = re.compile(r"@|%40|eyJ|cruddur_|earer |asic |://|-----")  # without any, no pattern matches
_PATTERNS = re.compile(
    r"""
      eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?                       # a JSON web token
    | cruddur_[0-9a-f]{20,}                                 # an API token
    | (?:(?<=[Bb]earer\ )|(?<=[Bb]asic\ ))\S+
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                      # user and password of a URL
    | (?:"[^"\n]{1,64}"|[^\s"'<>()\[\],;:@\\/=&?]{1,64})(?:@|%40)    # an e-mail address
      (?:\[[^\]\s]+\]|[\w-]+(?:\.[\w-]+)*)
    | -----BEGIN[ ][A-Z ]+-----.*?-----END[ ][A-Z ]+-----
    """,
    re.VERBOSE | re.DOTALL,
)


def scrub(text: str, private: Iterable[str] = ()) -> str:
    """Return the text without addresses, tokens and the given private values.

    Args:
        text: free text, such as the message of an exception.
        private: values to remove, however they are quoted in the text. One that is a plain word
            is removed only where it stands as a word: "close" leaves "closed" alone.
    """
    values = sorted({v for v in private if len(v) >= _MIN_CHARS}, key=len, reverse=True)
    if values:
        # One backslash of a run is enough; more could be matched in too many ways.
        plain = (re.sub(r"\\+", r"\\", value) for value in values)
        quoted = "|".join(map(_pattern, plain))
        text = re.sub(quoted, REDACTED, text, flags=re.IGNORECASE)
    return _PATTERNS.sub(REDACTED, text) if _HINT.search(text) else text


def _pattern(value: str) -> str:
    quoted = "".join(map(_quoted, value))
    return f"{_BEGIN}{quoted}{_END}" if _PLAIN_WORD.fullmatch(value) else quoted


def _quoted(character: str) -> str:
    """Return a pattern for a character, also as Python and JSON escape it, once or twice."""
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
    """Return a query string with only the values of harmless keys, and without unusual keys."""
    shown = []
    for key, value in parse_qsl(query, keep_blank_values=True):
        is_harmless = key in HARMLESS_QUERY_KEYS and _OPAQUE.fullmatch(value)
        is_word = _WORD.fullmatch(key)
        shown.append((key if is_word else REDACTED, value if is_harmless else REDACTED))
    return urlencode(shown, safe="[]")


def redact_path(path: str) -> str:
    """Return a path that matched no route, with only its plain words."""
    segments = path.split("/")
    return "/".join(s if not s or _WORD.fullmatch(s) else REDACTED for s in segments)


def redact_public_path(path: str) -> str:
    """Return a path with its plain words, its uuids and its handles."""
    return "/".join(
        s if not s or _WORD.fullmatch(s) or _PUBLIC.fullmatch(s) else REDACTED
        for s in path.split("/")
    )


def scrub_quotes(text: str, *, keep_names: bool) -> str:
    """Return a text without what it quotes.

    Args:
        text: the message of an exception of a script.
        keep_names: whether quoted names, such as those of properties, stay.
    """

    def replaced(match: re.Match[str]) -> str:
        return match[0] if keep_names and _NAME.fullmatch(match[1]) else REDACTED

    return _QUOTED.sub(replaced, text)


def scrub_if_suspicious(text: str) -> str:
    """Scrub a text from the client that is usually harmless.

    Such a text is a path that matched a route with public parameters, or a user agent.
    """
    return scrub(text) if _SUSPICIOUS.search(text) else text


def redact_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an ASGI scope by name, with only the values of harmless ones."""
    redacted = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1")
        shown = scrub(raw_value.decode("latin-1")) if name in HARMLESS_HEADERS else REDACTED
        redacted[name] = shown
    return redacted


def private_values(scope: Mapping[str, Any], bodies: Iterable[object]) -> Iterator[str]:
    """Yield every text of a request that may be private.

    These are the strings of its body, the values of its query, and the values of its headers,
    except headers whose values HTTP defines.
    """
    for body in bodies:
        yield from _strings(body if isinstance(body, str) else msgspec.to_builtins(body))
    query = scope.get("query_string", b"").decode("latin-1")
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in HARMLESS_QUERY_KEYS:
            yield value
            yield unquote_to_bytes(value).decode("utf-8", "replace")
    for raw_name, raw_value in scope.get("headers", ()):
        yield from _header_values(raw_name.decode("latin-1"), raw_value.decode("latin-1"))


def _header_values(name: str, value: str) -> Iterator[str]:
    if name in HARMLESS_HEADERS or name in _PROTOCOL_HEADERS or name.startswith(_CLIENT_HINTS):
        return
    yield value
    # An error may quote a part: the value of a cookie, a token without its scheme. Words are not
    # secret: the scheme, the name of a cookie, `no-cache`.
    for part in re.split(r"[ ;=,]+", value):
        if not _PLAIN_WORD.fullmatch(part.replace("_", "-")):
            yield part


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
