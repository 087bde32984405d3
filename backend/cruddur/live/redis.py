"""Wake-ups through Redis or Valkey, for deployments without LISTEN."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db.live import CHANNEL
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.live.bus import Bus

logger = logging.getLogger(__name__)

_TIMEOUT = 2.0
_RETRY_SECONDS = 1.0
"""Interval between two connection attempts; meanwhile the follower polls at the same interval."""


def client(url: str) -> Redis:
    """Return a client of a server: redis://, rediss:// or unix://."""
    return Redis.from_url(
        url, socket_connect_timeout=_TIMEOUT, socket_timeout=_TIMEOUT, health_check_interval=10
    )


async def problem(url: str) -> str:
    """Connect to a server, and return why it cannot be used; empty if it can."""
    async with client(url) as redis:
        try:
            await redis.ping()
        except (RedisError, OSError) as error:
            return " ".join(str(error).split()) or type(error).__name__
    return ""


class RedisBus(Bus):
    """Publishes each wake-up. While the server is unreachable, followers poll."""

    def __init__(self, database: Database, url: str) -> None:
        """Set the server's URL: redis://, rediss:// or unix://."""
        super().__init__(database)
        self._redis = client(url)
        self._is_unreachable = False

    async def check(self, conn: Connection) -> None:
        """Do nothing: wake-ups do not use the connection."""

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._redis.aclose()

    async def _send(self) -> None:
        try:
            await self._redis.publish(CHANNEL, self.sender.encode())
        except (RedisError, OSError) as error:
            self._log_outage(error)
            await asyncio.sleep(_RETRY_SECONDS)

    @asynccontextmanager
    async def _receiving(self, _: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """Subscribe, and resubscribe whenever the server becomes reachable again."""
        subscriber = asyncio.create_task(self._subscribe(wake))
        try:
            yield
        finally:
            await cancel_tasks(subscriber)

    async def _subscribe(self, wake: Callable[[], None]) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(CHANNEL)
                    if self._is_unreachable:
                        self._is_unreachable = False
                        logger.info("Redis is reachable again")
                    wake()  # for events before the subscription
                    while True:
                        message = await subscription.get_message(timeout=_RETRY_SECONDS)
                        if message is not None and message["data"] != self.sender.encode():
                            wake()
            except (RedisError, OSError) as error:
                self._log_outage(error)
                await asyncio.sleep(_RETRY_SECONDS)
                wake()

    def _log_outage(self, error: Exception) -> None:
        if not self._is_unreachable:
            self._is_unreachable = True
            logger.warning("Redis is unreachable, new events are read every second: %s", error)
