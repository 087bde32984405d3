"""A page of cruds names the position in the event log at which a stream continues."""

import pytest

from live.listening import listening
from support import Api, Member

HOME = "/api/activities/home"
PREFER = {"Prefer": "respond-async, event-position"}
NAME = "event-position"


async def position_of(api: Api, path: str = HOME) -> str:
    response = await api.request("GET", path, headers=PREFER)
    assert response.headers["preference-applied"] == NAME
    position: str = response.headers[NAME]
    return position


async def test_only_clients_that_ask_get_a_position(api: Api, andrew: Member) -> None:
    await andrew.crud()
    for headers in ({}, {"Prefer": "event-positions"}, {"Prefer": "return=minimal"}):
        assert NAME not in (await api.request("GET", HOME, headers=headers)).headers
    response = await api.request("GET", "/api/trending", headers=PREFER)
    assert NAME not in response.headers
    assert (
        NAME
        not in (await api.request("GET", f"{HOME}?limit=0", headers=PREFER, expect=422)).headers
    )


@pytest.mark.rule("C71")
@pytest.mark.parametrize("audience", ["visitor", "member"])
async def test_a_stream_from_the_position_misses_nothing_and_repeats_nothing(
    url: str, api: Api, andrew: Member, bayko: Member, audience: str
) -> None:
    reader = bayko if audience == "member" else api
    for number in range(5):  # computed, noted, stored, cached
        await andrew.crud(f"before {number}")
        position = await position_of(reader)
        after = await andrew.crud(f"after {number}")
        async with listening(url, {**reader.headers, "Last-Event-ID": position}) as stream:
            [missed] = await stream.receive("crud")
            assert missed["uuid"] == after["uuid"]


async def test_the_position_of_a_cached_page_is_the_present_one(api: Api, andrew: Member) -> None:
    await andrew.crud()
    first = await position_of(api)
    for _ in range(3):
        await position_of(api)
    await andrew.crud()
    assert await position_of(api) != first
