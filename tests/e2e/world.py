"""A Cruddur with content: users, cruds at every stage of life, and conversations.

The rows are inserted directly, with times in the past, for tests that look at whole pages.
Only Andrew Brown has an account; the other users just appear on his pages.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from uuid import UUID, uuid4

import asyncpg
from PIL import Image

from cruddur.identity.tokens import ISSUER
from cruddur.services.text import tags

HANDLE = "andrewbrown"
NAME = "Andrew Brown"

PEOPLE = {
    "bayko": ("Andrew Bayko", "Backend. Ask me about #expiry.", (190, 80, 60)),
    "guinan": ("Guinan", "I listen. Ten Forward, most nights.", (90, 60, 160)),
    "londo": ("Londo Mollari of House Mollari", "", (200, 160, 60)),
    "worf": ("Worf, son of Mogh", "Security. #honour above all. @guinan knows.", None),
    "altbrown": ("Alt Brown", "The other one.", None),
    "morn": ("Morn", "", None),
    "dukat": ("Skrain Dukat", "", None),
}

OTHER_DEVICE = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"

API_TOKEN = "The bot that reads the weather station on the roof"

LONG = (
    "We shape our tools, and afterwards our tools forget us. Somebody will read this in six"
    " days, think about it for a moment, and on the seventh it will be as if nobody had ever"
    " written it. I find that I write differently since I know that: shorter, mostly, except"
    " for today."
)

HOURS = 60
DAYS = 24 * HOURS


@dataclass(frozen=True)
class World:
    """The rows that tests link to.

    Attributes:
        crud: another user's crud, with replies.
        own: a crud by Andrew.
        reply: a reply by Andrew to a reply to `crud`, with a reply to it.
        dying: the crud that expires within the minute.
        case: a case about Londo, whose evidence was deleted, with an appeal. Andrew is a moderator.
    """

    crud: UUID
    own: UUID
    reply: UUID
    dying: UUID
    case: UUID


async def fill(conn: asyncpg.Connection, andrew: UUID) -> World:
    """Replace the content of the database, except for Andrew's account."""
    await conn.execute("DELETE FROM activities")
    await conn.execute("DELETE FROM previews")  # or the sweeper would, when they have a new crud
    await conn.execute("DELETE FROM message_groups")
    await conn.execute("DELETE FROM users WHERE uuid <> $1", andrew)
    await conn.execute(
        "UPDATE users SET display_name = $2, bio = $3 WHERE uuid = $1",
        andrew, NAME, "ExamPro, and a microblog that forgets. Say it to @bayko. #cruddur",
    )  # fmt: skip
    await conn.execute(
        "DELETE FROM sessions"
        " WHERE user_uuid = $1 AND (device ~ 'Windows' OR method = 'api_token')",
        andrew,
    )
    await conn.execute(
        "INSERT INTO sessions (user_uuid, device, address, used_at, created_at, expires_at) VALUES"
        " ($1, $2, '198.51.100.7', now() - interval '3 h', now() - interval '9 d', 'infinity')",
        andrew, OTHER_DEVICE,
    )  # fmt: skip
    await conn.execute(
        "WITH created AS (INSERT INTO sessions"
        " (user_uuid, device, address, method, used_at, created_at, expires_at) VALUES"
        " ($1, '', '198.51.100.8', 'api_token', now() - interval '2 h', now() - interval '9 d',"
        " now() + interval '80 d') RETURNING uuid)"
        " INSERT INTO api_tokens (session_uuid, token_hash, name, scopes)"
        " SELECT uuid, 'digest', $2, '{read,write}' FROM created",
        andrew, API_TOKEN,
    )  # fmt: skip
    people = {HANDLE: andrew} | {handle: uuid4() for handle in PEOPLE}
    for handle, (name, bio, color) in PEOPLE.items():
        uuid = people[handle]
        await conn.execute(
            "INSERT INTO users (uuid, issuer, subject, handle, display_name, bio, avatar_digest)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            uuid, ISSUER, str(uuid), handle, name, bio, color and handle,
        )  # fmt: skip
        if color:
            await conn.execute("INSERT INTO avatars VALUES ($1, $2)", uuid, _face(color))
    writer = _Writer(conn, people)
    dying = await writer.crud("londo", "Even empires expire. #centauri", 59, 1)
    await conn.execute(
        "UPDATE activities SET expires_at = now() + interval '45 s' WHERE uuid = $1", dying
    )
    own = await writer.crud(HANDLE, "If you can read this, the rewrite works. #cruddur", 4, 56)
    crud = await writer.crud(
        "worf",
        "Today is a good day to #crud, @andrewbrown. First read https://example.com/honour",
        2 * HOURS,
        10 * HOURS,
    )
    await add_preview(conn, crud, "https://example.com/honour", _face((70, 130, 150)))
    long = await writer.crud("guinan", LONG, 22 * HOURS, 6 * DAYS)
    await writer.crud("altbrown", "I am the other!\n\nNobody ever asks the other.", 25 * HOURS, 90)
    await writer.crud("bayko", "להיות או לא להיות #expiry", 2 * DAYS, 5 * DAYS)
    older = await writer.crud(HANDLE, "Line 1 of the plan: #crud. Line 2:", 3 * DAYS, 27 * DAYS)
    await writer.crud("londo", "a" * 90 + " is what I say to that", 6 * DAYS, 1 * DAYS)
    await writer.show(crud, ("A red planet at dawn", 400, 300))
    await writer.show(
        long, ("A glass of Saurian brandy", 300, 400), ("", 200, 200), ("Ten", 90, 40)
    )
    first = await writer.reply("bayko", crud, "And it shows how long it has left, @worf. #crud", 90)
    await writer.reply(HANDLE, crud, "I read it. Twice.", 70)
    response = await writer.reply("guinan", own, "It does. I can read it from here.", 2)
    await writer.reply(HANDLE, own, "Then it works from there as well.", 1)
    reply = await writer.reply(HANDLE, first, "Ten hours, by now.", 60)
    await writer.reply("worf", reply, "A warrior does not count hours.", 50)
    for age, who in ((40, "guinan"), (35, "londo"), (30, "guinan")):
        await writer.reply(who, first, "That is long enough for a good story.", age)
    for handle in ("bayko", "guinan", "londo", HANDLE):
        await writer.react("like", handle, crud, 60)
    await writer.react("repost", "guinan", crud, 50)
    await writer.react("repost", HANDLE, crud, 40)
    for handle, age in (("guinan", 3), ("bayko", 5), ("altbrown", 6)):
        await writer.react("like", handle, own, age)
    await writer.react("like", "londo", older, 2 * DAYS)
    await writer.react("repost", "londo", older, 2 * DAYS)
    for kind, handle, about, age in (
        ("reply", "guinan", response, 2),
        ("like", "guinan", own, 3),
        ("like", "bayko", own, 5),
        ("like", "altbrown", own, 6),
        ("mention", "worf", crud, 2 * HOURS),
        ("like", "londo", older, 2 * DAYS),
        ("repost", "londo", older, 2 * DAYS),
    ):
        await writer.note(kind, handle, about, age)
    for follower, followed, age in (
        (HANDLE, "worf", 9 * DAYS),
        (HANDLE, "guinan", 8 * DAYS),
        ("bayko", HANDLE, 10),
        ("guinan", HANDLE, 3 * DAYS),
        ("londo", HANDLE, 3 * DAYS),
        ("londo", "worf", 4 * DAYS),
    ):
        await writer.follow(follower, followed, age)
    await conn.execute("DELETE FROM followed_tags")
    await conn.execute(
        "INSERT INTO followed_tags (user_uuid, tag) VALUES ($1, 'centauri'), ($1, 'expiry')", andrew
    )
    await writer.converse(
        "bayko",
        (3 * DAYS, "bayko", "Did you see that posts here have an end?"),
        (3 * DAYS - 2, HANDLE, "I did. I wrote one just to watch it go."),
        (2 * DAYS, "bayko", "And?"),
        (2 * DAYS - 1, HANDLE, "Gone on the second.\nThe replies went with it."),
        (30, "bayko", "So this chat is all that is left of it. See https://example.com/left"),
    )
    await writer.set_lifetime("bayko", 40)
    await writer.converse("londo", (20, "londo", "You and I will speak of empires."))
    await writer.converse(
        "altbrown", (25, "altbrown", "We share a name. Shall we share a feed?"), accepted=False
    )
    await conn.execute(
        "INSERT INTO mutes (muter_uuid, muted_uuid, ends_at)"
        " VALUES ($1, $2, now() + interval '3 days')",
        andrew, people["morn"],
    )  # fmt: skip
    await conn.execute("INSERT INTO blocks VALUES ($1, $2)", andrew, people["dukat"])
    await conn.execute(
        "UPDATE users SET notifications_read_at = now() - interval '1 day' WHERE uuid = $1", andrew
    )
    case = await _moderate(conn, andrew, people["londo"], people["guinan"])
    return World(crud=crud, own=own, reply=reply, dying=dying, case=case)


