"""What the pages of people and cruds say about themselves before their scripts run.

The title, the description and the OpenGraph properties (https://ogp.me) are what a link to the page
shows in a chat or in search results. The front end gives its windows the same titles
(`src/text/titles.ts`), and removes the elements marked `data-page` when it shows another page.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Literal

from cruddur.wire import Crud, Profile

SITE = "Cruddur"

_TITLE_CHARS = 70
_DESCRIPTION_CHARS = 300
_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHead:
    """The head of one page.

    Attributes:
        title: the title without the name of the site.
        description: one or two sentences.
        url: the canonical address.
        feed_url: the address of the Atom feed, None if the page has none.
        properties: the OpenGraph properties that other pages do not have.
        card: how large sites of the kind of Twitter show the picture.
        headers: response headers of the page.
    """

    title: str
    description: str
    url: str
    feed_url: str | None = None
    properties: dict[str, str | None] = field(default_factory=dict)
    card: Literal["summary", "summary_large_image"] = "summary"
    headers: dict[str, str] = field(default_factory=dict)

    def render(self) -> str:
        """Return the HTML elements."""
        return "\n    ".join(self._elements())

    def _elements(self) -> Iterator[str]:
        yield f"<title>{escape(self.title)} · {SITE}</title>"
        yield _element("meta", name="description", content=self.description)
        yield _element("link", rel="canonical", href=self.url)
        if self.feed_url is not None:
            yield _element("link", rel="alternate", type="application/atom+xml", href=self.feed_url)
        properties = {
            "og:site_name": SITE,
            "og:url": self.url,
            "og:description": self.description,
            **self.properties,
        }
        for name, content in properties.items():
            if content is not None:
                yield _element("meta", property=name, content=content)
        yield _element("meta", name="twitter:card", content=self.card)


def profile_head(profile: Profile, origin: str) -> PageHead:
    """Return the head of a profile page.

    Args:
        profile: the user.
        origin: the public origin of the service.
    """
    cruds = "1 live crud" if profile.cruds_count == 1 else f"{profile.cruds_count} live cruds"
    bio = excerpt(profile.bio, _DESCRIPTION_CHARS)
    title = profile_title(profile)
    return PageHead(
        title=title,
        description=f"{cruds} on {SITE}. {bio}".rstrip(),
        url=profile_url(profile, origin),
        feed_url=feed_url(profile, origin),
        properties={
            "og:type": "profile",
            "og:title": f"{title} on {SITE}",
            "og:image": absolute(profile.avatar_url, origin),
            "profile:username": profile.handle,
        },
    )


def crud_head(crud: Crud, origin: str, now: datetime) -> PageHead:
    """Return the head of a crud's page.

    Search engines are asked to remove the page when the crud expires, and to keep no copy of it.

    Args:
        crud: the crud, which expires.
        origin: the public origin of the service.
        now: the present time.
    """
    text = excerpt(crud.message, _DESCRIPTION_CHARS)
    ends = crud.expires_at or now
    return PageHead(
        title=f"{crud.display_name}: “{excerpt(crud.message, _TITLE_CHARS)}”",
        description=f"Expires in {time_left(ends - now)}, on {exact_time(ends)}. “{text}”",
        url=crud_url(crud, origin),
        properties={
            "og:type": "article",
            "og:title": f"{crud.display_name} (@{crud.handle}) on {SITE}",
            **_image(crud, origin),
            "article:published_time": crud.created_at.isoformat(),
            "article:expiration_time": ends.isoformat(),
            "article:author": profile_url(crud, origin),
        },
        headers={"X-Robots-Tag": f"noarchive, unavailable_after: {ends.isoformat()}"},
        card="summary_large_image" if crud.pictures else "summary",
    )


def _image(crud: Crud, origin: str) -> dict[str, str | None]:
    """Return the properties of the first picture of a crud, or else of its author's picture."""
    if not crud.pictures:
        return {"og:image": absolute(crud.avatar_url, origin)}
    picture = crud.pictures[0]
    return {
        "og:image": absolute(picture.url, origin),
        "og:image:type": "image/jpeg",
        "og:image:width": str(picture.width),
        "og:image:height": str(picture.height),
        "og:image:alt": picture.alt or None,
    }


def profile_title(profile: Profile) -> str:
    """Return the title of a profile page, without the name of the site."""
    return f"{profile.display_name} (@{profile.handle})"


def profile_url(person: Profile | Crud, origin: str) -> str:
    """Return the address of the profile page of a user, or of a crud's author."""
    return f"{origin}/@{person.handle}"


def feed_url(profile: Profile, origin: str) -> str:
    """Return the address of a user's Atom feed."""
    return f"{profile_url(profile, origin)}/feed.atom"


def crud_url(crud: Crud, origin: str) -> str:
    """Return the address of a crud's page."""
    return f"{profile_url(crud, origin)}/status/{crud.uuid}"


def absolute(path: str | None, origin: str) -> str | None:
    """Return the address of a path of the service, if there is one."""
    return None if path is None else f"{origin}{path}"


def excerpt(text: str, limit: int) -> str:
    """Return a text on one line, with at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def time_left(left: timedelta) -> str:
    """Return a duration in its largest unit, rounded down."""
    for unit, name in _UNITS:
        if (count := left // unit) >= 1:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"


def exact_time(time: datetime) -> str:
    """Return a time to the minute, in UTC."""
    utc = time.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y at %H:%M} UTC"


def _element(tag: str, **attributes: str) -> str:
    written = " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{tag} {written} data-page />"
