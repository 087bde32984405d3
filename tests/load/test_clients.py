"""The clients of `make bench`: both modes of the built-in one, and parsers for wrk and oha."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from benchmarks.clients import (
    ClientError,
    Load,
    Request,
    _ask_at_rate,
    _ask_closed,
    arrivals,
    percentile,
    read_oha,
    read_wrk,
    wrk_script,
)

REQUEST = Request("POST", "/crud", {"Content-Type": "application/json"}, '{"message": "Grüße"}')
CYCLE = [Request("GET", f"/{number}", {"Content-Length": "0"}) for number in range(3)]

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

WRK = """\
Running 2s test @ http://127.0.0.1:8000/api/activities/home
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    24.32ms   10.11ms 102.07ms   81.20%
    Req/Sec   671.05     73.50   808.00     60.00%
  Latency Distribution
     50%   20.12ms
     75%   24.98ms
     90%   38.40ms
     99%    1.21s\x20
  1344 requests in 2.00s, 21.64MB read
Requests/sec:    671.88
Transfer/sec:     10.81MB
"""


@asynccontextmanager
async def answering(
    response: bytes,
    stall: float = 0.0,
    *,
    closes: bool = False,
    paths: list[str] | None = None,
) -> AsyncIterator[int]:
    """A server with one response for everything; it can stall once, can close the connection
    after each response, and adds the path of each request to a list."""
    stalls = [stall]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                assert len(await reader.readexactly(length)) == length
                if paths is not None:
                    paths.append(head.split()[1].decode())
                if stalls:
                    time.sleep(stalls.pop())  # noqa: ASYNC251 -- as a server that is busy
                writer.write(response)
                if closes:
                    writer.close()
                    return
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_a_constant_rate_is_a_fixed_schedule() -> None:
    assert arrivals(4, 1) == [0.0, 0.25, 0.5, 0.75]
    assert arrivals(2.5, 1) == [0.0, 0.4]
    assert arrivals(0.5, 1) == []


def test_percentile_returns_the_smallest_value_that_covers_the_share() -> None:
    hundred = [float(n) for n in range(1, 101)]
    assert percentile(hundred, 0.99) == 99
    assert percentile(hundred, 0.5) == 50
    assert percentile([7.0], 0.99) == 7


def test_the_output_of_wrk_is_parsed() -> None:
    load = read_wrk(WRK)
    assert (load.requests, load.seconds, load.rate) == (1344, 2.0, 672.0)
    assert load.p50 == pytest.approx(0.02012)
    assert load.p99 == pytest.approx(1.21)


@pytest.mark.parametrize(
    "error",
    ["Non-2xx or 3xx responses: 12", "Socket errors: connect 0, read 3, write 0, timeout 1"],
)
def test_errors_reported_by_wrk_fail_the_measurement(error) -> None:
    with pytest.raises(ClientError, match=error):
        read_wrk(WRK.replace("Requests/sec", f"  {error}\nRequests/sec"))


OHA = {
    "summary": {"successRate": 1.0, "total": 2.0, "requestsPerSec": 672.0},
    "latencyPercentiles": {"p50": 0.02, "p95": 0.04, "p99": 1.21},
    "statusCodeDistribution": {"200": 1344},
    "errorDistribution": {},
}


def test_the_output_of_oha_is_parsed() -> None:
    assert read_oha(json.dumps(OHA)) == Load(1344, 2.0, 0.02, 1.21)


@pytest.mark.parametrize(
    "fault",
    [
        {"statusCodeDistribution": {"200": 1300, "500": 44}},
        {"statusCodeDistribution": {}},
        {"errorDistribution": {"connection refused": 3}},
    ],
)
def test_errors_reported_by_oha_fail_the_measurement(fault) -> None:
    with pytest.raises(ClientError, match="oha"):
        read_oha(json.dumps({**OHA, **fault}))


async def test_the_closed_loop_sends_a_request_after_each_response() -> None:
    async with answering(RESPONSE) as port:
        load = await _ask_closed(port, [REQUEST.encode()], 0.5)
    assert load.requests > 16
    assert load.seconds >= 0.5
    assert 0 < load.p50 <= load.p99


async def test_all_connections_share_one_cycle_of_requests() -> None:
    requests = [request.encode() for request in CYCLE]
    for asking in (
        partial(_ask_closed, requests=requests, seconds=0.1),
        partial(_ask_at_rate, requests=requests, seconds=0.1, rate=300),
    ):
        paths: list[str] = []
        async with answering(RESPONSE, paths=paths) as port:
            load = await asking(port)
        assert load.requests == len(paths)
        counts = [paths.count(request.path) for request in CYCLE]
        assert counts[0] >= counts[1] >= counts[2] >= counts[0] - 1


def test_wrk_sends_whole_requests_in_turn() -> None:
    _, *lines = wrk_script([REQUEST, *CYCLE]).splitlines()
    first, *others = (line for line in lines if line.startswith("requests["))
    assert json.loads(first.partition(" = ")[2]) == REQUEST.encode().decode()
    assert len(others) == len(CYCLE)


async def test_a_stall_counts_for_every_request_that_was_due_during_it() -> None:
    async with answering(RESPONSE, stall=0.3) as port:
        load = await _ask_at_rate(port, [REQUEST.encode()], 0.4, 100)
    assert load.requests == 40
    assert load.p50 > 0.05
    assert load.p99 >= 0.25


@pytest.mark.parametrize("word", [b"Connection: close", b"Server: silent"])
async def test_a_closed_connection_is_opened_again(word) -> None:
    response = b"HTTP/1.1 200 OK\r\n" + word + b"\r\nContent-Length: 2\r\n\r\n{}"
    async with answering(response, closes=True) as port:
        steady = await _ask_at_rate(port, [REQUEST.encode()], 0.4, 100)
        closed = await _ask_closed(port, [REQUEST.encode()], 0.5)
    assert steady.requests == 40
    assert closed.requests > 16


@pytest.mark.parametrize("status", ["401 Unauthorized", "500 Internal Server Error"])
async def test_another_status_fails_the_measurement(status) -> None:
    response = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    async with answering(response) as port:
        for asking in (
            _ask_at_rate(port, [REQUEST.encode()], 0.1, 50),
            _ask_closed(port, [REQUEST.encode()], 0.1),
        ):
            with pytest.raises(ExceptionGroup) as caught:
                await asking
            assert caught.group_contains(ClientError, match=status)