async def _moderate(
    conn: asyncpg.Connection, moderator: UUID, subject: UUID, reporter: UUID
) -> UUID:
    """Appoint a moderator with an open case and another that was appealed; return the latter."""
    await conn.execute("DELETE FROM cases")
    await conn.execute("UPDATE users SET role = 'moderator' WHERE uuid = $1", moderator)
    kinds = ("profile", "crud")
    cases = [
        await conn.fetchval(
            "INSERT INTO cases (kind, subject_uuid, user_uuid, opened_at, closed_at, has_appeal)"
            " VALUES ($1, $2, $3, now() - interval '2 h', $4::timestamptz, $4 IS NOT NULL)"
            " RETURNING uuid",
            kind,
            uuid4(),
            subject,
            None if kind == "profile" else datetime.now(UTC),
        )
        for kind in kinds
    ]
    for case in cases:
        await conn.execute(
            "INSERT INTO reports (case_uuid, reporter_uuid, category, expires_at)"
            " VALUES ($1, $2, 'harassment', 'infinity')",
            case, reporter,
        )  # fmt: skip
    for about, kind in ((subject, "warn"), (moderator, "warn"), (moderator, "remove_crud")):
        await conn.execute(
            "INSERT INTO moderation_actions (case_uuid, user_uuid, actor_uuid, kind, reason)"
            " VALUES ($1, $2, $3, $4, 'Empires may fall. Manners may not.')",
            cases[1], about, moderator, kind,
        )  # fmt: skip
    await conn.execute(
        "UPDATE moderation_actions SET appeal = 'It was a toast', appealed_at = now()"
        " WHERE user_uuid = $1 OR kind = 'remove_crud'",
        subject,
    )
    case: UUID = cases[1]
    return case


