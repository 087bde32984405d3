"""Open the store of the settings."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from cruddur import http_client
from cruddur.db.pool import Database
from cruddur.picture_stores.database import DatabaseStore
from cruddur.picture_stores.directory import DirectoryStore
from cruddur.picture_stores.s3 import Bucket, S3Store
from cruddur.picture_stores.store import PictureStore
from cruddur.settings import Settings
from cruddur.settings.proxies import proxy_for
from cruddur.telemetry.http_calls import MeasuredClient

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Maximum size of a response of S3. A file of a picture is at most half as large."""


@asynccontextmanager
async def open_store(
    settings: Settings, database: Database, trace_calls: Callable[[httpx.AsyncClient], None]
) -> AsyncIterator[PictureStore]:
    """Open the store of pictures, and close it at the end.

    Args:
        settings: name the store.
        database: is the store by default.
        trace_calls: records the calls of an HTTP client.

    Raises:
        OperatorError: the directory cannot be used.
    """
    if settings.picture_directory is not None:
        directory = DirectoryStore(settings.picture_directory)
        try:
            yield directory
        finally:
            directory.close()
    elif settings.picture_bucket is not None:
        name, prefix = settings.picture_bucket
        url = settings.picture_bucket_url
        limits = httpx.Limits(max_connections=20, max_keepalive_connections=10)
        transport = http_client.BoundedTransport(
            httpx.AsyncHTTPTransport(limits=limits, proxy=proxy_for(url)),
            seconds=http_client.CALL_SECONDS,
            max_bytes=MAX_FILE_BYTES,
        )
        timeout = httpx.Timeout(5.0, connect=2.0)
        async with MeasuredClient(timeout=timeout, transport=transport) as http:
            trace_calls(http)
            yield S3Store(Bucket(name, url, prefix, settings.aws_region), http)
    else:
        yield DatabaseStore(database)
