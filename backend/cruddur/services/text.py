r"""Find the links, #tags and @mentions of a text.

The page has the same grammar (`frontend-react-js/src/text/rich.ts`); the cases of
`tests/text/cases.json` hold for both. Properties of Unicode are those of the module `regex`.
"""

import unicodedata
from collections.abc import Iterator
from typing import Literal, TypeAlias

import regex

Kind: TypeAlias = Literal["link", "tag", "mention"]

TAG_CHARS = 100
MAX_MENTIONS = 50
"""Maximum number of users that one message notifies."""

# Outside ASCII, punctuation that ends a sentence, quotes or brackets also ends an address: in
# Chinese and Japanese no space follows it.
_URL_CHARACTER = (
    r"(?:[!#-;=?-~]|\p{Join_Control}"
    r"|(?![\p{Z}\p{Cc}\p{Cf}\p{Ps}\p{Pe}\p{Pi}\p{Pf}"
    r"\p{Terminal_Punctuation}\p{Quotation_Mark}])[^\x00-\x7f])"
)
# A letter that follows a host of ASCII characters without a space.
_NEXT_LETTER = (
    r"[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]"
)
_URL = regex.compile(
    r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*://"
    rf"(?:[A-Za-z0-9.-]+\.[A-Za-z]{{2,}}(?={_NEXT_LETTER})|{_URL_CHARACTER}+)"
    # An address without a scheme is no link, but what looks like a tag in it is none, either.
    r"|(?<![A-Za-z0-9.-]|(?<![A-Za-z0-9])[@＠])"
    rf"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}(?::[0-9]+)?[/?]{_URL_CHARACTER}*"
)

# U+05F3 (geresh), U+3003 (ditto) and the voiced sound marks of kana stand for letters.
_TAG_CHARACTER = r"(?:[\p{L}\p{M}\p{N}_\u05f3\u3003]|(?=\p{scx=Kana})\p{Sk})"
# Inside a word: joiners and other format characters (UAX #29, WB4), middle dots, the punctuation of
# a script, such as the katakana middle dot, and U+FF5E, which Windows types for the Japanese wave
# dash. U+200B is a space.
_TAG_SIGN = (
    r"(?:(?!\u200b)[\p{Cf}\u00b7\u2027\uff5e]"
    r"|(?![\p{scx=Zyyy}\p{scx=Zinh}\p{Terminal_Punctuation}\p{Quotation_Mark}])[\p{Pd}\p{Po}])"
)
_TAG = (
    r"(?<![\p{L}\p{N}_&#＃])[#＃]"
    rf"(?P<tag>[\p{{L}}\p{{N}}_]{_TAG_CHARACTER}*(?:{_TAG_SIGN}+{_TAG_CHARACTER}+)*)"
)
# A letter of Latin script before @ makes an address, and a domain after it does with any letter.
_MENTION = (
    r"(?<![\p{sc=Latn}\p{Nd}_/@＠][!#$%&*]*)"
    r"(?:(?<![\p{L}\p{M}])|(?![@＠][A-Za-z0-9_]+\.[\p{L}\p{N}]))[@＠]"
    r"(?P<mention>[A-Za-z0-9_]{2,30})(?![\p{sc=Latn}\p{M}\p{Nd}_@＠])"
)
_POINTER = regex.compile(rf"{_TAG}|{_MENTION}")
# Joiners make another word of the same letters.
_IGNORED = regex.compile(r"(?!\p{Join_Control})\p{Default_Ignorable_Code_Point}")
_TAG_LETTER = regex.compile(r"[\p{L}\p{Nl}]")

_LINK = regex.compile(r"https?://.*[\p{L}\p{N}\p{S}]", regex.IGNORECASE)
_TRAILING = frozenset(".,;:!?'…)]}")
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def tags(message: str) -> list[str]:
    """Return the distinct #tags, folded. A tag has at least one letter."""
    return list(dict.fromkeys(word for kind, word in pointers(message) if kind == "tag"))


def mentions(message: str) -> list[str]:
    """Return the distinct @mentioned handles, in lower case."""
    handles = dict.fromkeys(word for kind, word in pointers(message) if kind == "mention")
    return list(handles)[:MAX_MENTIONS]


def first_link(message: str) -> str | None:
    """Return the first link, or None."""
    return next((word for kind, word in pointers(message) if kind == "link"), None)


def pointers(message: str) -> Iterator[tuple[Kind, str]]:
    """Yield the links, #tags and @mentions of a text, in their order.

    A link is an address with the scheme http or https. Nothing inside an address of any scheme is
    a tag or a mention. Tags are folded, handles are in lower case.
    """
    start = 0
    for match in _URL.finditer(message):
        url = _without_end(match[0])
        yield from _words(message[start : match.start()])
        start = match.start() + len(url)
        if _LINK.match(url):
            yield "link", url
    yield from _words(message[start:])


def fold_tag(tag: str) -> str:
    """Return a tag as it is stored: in lower case, composed, without ignorable characters."""
    return unicodedata.normalize("NFC", _IGNORED.sub("", tag.lower()))


def _words(text: str) -> Iterator[tuple[Kind, str]]:
    for match in _POINTER.finditer(text):
        if match["mention"]:
            yield "mention", match["mention"].lower()
        elif _TAG_LETTER.search(match["tag"]) and _length(match["tag"]) <= TAG_CHARS:
            yield "tag", fold_tag(match["tag"])


def _length(tag: str) -> int:
    return len(unicodedata.normalize("NFC", tag.lower()))


def _without_end(url: str) -> str:
    """Cut punctuation off the end of an address, but keep a bracket that the address opened."""
    while url[-1] in _TRAILING:
        opening = _BRACKETS.get(url[-1])
        if opening is not None and url.count(opening) >= url.count(url[-1]):
            break
        url = url[:-1]
    return url
