"""Wake-ups through Redis or Valkey, for more events than NOTIFY can carry."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db.live import CHANNEL
from cruddur.db.statements import Connection

logger = logging.getLogger(__name__)

_TIMEOUT = 2.0
_RETRY_SECONDS = 1.0
"""Interval between two connection attempts; meanwhile the follower polls at the same interval."""


class RedisBus:
    """Publishes a wake-up after each commit. While the server is unreachable, followers poll."""

    def __init__(self, url: str) -> None:
        """Set the server's URL: redis://, rediss:// or unix://."""
        self._redis = Redis.from_url(
            url, socket_connect_timeout=_TIMEOUT, socket_timeout=_TIMEOUT, health_check_interval=10
        )
        self._committed = asyncio.Event()
        self._is_unreachable = False

    def announce(self) -> None:
        """Request a wake-up. Several commits in quick succession cause one."""
        self._committed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the publisher."""
        publisher = asyncio.create_task(self._publish())
        try:
            yield
        finally:
            await cancel_tasks(publisher)
            await self._redis.aclose()

    async def check(self, conn: Connection) -> None:
        """Do nothing: wake-ups do not use the connection."""

    @asynccontextmanager
    async def waking(self, _: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """Subscribe, and resubscribe whenever the server becomes reachable again."""
        subscriber = asyncio.create_task(self._subscribe(wake))
        try:
            yield
        finally:
            await cancel_tasks(subscriber)

    async def _publish(self) -> None:
        while True:
            await self._committed.wait()
            self._committed.clear()
            try:
                await self._redis.publish(CHANNEL, b"")
            except (RedisError, OSError) as error:
                self._log_outage(error)
                await asyncio.sleep(_RETRY_SECONDS)

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
                        if await subscription.get_message(timeout=_RETRY_SECONDS) is not None:
                            wake()
            except (RedisError, OSError) as error:
                self._log_outage(error)
                await asyncio.sleep(_RETRY_SECONDS)
                wake()

    def _log_outage(self, error: Exception) -> None:
        if not self._is_unreachable:
            self._is_unreachable = True
            logger.warning("Redis is unreachable, new events are read every second: %s", error)
