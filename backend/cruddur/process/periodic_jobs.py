"""Jobs that every worker runs periodically: sweeps, index rebuilds, reloading signing keys."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from opentelemetry.trace import Span

from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError
from cruddur.db.sweeper import rebuild_search_index, sweep
from cruddur.identity.rotation import reload_stored_keys
from cruddur.picture_stores.store import StoreError
from cruddur.resources import Resources
from cruddur.telemetry.background import background
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import current_operation, mark_failed

logger = logging.getLogger(__name__)

REBUILD_CHECK_SECONDS = 3600.0
"""Interval at which a worker checks whether an index is due."""

ORPHANS_SECONDS = 3600.0
"""Interval of the search for files that belong to no picture."""


async def run_sweeper(resources: Resources) -> None:
    """Remove expired data every `sweep_interval` seconds, until cancelled.

    Visibility does not depend on it: an expired crud is invisible before it is swept. Only one
    worker of a database sweeps at a time. The signing keys are reloaded at the same interval, if
    they are in the database, and second factors are encrypted with a new one.
    """
    settings = resources.settings
    while True:
        with background("sweep", resources.telemetry.instruments, is_quiet=True) as span:
            with _reported(span, "the sweep", DatabaseUnavailableError, DatabaseTooOldError):
                removed = await sweep(settings.unpooled_url)
                span.set_attribute("app.swept", removed or 0)
                if removed:
                    current_operation().count("app.cruds.expired", removed)
                    logger.info("swept %d expired cruds", removed)
            if not settings.signing_key:
                # After the sweep, which has its own connection, so that a busy pool does not
                # delay it.
                with _reported(span, "reading the signing keys", DatabaseUnavailableError):
                    await reload_stored_keys(resources.database, resources.keys)
            with _reported(span, "the encryption of second factors", DatabaseUnavailableError):
                await resources.second_factors.reseal()
        await asyncio.sleep(settings.sweep_interval)


async def run_index_rebuilds(resources: Resources) -> None:
    """Rebuild the search index when it is due, until cancelled.

    It is separate from the sweep, which it would delay.
    """
    while True:
        await asyncio.sleep(REBUILD_CHECK_SECONDS)
        with (
            background("rebuild index", resources.telemetry.instruments, is_quiet=True) as span,
            _reported(
                span, "the rebuild of the index", DatabaseUnavailableError, DatabaseTooOldError
            ),
        ):
            if await rebuild_search_index(resources.settings.unpooled_url):
                logger.info("rebuilt the search index")


async def run_picture_sweeper(resources: Resources) -> None:
    """Delete the files of deleted pictures every `sweep_interval` seconds, until cancelled.

    It is separate from the other sweep, which a slow store must not delay. Workers share the work.
    It has a span only if there is something to do, since the other sweep has one at each interval.
    """
    search_after = monotonic() + ORPHANS_SECONDS
    while True:
        is_search = monotonic() >= search_after
        if is_search:
            search_after = monotonic() + ORPHANS_SECONDS
        if is_search or await _has_removed_pictures(resources):
            await _sweep_pictures(resources, is_search=is_search)
        await asyncio.sleep(resources.settings.sweep_interval)


async def _has_removed_pictures(resources: Resources) -> bool:
    """Return whether pictures may be removed: if reading it fails, the sweep records why."""
    try:
        return await resources.crud_pictures.has_removed()
    except Exception:
        return True


async def _sweep_pictures(resources: Resources, *, is_search: bool) -> None:
    with (
        background("sweep pictures", resources.telemetry.instruments, is_quiet=True) as span,
        _reported(span, "the sweep of pictures", DatabaseUnavailableError, StoreError),
    ):
        if is_search and (orphans := await resources.crud_pictures.sweep_orphans()):
            logger.warning("the store had files of %d unknown pictures", orphans)
        removed = await resources.crud_pictures.sweep()
        span.set_attribute("app.swept", removed)
        if removed:
            current_operation().count("app.pictures.removed", removed)


@contextmanager
def _reported(span: Span, job: str, *outages: type[Exception]) -> Iterator[None]:
    """Record a failure of a part of a job, so that the job continues.

    Args:
        span: the span of the job.
        job: names the part in messages.
        outages: the errors after which the part is postponed.
    """
    try:
        yield
    except outages as error:
        logger.warning("%s is postponed: %s", job, error)
        mark_failed(span, error, current_operation())
    except Exception as error:
        report(error, job)
