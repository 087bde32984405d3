"""Read what an HTML page on standard input says about itself, and write it as JSON.

This is a separate program that is started for each page, like `picture.py` and with its limits, so
no page can slow down the service or use its memory. The parser is that of the standard library,
which only splits a page into tags. Building the tree of HTML5 takes 16 s and 2.5 GB for some pages
of 64 kB, with a parser in C, because the standard demands that tree.

The first line of the input is the charset of the Content-Type, perhaps empty.
"""

import codecs
import contextlib
import html
import json
import re
import sys
from html.parser import HTMLParser

from cruddur.process.picture import limit

_MAX_CHARS = 2000
"""Characters of each value that are returned."""

_TITLE = ("og:title", "twitter:title")
_DESCRIPTION = ("og:description", "twitter:description", "description")
_PICTURE = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
_WANTED = frozenset({*_TITLE, *_DESCRIPTION, *_PICTURE})

_PRESCAN_BYTES = 1024  # as browsers do (HTML, 13.2.3.2)
_META_CHARSET = re.compile(
    rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([\w:.-]{1,40})", re.IGNORECASE
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
)

# What a label means in HTML (Encoding, 4.2), where Python's codec of that name is another one.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
}
_CHARSETS = re.compile(
    r"utf-8|utf-16-[bl]e|cp(?:866|874|932|949|125[0-8])|iso8859-\d+|koi8-[ru]|mac-(?:roman|cyrillic)"
    r"|gb18030|big5hkscs|euc_jp|iso2022_jp"
)


def main() -> int:
    """Write the metadata of the page and return the exit code."""
    limit()
    charset, _, page = sys.stdin.buffer.read().partition(b"\n")
    json.dump(read_metadata(decode(page, charset.decode("ascii", "replace"))), sys.stdout)
    return 0


def decode(page: bytes, charset: str) -> str:
    """Return the text of a page: by its byte order mark, the header, its <meta>, or a guess."""
    for mark, name in _BYTE_ORDER_MARKS:
        if page.startswith(mark):
            return page[len(mark) :].decode(name, "replace")
    found = _META_CHARSET.search(page[:_PRESCAN_BYTES])
    for label in (charset, found[1].decode("ascii", "replace") if found else ""):
        if codec := _codec(label):
            # A <meta> that could be read is not in UTF-16.
            codec = "utf-8" if label is not charset and codec.startswith("utf-16") else codec
            return page.decode(codec, "replace")
    text = page.decode("utf-8", "replace")
    # A page that was cut may end inside a character.
    return page.decode("cp1252", "replace") if "\ufffd" in text[:-1] else text


def read_metadata(text: str) -> dict[str, str]:
    """Return the title, the description and the address of the picture of a page, where known."""
    parser = _MetadataParser()
    with contextlib.suppress(_EndOfHeadError):
        parser.feed(text)
    values = parser.values
    values.setdefault("<title>", html.unescape(parser.title))
    chosen = {
        "title": _first(values, (*_TITLE, "<title>")),
        "description": _first(values, _DESCRIPTION),
        "picture": _first(values, (*_PICTURE, "<link>")),
    }
    return {name: value[:_MAX_CHARS] for name, value in chosen.items()}


class _EndOfHeadError(Exception):
    """Everything that describes the page has been read."""


class _MetadataParser(HTMLParser):
    """Collects the first value of each property.

    Attributes:
        values: the values by property.
        title: the text of the first <title>.
    """

    # In a title, tags are text. Python before 3.13.6 treats it like other elements.
    CDATA_CONTENT_ELEMENTS = (*HTMLParser.CDATA_CONTENT_ELEMENTS, "title")  # type: ignore[misc]  # a constant in typeshed

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self.title = ""
        self._in_title = False
        self._had_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in reversed(attrs)}
        if tag == "meta":
            name = (found.get("property") or found.get("name") or "").strip().lower()
            if name in _WANTED and found.get("content", "").strip():
                self.values.setdefault(name, found["content"])
        elif tag == "link" and "image_src" in found.get("rel", "").lower().split():
            self.values.setdefault("<link>", found.get("href", ""))
        elif tag == "title":
            self._in_title, self._had_title = not self._had_title, True
        elif tag == "body":
            self._end_head()

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == "head":
            self._end_head()

    def handle_data(self, data: str) -> None:
        if self._in_title and len(self.title) < _MAX_CHARS:
            self.title += data

    def _end_head(self) -> None:
        # Some pages have their properties in the body.
        if any(name in self.values for name in _TITLE):
            raise _EndOfHeadError


def _codec(label: str) -> str | None:
    """Return the codec of a label, or None if browsers do not know it."""
    try:
        name = codecs.lookup(label.strip()).name
    except (LookupError, ValueError):
        return None
    name = _SUPERSETS.get(name, name)
    return name if _CHARSETS.fullmatch(name) else None


def _first(values: dict[str, str], names: tuple[str, ...]) -> str:
    return next((values[name] for name in names if values.get(name, "").strip()), "")


if __name__ == "__main__":
    sys.exit(main())
