"""Search in live cruds: words, #tags and @handles."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from support import Api, Member, expire, pages

SEARCH = "/api/activities/search"


def path_of(term: str, **arguments: Any) -> str:
    query = "".join(f"&{name}={value}" for name, value in arguments.items())
    return f"{SEARCH}?term={quote(term)}{query}"


async def found(api: Api, term: str) -> list[str]:
    return [crud["message"] for crud in await api.get(path_of(term))]


async def test_words_are_stemmed(api: Api, andrew: Member) -> None:
    await andrew.crud("She sells Sea Shells")
    await andrew.crud("Nothing of the kind")
    for term in ("shell", "SHELLS", "selling", "sea", "shelled sells"):
        assert await found(api, term) == ["She sells Sea Shells"], term
    assert await found(api, "ocean") == []


@pytest.mark.rule("C32")
async def test_all_words_must_match(api: Api, andrew: Member) -> None:
    await andrew.crud("red alert")
    await andrew.crud("red shirt")
    assert await found(api, "red alert") == ["red alert"]
    assert sorted(await found(api, "alert or shirt")) == ["red alert", "red shirt"]
    assert await found(api, "red -alert") == ["red shirt"]


@pytest.mark.rule("C32")
async def test_quoted_words_match_as_a_phrase(api: Api, andrew: Member) -> None:
    await andrew.crud("warp core breach")
    await andrew.crud("the core of a warp drive")
    assert await found(api, '"warp core"') == ["warp core breach"]
    assert len(await found(api, "warp core")) == 2


async def test_english_stop_words_can_be_searched(api: Api, andrew: Member) -> None:
    await andrew.crud("The Who")
    await andrew.crud("Led Zeppelin")
    assert await found(api, "the who") == ["The Who"]
    assert await found(api, "who") == ["The Who"]


async def test_words_of_other_languages_are_found(api: Api, andrew: Member) -> None:
    await andrew.crud("Où est la bibliothèque ?")
    assert await found(api, "BIBLIOTHÈQUE") == ["Où est la bibliothèque ?"]


async def test_the_best_match_comes_first(api: Api, andrew: Member, bayko: Member) -> None:
    await bayko.crud("#prophets")
    await andrew.crud("prophets and profits and prophets and prophets")
    await andrew.crud("prophets among much else that has nothing to do with them")
    assert await found(api, "prophets") == [
        "#prophets",
        "prophets and profits and prophets and prophets",
        "prophets among much else that has nothing to do with them",
    ]


@pytest.mark.rule("C32")
async def test_a_tag_is_matched_exactly_and_in_any_case(api: Api, andrew: Member) -> None:
    await andrew.crud("The #Café opens")
    await andrew.crud("The #caféteria opens")
    await andrew.crud("A café without a tag")
    for term in ("#café", "#CAFÉ", "#cafe\N{COMBINING ACUTE ACCENT}"):
        assert await found(api, term) == ["The #Café opens"], term


async def test_a_handle_finds_that_users_cruds_and_replies(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("mentions @bayko")
    await bayko.reply(crud["uuid"], "a reply")
    await bayko.crud("a crud")
    assert await found(api, "@Bayko") == ["a crud", "a reply"]
    assert await found(api, "@nobody") == []


async def test_a_single_bare_word_matches_words_tags_and_handles(
    api: Api, andrew: Member, bayko: Member
) -> None:
    await andrew.crud("I know bayko")
    await bayko.crud("by the person")
    await andrew.crud("under the tag #bayko")
    assert await found(api, "Bayko") == ["under the tag #bayko", "by the person", "I know bayko"]
    # Together with another word, it only matches words.
    assert await found(api, "know bayko") == ["I know bayko"]


async def test_tags_handles_and_words_are_combined(api: Api, andrew: Member, bayko: Member) -> None:
    await andrew.crud("honour")
    await bayko.crud("honour")
    await bayko.crud("duty")
    results = await api.get(path_of("@bayko honour"))
    assert [(crud["handle"], crud["message"]) for crud in results] == [
        ("bayko", "honour"),
        ("bayko", "duty"),
        ("andrewbrown", "honour"),
    ]


@pytest.mark.rule("C32")
async def test_only_live_cruds_are_found(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud("fleeting #fleeting")
    await andrew.reply(crud["uuid"], "a fleeting reply")
    assert len(await found(api, "fleeting")) == 2
    await expire(database, crud["uuid"])
    for term in ("fleeting", "#fleeting", "@andrewbrown", "reply"):
        assert await found(api, term) == [], term


async def test_results_have_the_viewers_reaction_flags(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud("findme")
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    [mine] = await bayko.get(path_of("findme"))
    [public] = await api.get(path_of("findme"))
    assert (mine["liked"], mine["reposted"], mine["likes_count"]) == (True, False, 1)
    assert public.items() <= mine.items()
    assert "liked" not in public


async def test_paging_the_results_returns_each_once(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    for number in range(5):
        await andrew.crud(f"needle {number}")
    await andrew.crud("#needle 5")
    await andrew.crud("needle needle 6")
    whole = await api.get(path_of("needle"))
    assert len(whole) == 7
    seen = []
    async for page in pages(api, path_of("needle", limit=2)):
        assert len(page) <= 2
        seen += page
        if len(seen) == 2:
            await andrew.crud("#needle came meanwhile, above what was read")
            await expire(database, whole[3]["uuid"])
    assert seen == whole[:3] + whole[4:]


JUNK = [
    '"',
    '""',
    '"unclosed',
    "-",
    "--",
    "- -",
    "-word",
    "- " * 100,
    "-(" * 100,
    "-!" * 100,
    "-a" * 100,
    '-"' * 100,
    "!!!",
    "'",
    "\\",
    "\\'",
    "a' OR '1'='1",
    "%",
    "_",
    "*",
    "&",
    "|",
    "!",
    "<->",
    "a <-> b",
    "a & | b",
    "(",
    ")",
    ":*",
    "a:*",
    "or",
    "OR OR",
    "and",
    "the",
    "#",
    "@",
    "##",
    "@@",
    "# @",
    "#\U0001f596",
    "@\U0001f596",
    "\U0001f596",
    "\U0001f469\u200d\U0001f680",
    "e\u0301",
    "\u202eabc",
    "\ufffd",
    "a" * 200,
    "-" * 200,
    '"' * 200,
    "# " * 99 + "#",
    "a/b/c@d.e:1?f=g#h",
    "<b>bold</b>",
    "1.5e3",
]


async def test_no_odd_search_term_is_a_server_error(api: Api, andrew: Member) -> None:
    await andrew.crud("a quite normal crud")
    for term in JUNK:
        assert isinstance(await api.get(path_of(term)), list), term


async def test_a_term_of_invalid_utf8_is_not_a_server_error(api: Api) -> None:
    for term in ("%ED%A0%80", "%FF", "%C3", "%", "%zz"):
        assert await api.get(f"{SEARCH}?term={term}") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "search_term_blank"),
        ("?term", "search_term_blank"),
        ("?term=", "search_term_blank"),
        ("?term=%20%09+", "search_term_blank"),
        ("?term=%E2%80%8B", "search_term_blank"),
        ("?Term=x", "search_term_blank"),
        ("?limit=0&cursor=x", "limit_invalid"),
        ("?term=%00", "search_term_invalid"),
        ("?term=a%00b", "search_term_invalid"),
        ("?term=" + "a" * 201, "search_term_exceed_max_chars"),
        ("?term=" + "%F0%9F%96%96" * 201, "search_term_exceed_max_chars"),
    ],
)
async def test_an_invalid_term_is_rejected(api: Api, query: str, code: str) -> None:
    assert await api.get(SEARCH + query, expect=422) == [code]


async def test_a_term_of_200_characters_of_any_size_is_accepted(api: Api) -> None:
    assert await api.get(path_of("\U0001f596" * 200)) == []


async def test_results_are_the_same_for_all_viewers(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    await andrew.crud("public words")
    responses = [await found(one, "words") for one in (andrew, bayko, await member("worf"))]
    assert responses == [["public words"]] * 3


async def test_a_hyphen_excludes_a_word(api: Api, andrew: Member) -> None:
    await andrew.crud("tea with milk #drinks")
    await andrew.crud("tea with dogs #drinks")
    terms = ("tea -dogs", "tea -dog", "#drinks -dogs", '"tea with" -"dogs"', "@andrewbrown -dogs")
    for term in terms:
        found = await api.get("/api/activities/search", params={"term": term})
        assert [crud["message"] for crud in found] == ["tea with milk #drinks"], term
    assert await api.get("/api/activities/search", params={"term": "-dogs"}) == []
    assert len(await api.get("/api/activities/search", params={"term": "well-known tea"})) == 0


@pytest.mark.rule("C32")
@pytest.mark.parametrize(
    ("message", "terms"),
    [
        (
            "“hello” wait—what party🎉 (see)…",
            "hello wait what party see “hello” wait—what wait-what",
        ),
        ("東京。大阪「京都」", "東京 大阪 京都 東京。大阪 「京都」"),
        ("«Où?» ¿qué! ‹ja›", "où qué ja ou que"),
        ("don’t l'amour O’Brien", "don't don’t don＇t amour l’amour O'Brien"),
        (
            "Café Łódź smørrebrød Straße Ελλάδα ёлка Đà",
            "cafe CAFÉ lodz smorrebrod strasse ελλαδα елка da",
        ),
        ("cafe lodz", "café Łódź cafe\u0301"),
        ("ﾊﾝｶｸ ｃａｆé ﬁne Brand™ E=mc²", "ハンカク cafe fine brand mc2"),
        ("東京へ行きました", "東京 行きました 京へ"),
        ("我喜欢北京烤鸭", "北京 烤鸭 喜欢北京"),
        ("서울에서 만나요", "서울 만나 서울에서"),
        ("ภาษาไทยง่ายมาก", "ไทย ง่าย ภาษา"),
        ("ລາວ ខ្ញុំស្រលាញ់ မြန်မာစာ", "ລາວ ស្រលាញ់ မာစာ"),
        ("می\u200cخواهم مُحَمَّد שָׁלוֹם", "می\u200cخواهم میخواهم محمد שלום"),
        ("हिन्दी में", "हिन्दी में"),
        ("see https://docs.example.com/a_b?c=node.js", "example docs.example.com node.js a_b"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zero width"),
    ],
)
async def test_a_word_is_found_in_any_text(
    api: Api, andrew: Member, message: str, terms: str
) -> None:
    await andrew.crud(message)
    for term in terms.split(" "):
        assert await found(api, term) == [message], term
        assert await found(api, f"zzz -{term}") == []
        assert await found(api, f"zzz or {term}") == [message], term


async def test_other_words_are_not_found(api: Api, andrew: Member) -> None:
    await andrew.crud("東京へ行く мой ง่าย warp core がく 서울")
    for term in ("京東", "東へ", "мои", "งาย", '"core warp"', "“core warp”", "かく", "울서", "🎉"):
        assert await found(api, term) == [], term
    assert len(await found(api, "“warp core”")) == 1
    assert await found(api, "warp -東京") == []


async def test_wide_signs_find_tags_and_users(api: Api, andrew: Member) -> None:
    await andrew.crud("a ＃Tag")
    assert await found(api, "＃tag") == await found(api, "＠andrewbrown") == ["a ＃Tag"]
