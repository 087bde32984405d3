"""Users: the short form, the profile with its counts, and updates of the own profile."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from support import Api, Member, expire


@pytest.mark.parametrize("handle", ["andrewbrown", "AndrewBrown", "ANDREWBROWN"])
async def test_the_short_form_has_four_fields(api: Api, andrew: Member, handle: str) -> None:
    assert await api.get(f"/api/users/@{handle}/short") == {
        "uuid": str(andrew.uuid),
        "handle": "andrewbrown",
        "display_name": "Andrew Brown",
        "avatar_url": None,
    }


@pytest.mark.rule("C48")
@pytest.mark.parametrize(
    "handle",
    ["nobody", "andrew%20brown", "@andrewbrown", "%00", "%FF", "a", "a" * 5000, "%E2%80%8B"],
)
async def test_an_unknown_handle_returns_404(api: Api, andrew: Member, handle: str) -> None:
    assert await api.get(f"/api/users/@{handle}/short", expect=404) == ["not_found"]


@pytest.mark.rule("C46")
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_both_methods_update_the_profile(api: Api, andrew: Member, method: str) -> None:
    body = {"display_name": "A. Brown", "bio": "I crud."}
    updated = (await andrew.request(method, "/api/profile/update", json=body)).json()
    assert updated == {
        "uuid": str(andrew.uuid),
        "cognito_user_uuid": str(andrew.uuid),
        "handle": "andrewbrown",
        "display_name": "A. Brown",
        "bio": "I crud.",
        "avatar_url": None,
    }
    seen = await api.get("/api/activities/@andrewbrown?shape=profile")
    assert seen["profile"] == {
        **updated, "cruds_count": 0, "followers_count": 0, "following_count": 0
    }  # fmt: skip
    assert (await andrew.get("/api/auth/me"))["display_name"] == "A. Brown"


@pytest.mark.rule("C100")
async def test_users_are_found_by_the_words_of_their_names(
    api: Api, andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    await member("ada_b", "Ada Lovelace-Brown")
    await member("brown", "Zoë Çelik")
    await member("brownie", "Nobody")
    await andrew.put("/api/users/@ada_b/follow")

    async def found(reader: Api, term: str) -> list[str]:
        users = await reader.get("/api/users/search", params={"term": term})
        return [user["handle"] for user in users]

    assert await found(api, "Brown") == ["brown", "brownie", "ada_b", "andrewbrown"]
    assert await found(api, "@BROWN") == ["brown", "brownie", "ada_b", "andrewbrown"]
    assert await found(api, "bro love") == ["ada_b"]
    assert await found(api, "b ada") == ["ada_b"]
    assert await found(api, "zoe celik") == ["brown"]
    for nothing in ("rown", "#", "#brown", "＃brown", "'", ":*", "\\", "!!"):
        assert await found(api, nothing) == [], nothing
    [first] = await andrew.get("/api/users/search?term=ada")
    assert first["followed"] is True
    assert "followed" not in (await api.get("/api/users/search?term=ada"))[0]
    assert await api.get("/api/users/search?term=", expect=422) == ["search_term_blank"]


async def test_a_new_name_shows_on_old_cruds(api: Api, andrew: Member) -> None:
    await andrew.crud()
    await andrew.put("/api/profile/update", {"display_name": "A. Brown"})
    [seen] = await api.get("/api/activities/home")
    assert seen["display_name"] == "A. Brown"


@pytest.mark.parametrize("body", [{"bio": None}, {"bio": ""}, {}])
async def test_a_missing_bio_is_empty(andrew: Member, body: dict[str, Any]) -> None:
    await andrew.put("/api/profile/update", {"display_name": "A", "bio": "Something"})
    updated = await andrew.put("/api/profile/update", {"display_name": "A", **body})
    assert updated["bio"] == ""


@pytest.mark.rule("C24")
async def test_lengths_count_code_points(andrew: Member) -> None:
    body = {"display_name": "🖖" * 50, "bio": "🖖" * 500}
    updated = await andrew.put("/api/profile/update", body)
    assert {key: updated[key] for key in body} == body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "display_name_blank"),
        ({"display_name": None}, "display_name_blank"),
        ({"display_name": ""}, "display_name_blank"),
        ({"display_name": " \t\u3000\u200b"}, "display_name_blank"),
        ({"display_name": "\U000e0041\u3164"}, "display_name_blank"),
        ({"display_name": 5}, "display_name_blank"),
        ({"display_name": "🖖" * 51}, "display_name_exceed_max_chars"),
        ({"display_name": "A\x00B"}, "display_name_invalid"),
        ({"display_name": "A", "bio": "🖖" * 501}, "bio_exceed_max_chars"),
        ({"display_name": "A", "bio": "B\x00C"}, "bio_invalid"),
        ({"display_name": "A", "bio": 5}, "bio_invalid"),
        ({"display_name": "A", "bio": ["B"]}, "bio_invalid"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_invalid_profile_changes_nothing(
    andrew: Member, database: asyncpg.Connection, method: str, body: dict[str, Any], code: str
) -> None:
    response = await andrew.request(method, "/api/profile/update", json=body, expect=422)
    assert response.json() == [code]
    kept = await database.fetchrow("SELECT display_name, bio FROM users")
    assert tuple(kept) == ("Andrew Brown", "")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_visitor_has_no_profile_to_update(api: Api, method: str) -> None:
    body = {"display_name": "Nobody"}
    await api.request(method, "/api/profile/update", json=body, expect=401)


async def test_the_profile_counts_live_cruds_without_replies(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    first = await andrew.crud()
    await andrew.crud()
    doomed = await andrew.crud()
    await andrew.reply(first["uuid"])
    foreign = await bayko.crud()
    await andrew.put(f"/api/activities/{foreign['uuid']}/repost")
    await expire(database, doomed["uuid"])
    seen = await api.get("/api/activities/@AndrewBrown?shape=profile")
    assert seen["profile"]["cruds_count"] == 2
    await andrew.delete(f"/api/activities/{first['uuid']}")
    seen = await api.get("/api/activities/@andrewbrown?shape=profile")
    assert seen["profile"]["cruds_count"] == 1


async def test_suggestions_are_the_authors_of_liked_live_cruds(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    assert await api.get("/api/users/suggested") == []
    await andrew.crud()
    liked = await bayko.crud()
    await andrew.put(f"/api/activities/{liked['uuid']}/like")
    listed = await api.get("/api/users/suggested")
    assert [one["handle"] for one in listed] == ["bayko", "andrewbrown"]
    assert listed[0] == await api.get("/api/users/@bayko/short")
    assert [one["handle"] for one in await bayko.get("/api/users/suggested")] == ["andrewbrown"]
    await expire(database, liked["uuid"])
    assert [one["handle"] for one in await api.get("/api/users/suggested")] == ["andrewbrown"]


async def completed(member: Member, prefix: str) -> list[str]:
    """Return the handles of the users that complete a text."""
    found = await member.get(f"/api/users?prefix={quote(prefix)}")
    return [user["handle"] for user in found]


@pytest.mark.rule("C92")
async def test_a_prefix_finds_handles_and_then_names(
    andrew: Member, member: Callable[..., Any]
) -> None:
    for handle, name in {
        "annika": "Seven",
        "b_elanna": "Ánna Torres",
        "brunt": "An  Nagus",
        "dax": "Jadzia",
        "kira": "東京 Nerys",
    }.items():
        await member(handle, name)
    assert await completed(andrew, "an") == ["andrewbrown", "annika", "b_elanna", "brunt"]
    assert await completed(andrew, "AN") == await completed(andrew, "an")
    assert await completed(andrew, "ann") == ["annika", "b_elanna", "brunt"]
    assert await completed(andrew, "á") == ["andrewbrown", "b_elanna", "brunt"]
    assert await completed(andrew, "b_") == ["b_elanna"]
    assert await completed(andrew, "東") == ["kira"]
    assert await completed(andrew, "adz") == []
    [user] = await andrew.get("/api/users?prefix=dax")
    assert set(user) == {"uuid", "handle", "display_name", "avatar_url"}


@pytest.mark.rule("C92")
async def test_wildcards_and_signs_match_nothing(andrew: Member, bayko: Member) -> None:
    for prefix in ("%", "_", "\\", "'", "🖖", "..."):
        assert await completed(andrew, prefix) == []


@pytest.mark.rule("C92")
async def test_at_most_eight_users_complete_a_name(
    andrew: Member, member: Callable[..., Any]
) -> None:
    for number in range(10):
        await member(f"fan_{number}", "Ferengi")
    assert await completed(andrew, "fan") == [f"fan_{number}" for number in range(8)]
    assert len(await completed(andrew, "fe")) == 8


@pytest.mark.rule("C17")
async def test_only_members_complete_names(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    assert await api.get("/api/users?prefix=an", expect=401) == ["generic_401"]
    await database.execute("DELETE FROM sessions")
    assert await andrew.get("/api/users?prefix=an", expect=401) == ["generic_401"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "prefix_blank"),
        ("?prefix=", "prefix_blank"),
        ("?prefix=%E2%80%8B", "prefix_blank"),
        ("?prefix=%00", "prefix_invalid"),
        ("?prefix=a%00", "prefix_invalid"),
        (f"?prefix={'a' * 51}", "prefix_exceed_max_chars"),
    ],
)
async def test_a_prefix_of_a_name_is_a_short_visible_text(
    andrew: Member, query: str, code: str
) -> None:
    assert await andrew.get(f"/api/users{query}", expect=422) == [code]
