"""Opening connections, directly or through a pooler such as PgBouncer.

A pooler in transaction mode lends a client another server connection for each transaction. It
refuses start-up parameters that it does not know. What a client sets for its session stays behind
on a server connection that other clients use: parameters, prepared statements, advisory locks and
LISTEN. So nothing is set for the session of a connection that goes through a pooler.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import asyncpg

from cruddur.db.statements import Connection

Prepared = Literal["auto", "on", "off"]

_GRACE_SECONDS = 5.0
"""How much later than the server the client gives up a statement."""


@dataclass(slots=True)
class Connector:
    """Opens connections to one database.

    Attributes:
        session: run-time parameters; they apply to direct connections.
        statement_timeout: seconds that one statement may take. Through a pooler, or if `session`
            has no statement_timeout, the client cancels it then; otherwise the server does.
        prepared: whether the driver caches prepared statements; `auto`: not through a pooler.
        is_pooled: whether the latest connection goes through a pooler.
    """

    session: Mapping[str, str] = field(default_factory=dict)
    statement_timeout: float | None = None
    prepared: Prepared = "auto"
    is_pooled: bool = False

    async def open(self, dsn: str | None = None, **options: Any) -> Connection:
        """Open a connection with further options of `asyncpg.connect`."""
        while True:
            expected = self.is_pooled
            conn: Connection = await asyncpg.connect(dsn, **self._options(), **options)
            try:
                self.is_pooled = not await _set(conn, self.session)
                if self.is_pooled <= expected:  # what a pooler cannot do is not used
                    return conn
            except BaseException:
                conn.terminate()
                raise
            await conn.close()

    @property
    def local(self) -> str:
        """The parameters as SQL for the beginning of a transaction, if the session lacks them."""
        settings = self.session.items() if self.is_pooled else ()
        return "".join(f"; SET LOCAL {name} = '{value}'" for name, value in settings)

    def _options(self) -> dict[str, Any]:
        timeout = self.statement_timeout
        if timeout is not None and "statement_timeout" in self.session and not self.is_pooled:
            timeout += _GRACE_SECONDS
        options: dict[str, Any] = {
            "command_timeout": timeout,
            # PgBouncer tracks these two for each client.
            "server_settings": {"application_name": "cruddur", "timezone": "UTC"},
        }
        if self.prepared == "off" or (self.prepared == "auto" and self.is_pooled):
            options["statement_cache_size"] = 0
        return options


async def is_direct(conn: Connection) -> bool:
    """Whether there is no pooler in between: one invents the process id that a client gets."""
    return await _set(conn, {})


async def _set(conn: Connection, session: Mapping[str, str]) -> bool:
    """Set the parameters of a direct connection; return whether it is one."""
    settings = ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in session.items()
    )
    # In the simple protocol, which prepares nothing.
    tag: str = await conn.execute(
        f"SELECT {settings} WHERE pg_backend_pid() = {conn.get_server_pid()}"
    )
    return tag == "SELECT 1"
