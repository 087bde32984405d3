"""Settings of the database and of the periodic work on it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from cruddur.settings import checks
from cruddur.settings.declaration import setting

Switch = Literal["auto", "on", "off"]


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """The database, its connections, and the intervals of periodic work."""

    connection_url: Annotated[
        str,
        setting(
            "CONNECTION_URL",
            "PostgreSQL database; empty: the embedded server",
            secret=True,
            compose="set",
        ),
    ] = ""
    direct_url: Annotated[
        str,
        setting(
            "CRUDDUR_DIRECT_URL",
            "The same database without a pooler, for migrating, sweeping and listening; empty:"
            " CONNECTION_URL",
            secret=True,
        ),
    ] = ""
    read_urls: Annotated[
        str,
        setting(
            "CRUDDUR_READ_URLS",
            "Streaming replicas of the database, one URL each, separated by spaces or commas; reads"
            " go to one that is fresh enough",
            secret=True,
        ),
    ] = ""
    prepared_statements: Annotated[
        Switch,
        setting(
            "CRUDDUR_PREPARED_STATEMENTS",
            "Whether statements are prepared; `auto`: unless there is a pooler",
        ),
    ] = "auto"
    database_password: Annotated[
        str,
        setting(
            "PGPASSWORD",
            "Password for a CONNECTION_URL that has none",
            secret=True,
            compose="fixed",
        ),
    ] = ""
    data_directory: Annotated[
        Path,
        setting(
            "CRUDDUR_DATA_DIRECTORY",
            "Directory of the embedded server's data and of the traces; the default outside of a"
            " clone is the user's directory for data",
            compose="fixed",
        ),
    ] = Path(".local")
    pool_size: Annotated[
        int,
        setting("CRUDDUR_POOL_SIZE", "Database connections per worker", ge=1, le=10_000),
    ] = 10
    statement_timeout: Annotated[
        float,
        setting(
            "CRUDDUR_STATEMENT_TIMEOUT",
            "Maximum duration of one SQL statement",
            ge=0.1,
            le=3600,
            unit="s",
        ),
    ] = 10.0
    sweep_interval: Annotated[
        float,
        # Cruds are deleted within 60 s (docs/api.md, C37). Half of that is left for the sweep.
        setting(
            "CRUDDUR_SWEEP_INTERVAL",
            "Interval between two sweeps of expired data",
            ge=0.1,
            le=30,
            unit="s",
        ),
    ] = 15.0
    ranking_interval: Annotated[
        float,
        # The statement reads expiries 30 s ahead, and takes some of that time itself.
        setting(
            "CRUDDUR_RANKING_INTERVAL",
            "How long a worker caches trending tags and suggested users",
            ge=0,
            le=20,
            unit="s",
        ),
    ] = 5.0
    bus: Annotated[
        str,
        setting(
            "CRUDDUR_BUS",
            "`redis[s]://host:port` that notifies workers of new events (extra `redis`); empty:"
            " NOTIFY",
            secret=True,
            check=checks.url("redis", "rediss"),
        ),
    ] = ""

    @property
    def unpooled_url(self) -> str:
        """The URL of the database for migrating, sweeping and listening."""
        return self.direct_url or self.connection_url

    @property
    def replica_urls(self) -> tuple[str, ...]:
        """The URL of each replica."""
        return split_urls(self.read_urls)


def split_urls(text: str) -> tuple[str, ...]:
    """Split URLs of databases at the spaces and commas between them."""
    parts = re.split(r"[\s,]+(?=postgres(?:ql)?://)", text.strip(" \t\n,"), flags=re.IGNORECASE)
    return tuple(filter(None, parts))


def with_password(url: str, password: str) -> str:
    """Add the password to a database URL that has none.

    As a query parameter it applies to each of several hosts and needs no further escaping.
    """
    user = url.partition("://")[2].partition("?")[0].rpartition("@")[0]
    if not url or not password or ":" in user or re.search(r"[?&]password=", url):
        return url
    return f"{url}{'&' if '?' in url else '?'}password={quote(password, safe='')}"
