"""Export queues count every item whatever the sink does, and never block a producer."""

import threading
import time
from collections.abc import Sequence

import pytest

from cruddur.telemetry.export_queue import ExportError, ExportQueue
from patience import PATIENCE


def settled(export_queue: ExportQueue[int], total: int) -> None:
    """Wait until every item has been counted."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = export_queue.status()
        if found.sent + found.failed + found.dropped == total:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_P6_every_item_is_in_one_count_under_three_producers() -> None:
    received: list[int] = []
    export_queue = ExportQueue[int]("trial", received.extend, capacity=50, batch=10, delay=0.001)
    export_queue.start()

    def produce() -> None:
        for number in range(20_000):
            export_queue.put(number)

    producers = [threading.Thread(target=produce) for _ in range(3)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    assert export_queue.close(PATIENCE)
    found = export_queue.status()
    assert found.sent == len(received)
    assert found.sent + found.dropped == 60_000
    assert found.queued == found.failed == 0


def test_P6_the_oldest_is_dropped() -> None:
    received: list[int] = []
    export_queue = ExportQueue[int]("trial", received.extend, capacity=3)
    for number in range(5):
        export_queue.put(number)
    assert export_queue.status().dropped == 2
    export_queue.start()
    assert export_queue.close(PATIENCE)
    assert received == [2, 3, 4]


def test_P4_a_delivery_that_exceeds_the_deadline_is_dropped_and_counted_once() -> None:
    began, release, ended = threading.Event(), threading.Event(), threading.Event()

    def deliver(_: Sequence[int]) -> None:
        began.set()
        release.wait(PATIENCE)
        ended.set()

    export_queue = ExportQueue[int]("trial", deliver, batch=10, abort=lambda: None)
    for number in range(12):
        export_queue.put(number)
    export_queue.start()
    assert began.wait(PATIENCE)
    assert export_queue.status().delivering_since is not None
    assert not export_queue.close(0.1)
    assert not ended.is_set(), "it has not waited for the delivery"
    release.set()
    assert ended.wait(PATIENCE)
    found = export_queue.status()
    assert (found.sent, found.failed, found.dropped) == (0, 0, 12)


@pytest.mark.parametrize("error", [ExportError("no thanks"), SystemExit(1), ValueError()])
def test_P6_no_exception_ends_the_deliveries(error: BaseException) -> None:
    received: list[int] = []

    def deliver(items: Sequence[int]) -> None:
        if 1 in items:
            raise error
        received.extend(items)

    export_queue = ExportQueue[int]("trial", deliver, batch=1)
    export_queue.start()
    export_queue.put(1)
    export_queue.put(2)
    settled(export_queue, 2)
    found = export_queue.status()
    assert (found.sent, found.failed) == (1, 1)
    assert found.last_error == (str(error) or type(error).__name__)
    assert export_queue.close(PATIENCE)
    assert received == [2]


def test_a_failure_and_a_recovery_of_a_sink_are_each_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    is_ill = True

    def deliver(_: Sequence[int]) -> None:
        if is_ill:
            raise ExportError("out of order")

    export_queue = ExportQueue[int]("the sink", deliver, batch=1)
    export_queue.start()
    for number in range(5):
        export_queue.put(number)
    settled(export_queue, 5)
    is_ill = False
    for number in range(3):
        export_queue.put(number)
    settled(export_queue, 8)
    assert export_queue.close(PATIENCE)
    assert caplog.messages == [
        "the sink does not accept items: out of order",
        "the sink accepts items again",
    ]


def test_items_after_the_close_are_dropped() -> None:
    export_queue = ExportQueue[int]("trial", lambda _: None)
    export_queue.start()
    assert export_queue.close(PATIENCE)
    export_queue.put(1)
    assert export_queue.status().dropped == 1


def test_P6_a_counted_failure_has_its_reason() -> None:
    """Also in a status that is read while the failure is being recorded."""
    statuses = []

    class SlowError(Exception):
        def __str__(self) -> str:
            statuses.append(export_queue.status())
            return "no thanks"

    def deliver(_: Sequence[int]) -> None:
        raise SlowError

    export_queue = ExportQueue[int]("trial", deliver)
    export_queue.put(1)
    export_queue.start()
    assert export_queue.close(PATIENCE)
    statuses.append(export_queue.status())
    assert statuses[-1].failed == 1
    for status in statuses:
        assert (status.failed, status.last_error) in {(0, None), (1, "no thanks")}
