"""Routes for the built front end: its pages and its files.

A build is small, so it is read into memory once, at start. A path that is not in it is 404. Each
page has its own rule, so that its requests have a route name; a catch-all rule would also answer
405 instead of 404.

The pages of people and cruds have heads of their own, and are 404 like their API. No page may be
stored: it names the files of the build, and a crud on it may expire or be deleted at any time. Only
the service worker stores one, which names no crud, together with the files that it names.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from quart import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from cruddur.errors import NotFoundError, UnavailableError
from cruddur.routes import error_handlers
from cruddur.routes.atom import render_feed
from cruddur.routes.endpoint import resources, set_not_modified
from cruddur.routes.html import html_headers
from cruddur.routes.origin import public_origin
from cruddur.routes.page_heads import PageHead, crud_head, profile_head
from cruddur.services import activities
from cruddur.services.unit_of_work import repeated
from cruddur.wire import Paging, entity_tag

PAGES = (
    "/",
    "/notifications",
    "/search",
    "/messages",
    "/messages/@<handle>",
    "/@<handle>",
    "/@<handle>/followers",
    "/@<handle>/following",
    "/@<handle>/status/<uuid:uuid>",
    "/signup",
    "/confirm",
    "/signin",
    "/forgot",
    "/reset",
    "/settings",
    "/moderation",
    "/notices",
    "/instance",
    "/about",
    "/terms",
    "/privacy",
)
"""The paths of the front end's pages. A test compares them with the list in the front end."""

ACCOUNT_PAGES = frozenset({"/signup", "/confirm", "/signin", "/forgot", "/reset"})
"""Those of them whose layout is the one of the account pages."""

INDEX = "index.html"
ASSETS = "assets/"
"""The directory of files with a digest in their names."""

WORKER = "worker.js"
"""The service worker, which opens the pages while the service cannot be reached. The path of its
file is its scope: all pages."""

ASSET_RULE = f"/{ASSETS}<path:asset>"

FEED_RULE = "/@<handle>/feed.atom"
"""The Atom feed of a profile."""

RENDERED_RULES = frozenset({*(rule for rule in PAGES if rule.startswith("/@")), FEED_RULE})
"""What is rendered for each request. `edge/compression.py` compresses it."""

_TITLE = re.compile(r"<title>[^<]*</title>|(?=</head>)")
_DESCRIPTION = re.compile(r'<meta name="description"[^>]*>\s*')
"""What the pages of people and cruds replace in the index."""

_TELEMETRY = b'<meta name="telemetry" content="on" />\n  '
"""What the page looks for (`src/telemetry/trace.ts`): without it, it records nothing."""

_SHELL = re.compile(rb"<!-- shell: (\w+) -->(.*?)<!-- /shell -->", re.DOTALL)
"""What the page shows until its scripts have loaded; one for each layout."""

# The first path segments of APIs and files; 404 for these is always JSON.
_NOT_PAGES = frozenset({"api", "assets", "avatars", ".well-known"})

# Not from the system's table, which differs between machines.
_HTML = "text/html; charset=utf-8"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": _HTML,
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the build.

    Attributes:
        plain: its content.
        compressed: the content with gzip, or None if that is not smaller or is left to the edge.
        digest: its entity tag, or None if it must not be cached.
        content_type: the value of `Content-Type`.
        headers: all other response headers.
    """

    plain: bytes
    compressed: bytes | None
    digest: str | None
    content_type: str
    headers: dict[str, str]


class _Index:
    """The document of every page.

    Attributes:
        file: the document with the head that the build gave it.
    """

    def __init__(self, plain: bytes) -> None:
        self.file = _file(INDEX, plain)
        self._before, *after = _TITLE.split(_DESCRIPTION.sub("", plain.decode(), 1), 1)
        self._after = "".join(after)

    def with_head(self, head: PageHead) -> _File:
        """Return the document with another head."""
        plain = f"{self._before}{head.render()}{self._after}".encode()
        return replace(self.file, plain=plain, compressed=None)


def blueprint(directory: Path, *, has_telemetry: bool) -> Blueprint:
    """Return the routes of the pages and files of a build.

    Args:
        directory: the build.
        has_telemetry: whether the pages send telemetry.
    """
    build = _read(directory)
    plain = build.pop(INDEX).plain
    if has_telemetry:
        plain = plain.replace(b"</head>", _TELEMETRY + b"</head>", 1)
    index, account = (_Index(_with_shell(plain, name)) for name in (b"pages", b"account"))
    area = Blueprint("pages", __name__)

    async def page(**_: object) -> Response:
        is_account_page = request.path.rstrip("/") in ACCOUNT_PAGES
        return _respond((account if is_account_page else index).file)

    async def page_with_head(**arguments: Any) -> Response:
        try:
            head = await repeated(partial(_read_head, **arguments))
        except NotFoundError:
            raise NotFound from None
        except Exception as error:
            if not (error_handlers.is_outage(error) and _is_page_request()):
                raise
            return _respond(index.file, 503, UnavailableError().headers)  # it shows the failure
        return _respond(index.with_head(head), headers=head.headers)

    async def file(**_: object) -> Response:
        build_file = build.get(request.path.removeprefix("/"))
        if build_file is None:
            raise NotFoundError
        return _respond(build_file)

    async def not_found(error: NotFound) -> Response:
        """Return the front end's 404 page to browsers, and the error codes to other clients."""
        return (
            _respond(index.file, 404)
            if _is_page_request()
            else await error_handlers.framework_error(error)
        )

    for rule in PAGES:
        view = page_with_head if rule in RENDERED_RULES else page
        area.add_url_rule(rule, view_func=view, strict_slashes=False)  # /about/ is /about
    area.add_url_rule(FEED_RULE, view_func=_feed)
    for name in build:
        if not name.startswith(ASSETS):
            area.add_url_rule(f"/{name}", view_func=file)
    area.add_url_rule(ASSET_RULE, view_func=file)
    area.app_errorhandler(NotFound)(not_found)
    return area


