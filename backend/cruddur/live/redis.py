"""The word by publish and subscribe of Redis or Valkey, where NOTIFY is too slow."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cruddur.db.live import CHANNEL
from cruddur.db.statements import Connection
from cruddur.process.tasks import cancel_tasks

logger = logging.getLogger(__name__)

_TIMEOUT = 2.0
_PATIENCE = 1.0
"""Seconds between two attempts to reach a server that is away; so often events are looked for
without its word."""


class RedisBus:
    """A process that commits publishes; a server that is away delays the word, no more."""

    def __init__(self, url: str) -> None:
        """Take the server's URL: redis://, rediss:// or unix://."""
        self._redis = Redis.from_url(
            url, socket_connect_timeout=_TIMEOUT, socket_timeout=_TIMEOUT, health_check_interval=10
        )
        self._committed = asyncio.Event()
        self._is_away = False

    def announce(self) -> None:
        """Publish soon: several commits at once are one word."""
        self._committed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publishes inside."""
        publisher = asyncio.create_task(self._publish())
        try:
            yield
        finally:
            await cancel_tasks(publisher)
            await self._redis.aclose()

    async def check(self, conn: Connection) -> None:
        """Nothing: the word does not come by the connection."""

    @asynccontextmanager
    async def waking(self, _: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """Subscribes inside, and again whenever the server has been away."""
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
                self._missing(error)
                await asyncio.sleep(_PATIENCE)

    async def _subscribe(self, wake: Callable[[], None]) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(CHANNEL)
                    if self._is_away:
                        self._is_away = False
                        logger.info("Redis carries the word of new events again")
                    wake()  # for what was said before
                    while True:
                        if await subscription.get_message(timeout=_PATIENCE) is not None:
                            wake()
            except (RedisError, OSError) as error:
                self._missing(error)
                await asyncio.sleep(_PATIENCE)
                wake()

    def _missing(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            logger.warning("Redis is away, new events are looked for every second: %s", error)
