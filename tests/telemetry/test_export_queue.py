"""Couriers: honest counts, whatever the sink does, and nobody waits."""

import threading
import time
from collections.abc import Sequence

import pytest

from cruddur.telemetry.export_queue import Courier, DeliveryError
from telemetry.recorded import PATIENCE


def settled(courier: Courier[int], total: int) -> None:
    """Wait until every item has become something."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = courier.delivery()
        if found.sent + found.failed + found.dropped == total:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_P6_every_item_is_in_one_count_under_three_producers() -> None:
    received: list[int] = []
    courier = Courier[int]("trial", received.extend, capacity=50, batch=10, delay=0.001)
    courier.start()

    def produce() -> None:
        for number in range(20_000):
            courier.put(number)

    producers = [threading.Thread(target=produce) for _ in range(3)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    assert courier.close(PATIENCE)
    found = courier.delivery()
    assert found.sent == len(received)
    assert found.sent + found.dropped == 60_000
    assert found.queued == found.failed == 0


def test_P6_the_oldest_is_dropped() -> None:
    received: list[int] = []
    courier = Courier[int]("trial", received.extend, capacity=3)
    for number in range(5):
        courier.put(number)
    assert courier.delivery().dropped == 2
    courier.start()
    assert courier.close(PATIENCE)
    assert received == [2, 3, 4]


def test_P4_what_is_under_way_when_time_is_up_is_dropped_and_not_counted_twice() -> None:
    began, release, ended = threading.Event(), threading.Event(), threading.Event()

    def deliver(_: Sequence[int]) -> None:
        began.set()
        release.wait(PATIENCE)
        ended.set()

    courier = Courier[int]("trial", deliver, batch=10, abort=lambda: None)
    for number in range(12):
        courier.put(number)
    courier.start()
    assert began.wait(PATIENCE)
    assert courier.delivery().delivering_since is not None
    start = time.monotonic()
    assert not courier.close(0.1)
    assert time.monotonic() - start < 2
    release.set()
    assert ended.wait(PATIENCE)
    found = courier.delivery()
    assert (found.sent, found.failed, found.dropped) == (0, 0, 12)


@pytest.mark.parametrize("error", [DeliveryError("no thanks"), SystemExit(1), ValueError()])
def test_P6_no_exception_ends_the_deliveries(error: BaseException) -> None:
    received: list[int] = []

    def deliver(items: Sequence[int]) -> None:
        if 1 in items:
            raise error
        received.extend(items)

    courier = Courier[int]("trial", deliver, batch=1)
    courier.start()
    courier.put(1)
    courier.put(2)
    settled(courier, 2)
    found = courier.delivery()
    assert (found.sent, found.failed) == (1, 1)
    assert found.last_error == (str(error) or type(error).__name__)
    assert courier.close(PATIENCE)
    assert received == [2]


def test_a_sink_is_said_to_be_ill_once_and_well_once(caplog: pytest.LogCaptureFixture) -> None:
    is_ill = True

    def deliver(_: Sequence[int]) -> None:
        if is_ill:
            raise DeliveryError("out of order")

    courier = Courier[int]("the sink", deliver, batch=1)
    courier.start()
    for number in range(5):
        courier.put(number)
    settled(courier, 5)
    is_ill = False
    for number in range(3):
        courier.put(number)
    settled(courier, 8)
    assert courier.close(PATIENCE)
    assert caplog.messages == [
        "the sink does not take what it is sent: out of order",
        "the sink takes what it is sent again",
    ]


def test_what_is_put_after_the_end_is_dropped() -> None:
    courier = Courier[int]("trial", lambda _: None)
    courier.start()
    assert courier.close(PATIENCE)
    courier.put(1)
    assert courier.delivery().dropped == 1
