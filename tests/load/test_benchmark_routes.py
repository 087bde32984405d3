"""The routes of `make bench`: the service answers their requests, over the rows of the bench."""

import re
from collections import Counter
from uuid import uuid4

import asyncpg
from quart import Quart

from benchmarks.database import AUTHOR, MEMBERS, Member, Rows, fill
from benchmarks.routes import MANY, ROUTES, Inputs, measuring_order, mix
from benchmarks.servers import PEERS
from benchmarks.writer import posting
from cruddur.identity.tokens import issue
from support import Api

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def test_the_service_answers_each_kind_of_request_of_each_route(
    dsn: str, api: Api, app: Quart
) -> None:
    def headers(member: Member) -> dict[str, str]:
        token = issue(
            app.extensions["cruddur"].keys,
            user_uuid=member.uuid,
            handle=member.handle,
            session_uuid=member.session_uuid,
        )
        return {"Authorization": f"Bearer {token}"}

    inputs = Inputs(await fill(dsn, 60, alive=1.0), headers)
    for route in measuring_order(ROUTES):
        kinds = {
            (
                request.method,
                UUID.sub("", request.path),
                "Authorization" in request.headers,
            ): request
            for request in route.requests(inputs)
        }
        for request in kinds.values():
            response = await api.http.request(
                request.method, request.path, headers=request.headers, content=request.body
            )
            assert response.status_code == 200, request.line
            if route.name in {"member-home", "notifications", "messages"}:
                assert len(response.json()) == 40, "a full page"


async def test_the_writer_posts_until_it_is_stopped(dsn: str, database: asyncpg.Connection) -> None:
    await fill(dsn, 1, alive=1.0)
    before = await database.fetchval("SELECT count(*) FROM activities")
    with posting(dsn, 100):
        assert await database.fetchval("SELECT count(*) FROM activities") > before


def test_the_mix_has_the_weights_of_make_load() -> None:
    rows = Rows(uuid4(), [uuid4() for _ in range(100)], "cursor", [uuid4() for _ in MEMBERS[1:]])
    inputs = Inputs(rows, lambda member: {"Authorization": member.handle})
    requests = mix(inputs)
    assert requests == mix(inputs), "each peer gets the same requests"
    methods = Counter(request.method for request in requests)
    assert methods["GET"] > 0.8 * len(requests)
    assert methods["PUT"] - methods["DELETE"] in {0, 1}
    callers = Counter(request.headers.get("Authorization") for request in requests)
    assert 0.5 < callers[None] / len(requests) < 0.7
    assert callers.keys() == {None, *(member.handle for member in MEMBERS)}
    assert callers[AUTHOR.handle] < 0.1 * len(requests)


def test_each_peer_of_a_route_is_known() -> None:
    assert {peer for route in ROUTES for peer in route.peers} == {*PEERS, MANY}


def test_routes_that_write_are_measured_last() -> None:
    order = measuring_order(ROUTES)
    reading = [route for route in order if not (route.is_writing or route.posts)]
    assert order[: len(reading)] == reading
    assert all(route.is_writing for route in order[-3:])
