"""Trending tags and suggested people, both computed from live cruds only."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from support import Api, Member, expire

TRENDING = "/api/trending"
SUGGESTED = "/api/users/suggested"


async def trending(api: Api) -> list[tuple[str, int]]:
    return [(tag["tag"], tag["count"]) for tag in await api.get(TRENDING)]


async def suggested(api: Api) -> list[str]:
    return [user["handle"] for user in await api.get(SUGGESTED)]


async def test_without_cruds_there_are_no_trends_and_suggestions(api: Api, andrew: Member) -> None:
    assert await trending(api) == []
    assert await suggested(api) == []


async def test_tags_are_ordered_by_count_then_name(api: Api, andrew: Member, bayko: Member) -> None:
    crud = await andrew.crud("#beta #gamma")
    await bayko.reply(crud["uuid"], "#gamma #alpha")
    await bayko.crud("#Gamma #GAMMA #beta")
    assert await trending(api) == [("gamma", 3), ("beta", 2), ("alpha", 1)]
    assert await trending(andrew) == await trending(api)


@pytest.mark.rule("C33")
async def test_only_live_cruds_count(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    cruds = [await andrew.crud("#now #here") for _ in range(2)]
    await andrew.reply(cruds[0]["uuid"], "#here #reply")
    await expire(database, cruds[0]["uuid"])
    assert await trending(api) == [("here", 1), ("now", 1)]
    await andrew.delete(f"/api/activities/{cruds[1]['uuid']}")
    assert await trending(api) == []


async def test_tags_can_be_in_any_script(api: Api, andrew: Member) -> None:
    for message, tags in {
        "#Ünïcode": ["ünïcode"],
        "#cafe\N{COMBINING ACUTE ACCENT} #CAFÉ": ["café"],
        "#हिन्दी is written with marks": ["हिन्दी"],
        "#日本語、#中文。": ["中文", "日本語"],
        "#مرحبا": ["مرحبا"],
        "(#brackets) #full. #stop! 'tis #quoted'": ["brackets", "full", "quoted", "stop"],
        "#snake_case #kebab-case #c3po": ["c3po", "kebab", "snake_case"],
        "＃東京 #ジョン・レノン": ["ジョン・レノン", "東京"],
        "#می\N{ZERO WIDTH NON-JOINER}خواهم": ["می\N{ZERO WIDTH NON-JOINER}خواهم"],
        "#su\N{SOFT HYPHEN}per #SUPER": ["super"],
        "https://example.com/a。#after": ["after"],
    }.items():
        crud = await andrew.crud(message)
        assert await trending(api) == [(tag, 1) for tag in tags], message
        for tag in tags:
            [hit] = await api.get("/api/activities/search", params={"term": f"#{tag}"})
            assert hit["uuid"] == crud["uuid"]
        await andrew.delete(f"/api/activities/{crud['uuid']}")


async def test_text_that_is_not_a_tag_does_not_trend(api: Api, andrew: Member) -> None:
    for message in (
        "no tag",
        "# no",
        "#",
        "#1 #2024",
        "C# a#b",
        "#_ #1_2",
        "https://example.com/#anchor",
        "http://example.com/?#anchor HTTPS://example.com/?q=,#anchor",
        "&#39;",
        "##twice",
        "#\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}",
        "#\N{UNICORN FACE}",
        "#" + "x" * 101,
    ):
        await andrew.crud(message)
        assert await trending(api) == [], message


async def test_at_most_ten_tags_are_returned(api: Api, andrew: Member) -> None:
    await andrew.crud(" ".join(f"#tag{number:02}" for number in range(12)))
    assert await trending(api) == [(f"tag{number:02}", 1) for number in range(10)]


@pytest.mark.rule("C33")
async def test_people_are_ranked_by_their_live_cruds(
    api: Api,
    andrew: Member,
    bayko: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    worf = await member("worf")
    await andrew.crud()
    liked, gone = await bayko.crud(), await worf.crud()
    await worf.reply(liked["uuid"], "a reply alone suggests nobody")
    await andrew.put(f"/api/activities/{liked['uuid']}/like")
    for one in (andrew, bayko):
        await one.put(f"/api/activities/{gone['uuid']}/repost")
    assert await suggested(api) == ["worf", "bayko", "andrewbrown"]
    await expire(database, gone["uuid"])
    assert await suggested(api) == ["bayko", "andrewbrown"]


async def test_the_viewer_is_not_suggested_to_themselves(
    api: Api, andrew: Member, bayko: Member
) -> None:
    for one in (andrew, bayko):
        await one.crud()
    assert await suggested(andrew) == ["bayko"]
    assert await suggested(bayko) == ["andrewbrown"]
    assert sorted(await suggested(api)) == ["andrewbrown", "bayko"]


async def test_a_suggestion_has_the_users_fields(api: Api, andrew: Member) -> None:
    await andrew.crud()
    assert await api.get(SUGGESTED) == [await api.get("/api/users/@andrewbrown/short")]


async def test_at_most_five_people_are_suggested(api: Api, member: Callable[..., Any]) -> None:
    for number in range(6):
        await (await member(f"member_{number}")).crud()
    assert len(await suggested(api)) == 5


async def completed(member: Member, prefix: str) -> list[str]:
    """Return the tags that complete a text."""
    found: list[str] = await member.get(f"/api/tags?prefix={quote(prefix)}")
    return found


@pytest.mark.rule("C93")
async def test_a_prefix_finds_tags_of_live_cruds(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await andrew.crud("#tea #Tealights #team #Ünïcode #東京タワー")
    await bayko.crud("#tea #teapot")
    gone = await bayko.crud("#team #teak")
    await expire(database, gone["uuid"])
    assert await completed(andrew, "tea") == ["tea", "tealights", "team", "teapot"]
    assert await completed(andrew, "TEAP") == ["teapot"]
    assert await completed(andrew, "u\N{COMBINING DIAERESIS}") == ["ünïcode"]
    assert await completed(andrew, "東京") == ["東京タワー"]
    for prefix in ("teak", "ea", "%", "te_", "🖖"):
        assert await completed(andrew, prefix) == []


@pytest.mark.rule("C93")
async def test_at_most_eight_tags_complete_a_word(andrew: Member) -> None:
    await andrew.crud(" ".join(f"#tag{number}" for number in range(10)))
    assert await completed(andrew, "t") == [f"tag{number}" for number in range(8)]


@pytest.mark.rule("C93")
async def test_tags_without_live_cruds_hide_no_other(
    andrew: Member, database: asyncpg.Connection
) -> None:
    gone = await andrew.crud(" ".join(f"#a{number}" for number in range(50)))
    await expire(database, gone["uuid"])
    await andrew.crud("#away")
    assert await completed(andrew, "a") == ["away"]


@pytest.mark.rule("C17")
async def test_only_members_complete_tags(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    assert await api.get("/api/tags?prefix=a", expect=401) == ["generic_401"]
    await database.execute("DELETE FROM sessions")
    assert await andrew.get("/api/tags?prefix=a", expect=401) == ["generic_401"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "prefix_blank"),
        ("?prefix=%20", "prefix_blank"),
        ("?prefix=a%00", "prefix_invalid"),
        (f"?prefix={'a' * 101}", "prefix_exceed_max_chars"),
    ],
)
async def test_a_prefix_of_a_tag_is_a_short_visible_text(
    andrew: Member, query: str, code: str
) -> None:
    assert await andrew.get(f"/api/tags{query}", expect=422) == [code]
