"""Removed text is not in the statistics, the data files or the limits of an account."""

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_bytes
from uuid import UUID, uuid4

import asyncpg
import pytest
from PIL import Image

from cruddur.db.sweeper import rebuild_search_index, sweep
from patience import PATIENCE
from pictures import file
from support import Api, Member, expire, swept

PAGE = 8192
STORED = 1
"""The state of a line pointer that has a row or an index entry (LP_NORMAL of itemid.h)."""

SECRET = "xyzzyplugh"
"""One word, so that search and tags keep it as it is."""

EMAIL = "quark.of.ferenginar@example.com"
PASSWORD = "latinum is not enough"

RELATIONS = """
SELECT
    oid::regclass::text AS name,
    pg_relation_filepath(oid) AS path
FROM pg_class
WHERE pg_relation_filepath(oid) IS NOT NULL
  AND (relnamespace = 'public'::regnamespace OR relname LIKE 'pg_toast%')
"""


def items(file: Path) -> Iterator[bytes]:
    """Return the items that the line pointers of a file's pages refer to (bufpage.h, itemid.h)."""
    data = file.read_bytes()
    for start in range(0, len(data), PAGE):
        page = data[start : start + PAGE]
        lower = int.from_bytes(page[12:14], "little")
        for place in range(24, min(lower, PAGE), 4):
            pointer = int.from_bytes(page[place : place + 4], "little")
            if pointer >> 15 & 3 == STORED:
                offset = pointer & 0x7FFF
                yield page[offset : offset + (pointer >> 17)]


async def holders(conn: asyncpg.Connection, text: str | bytes) -> set[str]:
    """The tables, TOAST tables and indexes that have the text, read from the data files."""
    data = text.encode() if isinstance(text, str) else text
    await conn.execute("CHECKPOINT")
    directory = Path(await conn.fetchval("SHOW data_directory"))
    return {
        relation["name"]
        for relation in await conn.fetch(RELATIONS)
        if any(data in item for item in items(directory / relation["path"]))
    }


async def rows_with(conn: asyncpg.Connection, text: str) -> set[str]:
    """The tables with a row that has the text in any column."""
    tables = await conn.fetchval(
        "SELECT array_agg(relname::text) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    return {
        table
        for table in tables
        if await conn.fetchval(
            f'SELECT EXISTS (SELECT FROM "{table}" AS row'
            " WHERE position(lower($1) IN lower(row::text)) > 0)",
            text,
        )
    }


