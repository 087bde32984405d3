"""Random follows, blocks, mutes and limits: every feed and stream is that of a simple model.

CRUDDUR_TEST_SAFETY sets the number of steps, and CRUDDUR_TEST_SEED the random numbers: `make
test-safety`.
"""

import os
import random
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from live.listening import Listener, listening
from live.safety_model import Model
from moderators import CASES, appoint, decide, report
from support import Member

STEPS = int(os.environ.get("CRUDDUR_TEST_SAFETY", "250"))
SEED = int(os.environ.get("CRUDDUR_TEST_SEED", "1"))

PEOPLE = ["ada", "ben", "cleo", "dov", "eve"]
HERALD = "herald"
"""A user that no one blocks. Their cruds show how far a stream has been read."""

MODERATOR = "odo"

MAX_CRUDS = 60

CHANGES = {
    "post": 8,
    "reply": 8,
    "react": 8,
    "undo": 2,
    "block": 2,
    "unblock": 2,
    "mute": 2,
    "unmute": 2,
    "follow": 4,
    "unfollow": 1,
    "limit": 2,
    "lift": 2,
}
"""How often each kind of step is taken."""


class Run:
    """The service and the model, side by side.

    Attributes:
        streams: the open stream of each user.
        expected: the events that each stream is about to deliver.
        cases: a case about each user, for the decisions of the moderator.
    """

    def __init__(self, members: dict[str, Member]) -> None:
        self.members = members
        self.cases: dict[str, str] = {}
        self.random = random.Random(SEED)
        self.model = Model()
        self.streams: dict[str, Listener] = {}
        self.expected: dict[str, list[tuple[str, str]]] = {name: [] for name in PEOPLE}

    async def step(self) -> None:
        """Change something, and compare what one user sees."""
        [kind] = self.random.choices([*CHANGES], [*CHANGES.values()])
        await getattr(self, kind)()
        viewer = self.random.choice(PEOPLE)
        checks = [self.home, self.following, self.profile, self.thread, self.search, self.notes]
        await self.random.choice(checks)(viewer)

    # --- Changes ---------------------------------------------------------------------

    def pair(self) -> tuple[str, str]:
        one, other = self.random.sample(PEOPLE, 2)
        return one, other

    async def post(self) -> None:
        author, mentioned = self.pair()
        body = {"message": f"#all @{mentioned}", "ttl": "1-day"}
        crud = await self.members[author].post("/api/activities", body)
        self.posted(crud["uuid"], author, None, mentioned)
        if len(self.model.cruds) > MAX_CRUDS:
            oldest = min(self.model.cruds.values(), key=lambda one: one.order)
            await self.drain()  # events of cruds that are gone are not delivered
            await self.members[oldest.author].delete(f"/api/activities/{oldest.uuid}")
            self.model.delete(oldest.uuid)

    async def reply(self) -> None:
        author, mentioned = self.pair()
        if (uuid := self.any_crud()) is None:
            return
        path = f"/api/activities/{uuid}/reply"
        body = {"message": f"#all @{mentioned}"}
        if not self.model.sees(author, uuid):
            assert await self.members[author].post(path, body, expect=404) == ["not_found"]
            return
        reply = await self.members[author].post(path, body)
        self.posted(reply["uuid"], author, uuid, mentioned)

    async def react(self) -> None:
        actor, uuid = self.random.choice(PEOPLE), self.any_crud()
        if uuid is None:
            return
        kind = self.random.choice(["like", "repost"])
        path = f"/api/activities/{uuid}/{kind}"
        if not self.model.sees(actor, uuid):
            assert await self.members[actor].put(path, expect=404) == ["not_found"]
            return
        await self.members[actor].put(path)
        before = len(self.model.notes)
        self.model.react(kind, actor, uuid)
        self.expect_notes(before)

    async def undo(self) -> None:
        actor, uuid = self.random.choice(PEOPLE), self.any_crud()
        if uuid is None or not self.model.sees(actor, uuid):
            return
        await self.drain()  # notifications that are gone are not delivered
        for kind in ("like", "repost"):
            await self.members[actor].delete(f"/api/activities/{uuid}/{kind}")
        model = self.model
        model.likes.discard((actor, uuid))
        model.reposts.pop((actor, uuid), None)
        model.notes = [
            note
            for note in model.notes
            if (note.actor, note.crud) != (actor, uuid) or note.kind in {"reply", "mention"}
        ]

    async def block(self) -> None:
        viewer, other = self.pair()
        await self.drain()
        await self.members[viewer].put(f"/api/users/@{other}/block")
        if self.model.block(viewer, other):
            await self.changed(viewer, other)
            await self.changed(other, viewer)

    async def unblock(self) -> None:
        if self.model.blocks:
            viewer, other = self.random.choice(sorted(self.model.blocks))
            await self.drain()
            await self.members[viewer].delete(f"/api/users/@{other}/block")
            self.model.blocks.remove((viewer, other))
            await self.changed(viewer, other)
            await self.changed(other, viewer)

    async def mute(self) -> None:
        viewer, other = self.pair()
        await self.drain()
        await self.members[viewer].put(f"/api/users/@{other}/mute", {})
        self.model.mutes.add((viewer, other))
        await self.changed(viewer, other)

    async def unmute(self) -> None:
        if self.model.mutes:
            viewer, other = self.random.choice(sorted(self.model.mutes))
            await self.drain()
            await self.members[viewer].delete(f"/api/users/@{other}/mute")
            self.model.mutes.remove((viewer, other))
            await self.changed(viewer, other)

    async def follow(self) -> None:
        viewer, other = self.pair()
        path = f"/api/users/@{other}/follow"
        if self.model.is_blocked(viewer, other):
            assert await self.members[viewer].put(path, expect=404) == ["not_found"]
            return
        if other in self.model.limited:
            await self.drain()  # a crud is for those who follow its author when it is sent
        await self.members[viewer].put(path)
        before = len(self.model.notes)
        self.model.follow(viewer, other)
        self.expect_notes(before)

    async def unfollow(self) -> None:
        if self.model.follows:
            viewer, other = self.random.choice(sorted(self.model.follows))
            await self.drain()  # notifications that are gone are not delivered
            await self.members[viewer].delete(f"/api/users/@{other}/follow")
            self.model.unfollow(viewer, other)

    async def limit(self) -> None:
        name = self.random.choice(PEOPLE)
        await self.drain()
        await self.decide(name, "limit", days=1)
        self.model.limited.add(name)

    async def lift(self) -> None:
        if self.model.limited:
            name = self.random.choice(sorted(self.model.limited))
            await self.drain()
            await self.decide(name, "lift")
            self.model.limited.remove(name)

    async def decide(self, name: str, kind: str, **fields: Any) -> None:
        """Decide about a user. The streams learn that the user has changed."""
        is_again = name in self.cases
        if not is_again:
            await report(self.members[HERALD], "profile", self.members[name].uuid)
            self.cases[name] = (await self.members[MODERATOR].get(CASES))[0]["uuid"]
        await decide(self.members[MODERATOR], self.cases[name], kind, again=is_again, **fields)

    def any_crud(self) -> str | None:
        return self.random.choice(list(self.model.cruds)) if self.model.cruds else None

    def posted(self, uuid: str, author: str, parent: str | None, mentioned: str) -> None:
        before = len(self.model.notes)
        self.model.post(uuid, author, parent, mentioned)
        people = {author} if parent is None else {author, self.model.cruds[parent].author}
        for viewer in PEOPLE:
            is_hidden = any(self.model.hides(viewer, person) for person in people)
            if self.model.lists(viewer, author) and not is_hidden:
                self.expected[viewer].append(("crud", uuid))
        self.expect_notes(before)

    def expect_notes(self, before: int) -> None:
        for note in self.model.notes[before:]:
            if not self.model.hides(note.recipient, note.actor):
                self.expected[note.recipient].append((note.kind, note.actor))

    # --- Streams ---------------------------------------------------------------------

    async def drain(self) -> None:
        """Compare what the streams have delivered until now."""
        mark = await self.members[HERALD].crud("a mark")
        for viewer, stream in self.streams.items():
            delivered = []
            while (found := await self.next(stream)) != ("crud", mark["uuid"]):
                delivered.append(found)
            # Cruds are in the order of their posts; notifications of one transaction are not.
            assert sorted(delivered) == sorted(self.expected[viewer]), viewer
            assert [one for one in delivered if one[0] == "crud"] == [
                one for one in self.expected[viewer] if one[0] == "crud"
            ]
            self.expected[viewer].clear()
        await self.members[HERALD].delete(f"/api/activities/{mark['uuid']}")

    async def changed(self, viewer: str, other: str) -> None:
        """Wait until a stream has said that another user was hidden or shown."""
        while True:
            event = await self.streams[viewer].next()
            assert event is not None
            if event.event == "hidden":
                is_hidden = self.model.hides(viewer, other)
                assert (event.data["handle"], event.data["hidden"]) == (other, is_hidden)
                return
            assert event.event in {"counts", "gone", "follow", "user", "account"}

    async def next(self, stream: Listener) -> tuple[str, str]:
        """Return the next crud, or notification by its kind and actor."""
        while True:
            event = await stream.next()
            assert event is not None
            if event.event == "crud":
                return "crud", event.data["uuid"]
            if event.event == "notification":
                return event.data["kind"], event.data["handle"]
            assert event.event in {"counts", "gone", "follow", "user", "account"}, event

    # --- What a user sees ------------------------------------------------------------

    async def home(self, viewer: str) -> None:
        page = await self.members[viewer].get("/api/activities/home?limit=100")
        self.compare(viewer, page, self.model.home(viewer), is_public_feed=True)

    async def following(self, viewer: str) -> None:
        page = await self.members[viewer].get("/api/activities/following?limit=100")
        self.compare(viewer, page, self.model.following(viewer))

    async def search(self, viewer: str) -> None:
        page = await self.members[viewer].get("/api/activities/search?term=%23all&limit=100")
        self.compare(viewer, page, self.model.search(viewer), is_public_feed=True)

    async def profile(self, viewer: str) -> None:
        person = self.random.choice([one for one in PEOPLE if one != viewer])
        expected = self.model.profile(viewer, person)
        path = f"/api/activities/@{person}?shape=list&limit=100"
        if expected is None:
            await self.members[viewer].get(path, expect=404)
        else:
            self.compare(viewer, await self.members[viewer].get(path), expected)

    async def thread(self, viewer: str) -> None:
        if (uuid := self.any_crud()) is None:
            return
        expected = self.model.thread(viewer, uuid)
        path = f"/api/activities/{uuid}"
        if expected is None:
            await self.members[viewer].get(path, expect=404)
            return
        page = await self.members[viewer].get(path)
        self.compare(viewer, [page["activity"]], [uuid])
        self.compare(viewer, page["ancestors"], expected["ancestors"])
        self.compare(viewer, page["replies"], [reply for reply, _ in expected["replies"]])
        for reply, (_, nested) in zip(page["replies"], expected["replies"], strict=True):
            self.compare(viewer, reply["replies"], nested)

    async def notes(self, viewer: str) -> None:
        groups = await self.members[viewer].get("/api/notifications?limit=100")
        expected = self.model.notifications(viewer)
        found = [
            (
                group["kind"],
                group["activity"]["uuid"],
                [actor["handle"] for actor in group["actors"]],
            )
            for group in groups
            if group["kind"] != "follow"
        ]
        assert found == [group for group in expected if group[0] != "follow"]
        # One group for each day, so two at midnight.
        followers = [group["actors"] for group in groups if group["kind"] == "follow"]
        assert [actor["handle"] for actors in followers for actor in actors] == [
            actor for kind, _, actors in expected if kind == "follow" for actor in actors
        ]

    def compare(
        self,
        viewer: str,
        cruds: list[dict[str, Any]],
        expected: list[str],
        *,
        is_public_feed: bool = False,
    ) -> None:
        known = [crud for crud in cruds if crud["handle"] != HERALD]
        assert [crud["uuid"] for crud in known] == expected
        for crud in known:
            names_parent = "reply_to_handle" in crud
            assert names_parent is self.model.names_parent(
                viewer, crud["uuid"], is_public_feed=is_public_feed
            )


@pytest.mark.usefixtures("long_tokens")
@pytest.mark.rule("C102", "C103", "C104", "C158")
async def test_every_feed_and_stream_is_that_of_the_model(
    url: str, member: Any, database: asyncpg.Connection
) -> None:
    members = {name: await member(name) for name in (*PEOPLE, HERALD, MODERATOR)}
    await appoint(database, members[MODERATOR])
    run = Run(members)
    async with AsyncExitStack() as opened:
        for name in PEOPLE:
            run.streams[name] = await opened.enter_async_context(
                listening(url, members[name].headers)
            )
        for _ in range(STEPS):
            await run.step()
        await run.drain()