async def add_preview(conn: asyncpg.Connection, crud: UUID, url: str, picture: bytes) -> None:
    """Give a crud the preview of its link, as the service does when it has fetched the page."""
    preview = await conn.fetchval(
        "INSERT INTO previews (url, fetch_at) VALUES ($1, NULL) RETURNING uuid", url
    )
    await conn.execute(
        "INSERT INTO activity_links (activity_uuid, url, preview_uuid) VALUES ($1, $2, $3)",
        crud, url, preview,
    )  # fmt: skip
    await conn.execute(
        "UPDATE previews SET title = $2, description = $3, site = $4, picture = $5 WHERE uuid = $1",
        preview,
        "On honour, and what it costs to keep it in a house with three brothers and no door",
        "A long read about promises. Part one of six: why a warrior does not count hours, and"
        " who does. With pictures, a map, and a list of all names in the order of their deaths.",
        "example.com",
        picture,
    )


class _Writer:
    """Inserts rows with times in the past."""

    def __init__(self, conn: asyncpg.Connection, people: dict[str, UUID]) -> None:
        self.conn = conn
        self.people = people

    async def crud(self, author: str, message: str, age: int, left: int) -> UUID:
        """Insert a crud that was written `age` minutes ago and lives for `left` more minutes."""
        uuid: UUID = await self.conn.fetchval(
            "INSERT INTO activities (user_uuid, message, created_at, expires_at)"
            " VALUES ($1, $2, now() - $3::interval, now() + $4::interval) RETURNING uuid",
            self.people[author], message, timedelta(minutes=age), timedelta(minutes=left),
        )  # fmt: skip
        await self._tag(uuid, message)
        return uuid

    async def reply(self, author: str, to: UUID, message: str, age: int) -> UUID:
        uuid: UUID = await self.conn.fetchval(
            "INSERT INTO activities"
            " (user_uuid, reply_to_activity_uuid, message, created_at, expires_at)"
            " VALUES ($1, $2, $3, now() - $4::interval, 'infinity') RETURNING uuid",
            self.people[author], to, message, timedelta(minutes=age),
        )  # fmt: skip
        await self._tag(uuid, message)
        return uuid

    async def show(self, crud: UUID, *pictures: tuple[str, int, int]) -> None:
        """Let a crud show pictures, each with a text, a width and a height."""
        shown = []
        for alt, width, height in pictures:
            uuid: UUID = await self.conn.fetchval(
                "INSERT INTO pictures (user_uuid, activity_uuid, width, height)"
                " SELECT user_uuid, uuid, $2, $3 FROM activities WHERE uuid = $1 RETURNING uuid",
                crud, width, height,
            )  # fmt: skip
            jpeg = _face((width % 256, height % 256, 120), (width, height))
            for size in ("full", "thumbnail"):
                await self.conn.execute(
                    "INSERT INTO picture_files VALUES ($1, $2, $3)", uuid, size, jpeg
                )
            shown.append({"uuid": str(uuid), "alt": alt, "width": width, "height": height})
        await self.conn.execute(
            "UPDATE activities SET pictures = $2 WHERE uuid = $1", crud, json.dumps(shown)
        )

    async def react(self, kind: str, who: str, to: UUID, age: int) -> None:
        await self.conn.execute(
            f"INSERT INTO {kind}s VALUES ($1, $2, now() - $3::interval)",
            to, self.people[who], timedelta(minutes=age),
        )  # fmt: skip

    async def follow(self, follower: str, followed: str, age: int) -> None:
        """Insert a follow and, if Andrew is followed, its notification."""
        ends = self.people[follower], self.people[followed]
        await self.conn.execute(
            "INSERT INTO follows VALUES ($1, $2, now() - $3::interval)",
            *ends, timedelta(minutes=age),
        )  # fmt: skip
        if followed == HANDLE:
            await self.conn.execute(
                "INSERT INTO notifications (user_uuid, actor_uuid, kind, created_at)"
                " VALUES ($2, $1, 'follow', now() - $3::interval)",
                *ends, timedelta(minutes=age),
            )  # fmt: skip

    async def note(self, kind: str, who: str, about: UUID, age: int) -> None:
        """Notify Andrew about an action of another user."""
        await self.conn.execute(
            "INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid, created_at)"
            " VALUES ($1, $2, $3, $4, now() - $5::interval)",
            self.people[HANDLE], self.people[who], kind, about, timedelta(minutes=age),
        )  # fmt: skip

    async def converse(
        self, other: str, *messages: tuple[int, str, str], accepted: bool = True
    ) -> None:
        """Insert a conversation of Andrew's. A message is its age in minutes, author and text."""
        group = uuid4()
        low, high = sorted((self.people[HANDLE], self.people[other]))
        await self.conn.execute(
            "INSERT INTO message_groups (uuid, low_user_uuid, high_user_uuid, low_read_at,"
            " high_read_at, latest_message_at, low_has_accepted, high_has_accepted)"
            " VALUES ($1, $2, $3, $4, $4, '-infinity', $5, $5)",
            group, low, high, await self.conn.fetchval("SELECT now() - interval '1 day'"), accepted,
        )  # fmt: skip
        await self.conn.executemany(
            "INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)"
            " VALUES ($1, $2, $3, now() - $4::interval)",
            [
                (group, self.people[who], message, timedelta(minutes=age))
                for age, who, message in messages
            ],
        )

    async def set_lifetime(self, other: str, age: int) -> None:
        """Let another user have set a lifetime of a day some minutes ago."""
        group = await self.conn.fetchval(
            "UPDATE message_groups SET lifetime = '1 day'"
            " WHERE $1 IN (low_user_uuid, high_user_uuid) RETURNING uuid",
            self.people[other],
        )
        await self.conn.execute(
            "UPDATE messages SET expires_at = created_at + interval '1 day'"
            " WHERE message_group_uuid = $1 AND created_at > now() - $2::interval",
            group, timedelta(minutes=age),
        )  # fmt: skip
        await self.conn.execute(
            "INSERT INTO messages"
            " (message_group_uuid, user_uuid, message, created_at, kind, lifetime, expires_at)"
            " SELECT $1, $2, 'New messages now disappear after 1 day.', at, 'lifetime', '1 day',"
            " at + interval '1 day' FROM (SELECT now() - $3::interval AS at) AS set_at",
            group, self.people[other], timedelta(minutes=age),
        )  # fmt: skip

    async def _tag(self, uuid: UUID, message: str) -> None:
        await self.conn.executemany(
            "INSERT INTO activity_tags (activity_uuid, tag, created_at, expires_at)"
            " SELECT uuid, $2, created_at, expires_at FROM activities WHERE uuid = $1",
            [(uuid, tag) for tag in tags(message)],
        )


@cache
def _face(color: tuple[int, int, int], size: tuple[int, int] = (128, 128)) -> bytes:
    """Return a picture in a color that fades to dark."""
    data = BytesIO()
    light = Image.linear_gradient("L").resize(size)
    dark, bright = Image.new("RGB", size, (20, 8, 30)), Image.new("RGB", size, color)
    Image.composite(dark, bright, light).save(data, "JPEG")
    return data.getvalue()
