"""What the words of a crud point at: #tags and @handles."""

import re

TAG_CHARS = 100

_TAG = re.compile(r"(?<![\w#&/])#(\w{1,100})(?!\w)")
_MENTION = re.compile(r"(?<![\w@/])@([A-Za-z0-9_]{2,30})(?!\w)")
MENTIONS_MOST = 50
"""People that one message can notify: more is not talking to anybody."""


def tags(message: str) -> list[str]:
    """The distinct #tags, folded to lower case, without those that are only digits."""
    found = (match.lower() for match in _TAG.findall(message))
    return list(
        dict.fromkeys(tag for tag in found if not tag.isdecimal() and len(tag) <= TAG_CHARS)
    )


def mentions(message: str) -> list[str]:
    """The distinct handles that are @mentioned, in lower case."""
    found = (match.lower() for match in _MENTION.findall(message))
    return list(dict.fromkeys(found))[:MENTIONS_MOST]
