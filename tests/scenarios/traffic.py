"""A short load for the tests of the scenarios: what the users of `make load` do, in one process.

`make load` needs Locust, which no test needs. The actions and the users are the same; only their
weights are more even, so that a few hundred requests contain enough of each.
"""

import asyncio
import itertools
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from load.people import CLIENTS, PASSWORD, TAGS, WORDS, email_of, picture, sentence

Json = dict[str, Any]
Action = Callable[["User"], Awaitable[None]]


@dataclass
class User:
    """A simulated user; without a number, one who only reads."""

    http: httpx.AsyncClient
    headers: Mapping[str, str]
    number: int | None = None
    cruds: list[Json] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """Return the content of a 200 response, None of any other."""
        headers = {**self.headers}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        response = await self.http.request(method, path, headers=headers, json=body, **options)
        return response.json() if response.status_code == 200 else None

    async def read_home(self) -> None:
        self.cruds = await self.ask("GET", "/api/activities/home") or self.cruds

    async def any_crud(self) -> Json | None:
        if not self.cruds:
            await self.read_home()
        return random.choice(self.cruds) if self.cruds else None

    async def read_crud(self) -> None:
        if crud := await self.any_crud():
            await self.ask("GET", f"/api/activities/@{crud['handle']}/status/{crud['uuid']}")

    async def read_profile(self) -> None:
        if crud := await self.any_crud():
            await self.ask("GET", f"/api/activities/@{crud['handle']}")

    async def search(self) -> None:
        terms = (" ".join(random.sample(WORDS, 2)), random.choice(WORDS), f"#{random.choice(TAGS)}")
        term = random.choice(terms)
        await self.ask("GET", "/api/activities/search", params={"term": term})

    async def post(self) -> None:
        await self.ask("POST", "/api/activities", {"message": sentence(), "ttl": "1-day"})

    async def reply(self) -> None:
        if crud := await self.any_crud():
            await self.ask("POST", f"/api/activities/{crud['uuid']}/reply", {"message": sentence()})

    async def like(self) -> None:
        if crud := await self.any_crud():
            await self.ask("PUT", f"/api/activities/{crud['uuid']}/like")

    async def read_notifications(self) -> None:
        await self.ask("GET", "/api/activities/notifications")

    async def read_messages(self) -> None:
        if groups := await self.ask("GET", "/api/message_groups"):
            await self.ask("GET", f"/api/messages/{random.choice(groups)['uuid']}")

    async def change_picture(self) -> None:
        if upload := await self.ask("POST", "/api/avatars/key_upload", {"extension": "jpg"}):
            await self.ask("PUT", urlsplit(upload["url"]).path, content=picture())

    async def sign_in(self) -> bool:
        """Return whether it succeeded."""
        assert self.number is not None
        credentials = {"email": email_of(self.number), "password": PASSWORD}
        return await self.ask("POST", "/api/auth/signin", credentials) is not None


READING: Mapping[Action, int] = {
    User.read_home: 8,
    User.read_crud: 5,
    User.read_profile: 4,
    User.search: 4,
}

WRITING: Mapping[Action, int] = {
    User.post: 2,
    User.reply: 2,
    User.like: 4,
    User.read_notifications: 3,
    User.read_messages: 2,
}


def everybody(http: httpx.AsyncClient, tokens: Sequence[str]) -> list[User]:
    """Return a member for each token and half as many readers, with the clients in turn."""
    users = []
    for number in range(len(tokens) + len(tokens) // 2):
        headers = {"User-Agent": CLIENTS[number % len(CLIENTS)]}
        if number < len(tokens):
            headers["Authorization"] = f"Bearer {tokens[number]}"
        users.append(User(http, headers, number + 1 if number < len(tokens) else None))
    return users


async def load(
    users: Sequence[User],
    actions: int,
    *,
    seconds: float = math.inf,
    concurrency: int = 1,
    weights: Mapping[Action, int],
) -> None:
    """Let users do a number of things.

    Args:
        users: they take turns.
        actions: how many things they do at most.
        seconds: for how long at most.
        concurrency: how many at the same time.
        weights: what members do in addition.
    """
    numbers, until = iter(range(actions)), time.monotonic() + seconds

    async def act() -> None:
        for number in numbers:
            user = users[number % len(users)]
            possible = dict(READING)
            if user.number is not None:
                possible |= {**WRITING, **weights}
            [action] = random.choices([*possible], weights=[*possible.values()])
            await action(user)
            if time.monotonic() > until:
                return

    async with asyncio.TaskGroup() as tasks:
        for _ in range(concurrency):
            tasks.create_task(act())


async def sign_in_often(users: Sequence[User], *, outcomes: int, concurrency: int) -> None:
    """Let members sign in again and again, until so many succeeded and as many failed.

    Args:
        users: they take turns.
        outcomes: the number of each outcome.
        concurrency: how many sign in at the same time.
    """
    members = itertools.cycle(user for user in users if user.number is not None)
    counts = {True: 0, False: 0}

    async def act() -> None:
        while min(counts.values()) < outcomes:
            counts[await next(members).sign_in()] += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(concurrency):
            tasks.create_task(act())


Load = Callable[[Sequence[User]], Awaitable[None]]


def of(actions: int, *, seconds: float = math.inf, concurrency: int = 1, **weights: int) -> Load:
    """Return a load of some actions; `weights` are those of further actions of members, by name."""
    more = {getattr(User, name): weight for name, weight in weights.items()}
    return partial(load, actions=actions, seconds=seconds, concurrency=concurrency, weights=more)
