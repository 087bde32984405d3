"""Atom feeds of profiles (RFC 4287)."""

import re
from datetime import UTC, datetime
from html import escape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from cruddur.routes.page_heads import (
    SITE,
    absolute,
    crud_url,
    exact_time,
    excerpt,
    feed_url,
    profile_title,
    profile_url,
)
from cruddur.wire import Crud, Profile, ProfileFeed

_NAMESPACE = "http://www.w3.org/2005/Atom"
_TITLE_CHARS = 70

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without entries was updated: what changed last is deleted."""

# The characters that XML 1.0 does not allow, not even escaped (section 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_feed(feed: ProfileFeed, origin: str) -> bytes:
    """Return the Atom feed of a profile.

    Args:
        feed: the profile and its live cruds.
        origin: the public origin of the service.
    """
    profile = feed.profile
    root = Element("feed", {"xmlns": _NAMESPACE})
    _add(root, "id", profile_url(profile, origin))
    _add(root, "title", f"{profile_title(profile)} · {SITE}")
    if profile.bio:
        _add(root, "subtitle", profile.bio)
    if avatar := absolute(profile.avatar_url, origin):
        _add(root, "icon", avatar)
    updated = max((crud.created_at for crud in feed.activities), default=_EPOCH)
    _add(root, "updated", updated.isoformat())
    _link(root, "self", "application/atom+xml", feed_url(profile, origin))
    _link(root, "alternate", "text/html", profile_url(profile, origin))
    _add_author(root, profile, origin)
    for crud in feed.activities:
        _add_entry(root, crud, origin)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(root: Element, crud: Crud, origin: str) -> None:
    entry = SubElement(root, "entry")
    _add(entry, "id", crud.uuid.urn)
    _add(entry, "title", excerpt(crud.message, _TITLE_CHARS))
    _add(entry, "published", crud.created_at.isoformat())
    _add(entry, "updated", crud.created_at.isoformat())
    _link(entry, "alternate", "text/html", crud_url(crud, origin))
    for picture in crud.pictures:
        _link(entry, "enclosure", "image/jpeg", f"{origin}{picture.url}")
    _add_author(entry, crud, origin)
    _add(entry, "content", _content(crud, origin), type="html")


def _add_author(parent: Element, person: Profile | Crud, origin: str) -> None:
    author = SubElement(parent, "author")
    _add(author, "name", person.display_name)
    _add(author, "uri", profile_url(person, origin))


def _content(crud: Crud, origin: str) -> str:
    text = escape(crud.message).replace("\n", "<br/>")
    pictures = "".join(
        f'<p><img src="{escape(origin + picture.url)}" alt="{escape(picture.alt)}"'
        f' width="{picture.width}" height="{picture.height}"/></p>'
        for picture in crud.pictures
    )
    end = "" if crud.expires_at is None else f"<p>Expires on {exact_time(crud.expires_at)}.</p>"
    return f"<p>{text}</p>{pictures}{end}"


def _add(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _link(parent: Element, rel: str, kind: str, href: str) -> None:
    SubElement(parent, "link", {"rel": rel, "type": kind, "href": href})