async def test_hardening_11_statistics_contain_no_written_text(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    for number in range(5):
        crud = await andrew.crud(f"{SECRET} {number} #{SECRET} @bayko")
        await bayko.reply(crud["uuid"], SECRET)
        await andrew.message("bayko", SECRET)
    await database.execute("ANALYZE")
    shown = "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public'"
    assert await database.fetch(shown) == []


async def test_hardening_11_a_sweep_leaves_no_row_of_removed_text_in_the_data_files(
    dsn: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    secret = f"secret{uuid4().hex[:8]}"  # the files still have deleted rows of other tests
    await andrew.crud("another crud, which stays")
    keyed = {"headers": {"Idempotency-Key": "key"}}
    body = {"message": f"{secret} expires #{secret}", "ttl": "1-day"}
    expired = await andrew.post("/api/activities", body, **keyed)
    deleted = await andrew.crud(f"{secret} is deleted #{secret}deleted")
    await bayko.reply(deleted["uuid"], f"{secret} goes with its crud")
    await bayko.put(
        "/api/profile/update", {"display_name": "Bayko", "bio": f"{secret} is replaced"}
    )
    for crud in (expired, deleted):
        address = f"http://news.example/{secret}/{crud['uuid']}"
        preview = await database.fetchval(
            "INSERT INTO previews (url, title, picture) VALUES ($1, 'A title', $2) RETURNING uuid",
            address, secret.encode() + token_bytes(10_000),
        )  # fmt: skip
        await database.execute(
            "INSERT INTO activity_links (activity_uuid, url, preview_uuid) VALUES ($1, $2, $3)",
            UUID(crud["uuid"]), address, preview,
        )  # fmt: skip
    toasted = await database.fetchval(
        "SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'previews'"
    )
    assert await holders(database, secret) == {
        "activities",
        "activities_search_idx",
        "activity_links",
        "previews",
        "previews_url_key",
        toasted,
        "activity_tags",
        "activity_tags_newest_idx",
        "activity_tags_pkey",
        "activity_tags_tag_idx",
        "idempotency_answers",
        "users",
    }

    await expire(database, expired["uuid"])
    await andrew.delete(f"/api/activities/{deleted['uuid']}")
    await bayko.put("/api/profile/update", {"display_name": "Bayko", "bio": "new"})
    await swept(dsn)
    # The search index keeps each word once, without its position, until the index is rebuilt.
    assert await holders(database, secret) <= {"activities_search_idx"}
    assert not await rebuild_search_index(dsn)
    await database.execute("UPDATE index_rebuilds SET due_at = now()")
    # As a rebuild leaves it that is interrupted.
    await database.execute("CREATE INDEX activities_search_idx_ccnew ON activities (uuid)")
    assert await rebuild_search_index(dsn)
    assert await holders(database, secret) == set()
    assert await database.fetchval("SELECT to_regclass('activities_search_idx_ccnew')") is None
    assert not await rebuild_search_index(dsn)


@pytest.mark.rule("C85")
async def test_hardening_11_a_sweep_leaves_no_bytes_of_a_picture_in_the_data_files(
    dsn: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async def post(seed: int) -> tuple[str, bytes]:
        """Post a crud with a picture of noise, and return some bytes of each file."""
        noise = Image.frombytes("RGB", (90, 90), random.Random(seed).randbytes(90 * 90 * 3))
        uploaded = await andrew.request("POST", "/api/pictures", content=file(noise))
        picture = {"uuid": uploaded.json()["uuid"], "alt": f"{SECRET} {seed}"}
        body = {"message": "look", "ttl": "1-day", "pictures": [picture]}
        crud = await andrew.post("/api/activities", body)
        jpeg = (await andrew.http.get(crud["pictures"][0]["url"])).content
        return crud["uuid"], jpeg[1000:1100]

    expired, deleted, kept = [await post(seed) for seed in (1, 2, 3)]
    toast = await database.fetchval(
        "SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'picture_files'"
    )
    for _, jpeg in (expired, deleted, kept):
        assert await holders(database, jpeg) == {toast}
    await expire(database, expired[0])
    await andrew.delete(f"/api/activities/{deleted[0]}")
    await swept(dsn)
    for _, jpeg in (expired, deleted):
        assert await holders(database, jpeg) == set()
    assert await holders(database, kept[1]) == {toast}
    assert await holders(database, f"{SECRET} 1") == await holders(database, f"{SECRET} 2") == set()


async def test_hardening_11_the_address_of_a_deleted_account_is_in_no_table(
    dsn: str, api: Api, codes: Callable[[str], str], database: asyncpg.Connection
) -> None:
    account = {"email": EMAIL.upper(), "password": PASSWORD}
    keyed = {"headers": {"Idempotency-Key": "key"}}
    person = {**account, "handle": "quark", "display_name": "Quark"}
    await api.post("/api/auth/signup", person, **keyed)
    await api.post("/api/auth/confirm", {"email": EMAIL, "code": codes(EMAIL)})
    await api.post("/api/auth/signup", {**person, "handle": "quark_again"})
    await api.post("/api/auth/forgot", {"email": EMAIL})
    await api.post("/api/auth/signin", {**account, "password": "wrong password"}, expect=401)
    token = (await api.post("/api/auth/signin", account))["access_token"]
    assert "throttles" not in await rows_with(database, EMAIL)
    assert await rows_with(database, EMAIL) == {"accounts", "idempotency_keys", "signups", "users"}

    headers = {"Authorization": f"Bearer {token}"}
    await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers)
    assert await rows_with(database, EMAIL) == set()
    await swept(dsn)
    assert await holders(database, EMAIL) == set()


async def test_hardening_11_a_sweep_does_not_wait_for_a_table_that_is_locked(
    dsn: str, andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud(f"{SECRET} expires")
    await expire(database, crud["uuid"])
    async with database.transaction():
        await database.execute("LOCK TABLE activities IN SHARE UPDATE EXCLUSIVE MODE")  # as VACUUM
        assert await asyncio.wait_for(sweep(dsn), PATIENCE) is not None
    await swept(dsn)
    assert "activities" not in await holders(database, SECRET)
