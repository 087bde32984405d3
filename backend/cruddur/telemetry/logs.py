"""Log lines on standard output."""

import logging
import sys


def configure_logging(level: str) -> None:
    """Send every logger's lines to standard output, one format for all.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # httpx tells every call; ours tell what matters about them.
    logging.getLogger("httpx").setLevel(logging.WARNING)
