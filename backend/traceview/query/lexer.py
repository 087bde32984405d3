"""Split the text of a query into tokens."""

import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from traceview.query.model import Duration, Instant, QueryError, Value

TEXT_CHARS = 10_000
"""Maximum length of a query."""

RESERVED = frozenset(
    {
        *("and", "asc", "background", "by", "contains", "desc", "every", "exists"),
        *("false", "from", "in", "limit", "not", "or", "order", "since", "true", "until"),
        *("where", "with"),
    }
)

NS_PER_UNIT = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}

MAX_INTEGER = 2**63 - 1

TokenKind: TypeAlias = Literal["word", "quoted key", "value", "symbol", "end"]


class Token(NamedTuple):
    """A part of the text. `text` is a word, the name of a key or a symbol; `value` a literal."""

    kind: TokenKind
    text: str
    position: int
    value: Value | None = None


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)?)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?P<unit>[A-Za-zµμ]*)
    |(?P<word>[A-Za-z_][A-Za-z0-9_.\-]*)
    |(?P<key>`(?:[^`]|``)*`)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<symbol><=|>=|!=|[=<>(),|])
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text; the last one marks its end.

    Raises:
        QueryError: the text is too long or contains something that is no token.
    """
    if len(text) > TEXT_CHARS:
        raise QueryError(f"a query has at most {TEXT_CHARS} characters", TEXT_CHARS)
    found = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(_unknown(text[position]), position)
        if token := _token(match):
            found.append(token)
        position = match.end()
    return [*found, Token("end", "", len(text))]


def _unknown(character: str) -> str:
    if character in "\"'`":
        return f"the closing {character} is missing"
    return f"{character!r} is not part of the language"


def _token(match: re.Match[str]) -> Token | None:
    text, position = match[0], match.start()
    if match["space"]:
        return None
    if match["word"]:
        return Token("word", text, position)
    if match["symbol"]:
        return Token("symbol", text, position)
    if match["key"]:
        name = text[1:-1].replace("``", "`")
        return Token("quoted key", _encodable(name, position), position)
    if match["string"]:
        return Token("value", text, position, _string(text, position))
    if match["time"]:
        return Token("value", text, position, _instant(text, position))
    return Token("value", text, position, _number(match["number"], match["unit"], position))


def _string(text: str, position: int) -> str:
    if text.startswith("'"):
        inner = re.sub(r"\\(.)|\"", _to_json_escape, text[1:-1], flags=re.DOTALL)
        text = f'"{inner}"'
    try:
        value: str = json.loads(text, strict=False)
    except ValueError as error:
        raise QueryError("the text has an unknown escape after \\", position) from error
    return _encodable(value, position)


def _to_json_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return r"\""
    return "'" if match[1] == "'" else match[0]


def _encodable(text: str, position: int) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError("the text contains half of a surrogate pair", position) from error
    return text


def _instant(text: str, position: int) -> Instant:
    whole, _, fraction = text.partition(".")
    digits = re.match(r"\d*", fraction)
    count = digits[0] if digits else ""
    zone = fraction[len(count) :] if fraction else ""
    try:
        moment = datetime.fromisoformat(whole + zone)
    except ValueError as error:
        raise QueryError("this is not a time such as 2026-11-29T12:00:00Z", position) from error
    if len(count) > 9:
        raise QueryError("a time has at most nine decimal places", position)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = round(moment.timestamp())
    if not 0 <= seconds < MAX_INTEGER // 10**9:
        raise QueryError("the time is out of range", position)
    return Instant(seconds * 10**9 + int(count.ljust(9, "0")))


def _number(number: str, unit: str, position: int) -> int | float | Duration:
    if unit:
        return _duration(number, unit.replace("µ", "u").replace("μ", "u"), position)
    if re.fullmatch(r"-?\d+", number):
        if len(number) > 20 or abs(int(number)) > MAX_INTEGER:
            raise QueryError("the number is out of range", position)
        return int(number)
    value = float(number)
    if not math.isfinite(value):
        raise QueryError("the number is out of range", position)
    return value


def _duration(number: str, unit: str, position: int) -> Duration:
    if unit not in NS_PER_UNIT:
        raise QueryError(f"{unit!r} is not a unit; use {', '.join(NS_PER_UNIT)}", position)
    amount = Decimal(number) * NS_PER_UNIT[unit]
    if amount.adjusted() > 19 or not 0 <= amount <= MAX_INTEGER:
        raise QueryError("the duration is negative or out of range", position)
    if amount != amount.to_integral_value():
        raise QueryError("a duration has whole nanoseconds", position)
    return Duration(int(amount))
