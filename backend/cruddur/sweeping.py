"""The sweeper: every worker offers to sweep, and the database lets one of them."""

import asyncio
import logging

from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError
from cruddur.db.sweeper import sweep
from cruddur.settings import Settings

logger = logging.getLogger(__name__)


async def sweep_for_ever(settings: Settings) -> None:
    """Remove what has expired, every `sweep_interval` seconds, until cancelled.

    Visibility does not depend on it: an expired crud is invisible before it is swept.
    """
    while True:
        try:
            removed = await sweep(settings.connection_url)
            if removed:
                logger.info("swept %d expired cruds", removed)
        except (DatabaseUnavailableError, DatabaseTooOldError) as error:
            logger.warning("the sweep is put off: %s", error)
        except Exception:
            logger.exception("the sweep failed")
        await asyncio.sleep(settings.sweep_interval)
