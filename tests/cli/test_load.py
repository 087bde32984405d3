"""The parts of `make load` that do not need Locust: target, traces, and event parser."""

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support import Api

LOAD = Path(__file__).parents[1] / "load"
sys.path.append(str(LOAD))

from events import Event, events  # noqa: E402  # imported from the folder that Locust runs in
from target import TargetError, check_target  # noqa: E402  # as above
from traces import KEPT, KEPT_OF_A_ROUTE, Request, Slowest, new_trace  # noqa: E402  # as above

PAGE = "http://localhost:4318/trace/{trace_id}"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:4567", "http://localhost:4567", "http://[::1]:4567", "https://127.8.9.1"],
)
def test_a_load_can_target_this_machine(url: str) -> None:
    assert check_target(f"{url}/") == url


def test_a_load_can_target_another_host_only_if_it_is_named_twice() -> None:
    url = "https://staging.example:8443/cruddur"
    assert check_target(url, "staging.example") == url
    for remote in ("", "other.example", "staging.example.org"):
        with pytest.raises(TargetError, match=r"REMOTE=staging\.example$"):
            check_target(url, remote)
    with pytest.raises(TargetError, match="is not this machine"):
        check_target("http://127.0.0.1.staging.example")
    with pytest.raises(TargetError, match="is not this machine"):
        check_target("http://127.0.0.1@staging.example")


@pytest.mark.parametrize("url", ["", "127.0.0.1:4567", "ftp://127.0.0.1", "http://[", "http://"])
def test_an_invalid_base_url_is_rejected(url: str) -> None:
    with pytest.raises(TargetError, match="is not a base URL"):
        check_target(url)


async def test_the_service_continues_the_trace_of_a_request(api: Api) -> None:
    trace_id, traceparent = new_trace()
    response = await api.request(
        "GET", "/api/activities/home", headers={"traceparent": traceparent}
    )
    assert response.headers["traceresponse"].split("-")[1] == trace_id
    assert len({new_trace()[0] for _ in range(100)}) == 100


def request(milliseconds: float, route: str = "/api/activities/home") -> Request:
    began = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
    return Request(milliseconds, "GET", route, began, f"{round(milliseconds):032x}")


def test_the_slowest_requests_are_kept_per_route(tmp_path: Path) -> None:
    slowest = Slowest(PAGE)
    for number in range(100):
        slowest.add(request(1000 + number, "/api/auth/signin"))
        slowest.add(request(number, f"/api/{number}"))
    kept = slowest.ordered()
    assert len(kept) == KEPT
    assert [one.milliseconds for one in kept[:KEPT_OF_A_ROUTE]] == [1099, 1098, 1097]
    assert [one.milliseconds for one in kept[KEPT_OF_A_ROUTE:]] == [*range(99, 92, -1)]

    address = f"http://localhost:4318/trace/{1099:032x}"
    assert slowest.text().splitlines()[1].endswith(address)
    assert f'<a href="{address}">' in slowest.page()
    slowest.write(tmp_path / "slowest.csv")
    with (tmp_path / "slowest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == KEPT
    assert rows[0]["route"] == "/api/auth/signin"
    assert rows[0]["trace"] == address

    slowest.clear()
    assert slowest.ordered() == []


def test_a_route_is_escaped_in_the_report() -> None:
    slowest = Slowest(PAGE)
    slowest.add(request(1, "/api/activities/@<handle>"))
    assert "@&lt;handle&gt;" in slowest.page()


def test_a_listener_receives_events_and_its_position() -> None:
    def lines() -> Iterator[bytes]:
        yield from (
            b"retry: 1000\n", b"\n", b"id: 7\n", b"\n", b":\n", b"\n",
            b"id: 8\r\n", b"event: crud\r\n", b'data: {"uuid":\r\n', b"data:1}\r\n", b"\r\n",
            b"event: gone\n", b"data: {}\n", b"\n", b"event: crud\n", b"data: cut off\n",
        )  # fmt: skip

    assert list(events(lines(), "5")) == [
        Event("7", "message", ""),
        Event("8", "crud", '{"uuid":\n1}'),
        Event("8", "gone", "{}"),
    ]