async def _read_head(handle: str, uuid: UUID | None = None) -> PageHead:
    """Return the head of the page of a user, or of a crud.

    Raises:
        NotFoundError: there is no such user, or no such live crud.
        DatabaseUnavailableError: see `Database.connection`.
    """
    origin = public_origin(resources().settings.backend_origin)
    reader, paging = resources().reader, Paging(limit=1)
    if uuid is None:
        feed, _ = await reader.read(
            lambda conn: activities.profile_feed(conn, None, handle, paging)
        )
        return profile_head(feed.profile, origin)
    page, _ = await reader.read(lambda conn: activities.show(conn, None, handle, uuid, paging))
    return crud_head(page.activity, origin, datetime.now(UTC))


async def _feed(handle: str) -> Response:
    return await repeated(partial(_render_feed, handle))


async def _render_feed(handle: str) -> Response:
    feed, _ = await resources().reader.read(
        lambda conn: activities.profile_feed(conn, None, handle, Paging())
    )
    body = render_feed(feed, public_origin(resources().settings.backend_origin))
    response = Response(body, content_type="application/atom+xml; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.set_etag(entity_tag(body), weak=True)
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        set_not_modified(response)
    return response


def _read(directory: Path) -> dict[str, _File]:
    """Read all files of a build; the keys are their paths in it."""
    build = {}
    for path in directory.rglob("*"):
        if path.is_file():
            name = path.relative_to(directory).as_posix()
            build[name] = _file(name, path.read_bytes())
    return build


def _with_shell(plain: bytes, name: bytes) -> bytes:
    """Return the page with one of its shells."""
    return _SHELL.sub(lambda shell: shell[2] if shell[1] == name else b"", plain)


def _file(name: str, plain: bytes) -> _File:
    content_type = _TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
    is_text = content_type.startswith("text/") or content_type.endswith(("json", "xml"))
    compressed = gzip.compress(plain, mtime=0) if is_text else plain
    headers = {"Cache-Control": _cache_control(name)}
    if name == INDEX:
        headers["X-Robots-Tag"] = "noarchive"  # search engines run the scripts, which show cruds
    if content_type == _HTML:
        headers |= html_headers(workers="'self'")
    if name == WORKER:
        headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'"
    return _File(
        plain=plain,
        compressed=compressed if len(compressed) < len(plain) else None,
        digest=None if name == INDEX else hashlib.blake2b(plain, digest_size=12).hexdigest(),
        content_type=content_type,
        headers=headers,
    )


def _cache_control(name: str) -> str:
    if name == INDEX:  # it names the assets: an old copy would request deleted files
        return "no-store"
    return "public, max-age=31536000, immutable" if name.startswith(ASSETS) else "no-cache"


def _respond(file: _File, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(
        file.plain,
        status=status,
        headers={**file.headers, **(headers or {})},
        content_type=file.content_type,
    )
    if file.compressed is not None:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings.quality("gzip") > 0:
            response.set_data(file.compressed)
            response.content_encoding = "gzip"
    if file.digest is not None:
        response.set_etag(file.digest, weak=True)  # weak: the same for the compressed file
        if request.if_none_match.contains_weak(file.digest):
            set_not_modified(response)
    return response


def _is_page_request() -> bool:
    """Return whether a browser requests a page."""
    return (
        request.method in {"GET", "HEAD"}
        and request.path.lstrip("/").partition("/")[0] not in _NOT_PAGES
        and any(kind == "text/html" and quality > 0 for kind, quality in request.accept_mimetypes)
    )
