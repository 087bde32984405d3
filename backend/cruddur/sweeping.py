"""The sweeper: every worker offers to sweep, and the database lets one of them."""

import asyncio
import logging

from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError
from cruddur.db.sweeper import sweep
from cruddur.settings import Settings
from cruddur.telemetry.background import background
from cruddur.telemetry.failures import report
from cruddur.telemetry.work import Instruments, current_work

logger = logging.getLogger(__name__)


async def sweep_for_ever(settings: Settings, instruments: Instruments) -> None:
    """Remove what has expired, every `sweep_interval` seconds, until cancelled.

    Visibility does not depend on it: an expired crud is invisible before it is swept.
    """
    while True:
        with background("sweep", instruments) as span:
            try:
                removed = await sweep(settings.connection_url)
            except (DatabaseUnavailableError, DatabaseTooOldError) as error:
                logger.warning("the sweep is put off: %s", error)
            except Exception as error:
                report(error, "the sweep")
            else:
                span.set_attribute("app.swept", removed or 0)
                if removed:
                    current_work().count("app.cruds.expired", removed)
                    logger.info("swept %d expired cruds", removed)
        await asyncio.sleep(settings.sweep_interval)
