"""Find the #tags and @mentions of a message."""

import re
import unicodedata
from itertools import takewhile

TAG_CHARS = 100

_TAG = re.compile(r"(?<![\w#&/])#(?=(\w\S*))")
_MENTION = re.compile(r"(?<![\w@/])@([A-Za-z0-9_]{2,30})(?!\w)")
MAX_MENTIONS = 50
"""Maximum number of users that one message notifies."""


def tags(message: str) -> list[str]:
    """Return the distinct #tags, folded, without those that are only digits."""
    folded = (
        fold_tag("".join(takewhile(_is_word_character, rest))) for rest in _TAG.findall(message)
    )
    return list(
        dict.fromkeys(tag for tag in folded if not tag.isdecimal() and len(tag) <= TAG_CHARS)
    )


def fold_tag(tag: str) -> str:
    """Return a tag as it is stored: in lower case and composed (NFC)."""
    return unicodedata.normalize("NFC", tag.lower())


def _is_word_character(character: str) -> bool:
    """Return whether a character can be in a tag, including vowel marks, which `\\w` excludes."""
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def mentions(message: str) -> list[str]:
    """Return the distinct @mentioned handles, in lower case."""
    folded = (match.lower() for match in _MENTION.findall(message))
    return list(dict.fromkeys(folded))[:MAX_MENTIONS]
