"""Create the metrics of the registry, and observe the process, the pool and the export queues."""

import asyncio
import mmap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    Observation,
    UpDownCounter,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from cruddur.operating_system import cpu_seconds
from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.registry import METRICS, Metric

_LAG_SECONDS = 1.0
_STATM = Path("/proc/self/statm")


class Pool(Protocol):
    """The part of a pool of database connections that is measured."""

    def usage(self) -> tuple[int, int, int]:
        """Return the numbers of used, idle and allowed connections."""


def meter_provider(resource: Resource, readers: Sequence[MetricReader]) -> MeterProvider:
    """Return a meter provider for these readers."""
    return MeterProvider(
        metric_readers=readers,
        resource=resource,
        shutdown_on_exit=False,
    )


def counters(meter: Meter) -> dict[str, Counter]:
    """Return the registered counters that units of work add to."""
    return {m.name: meter.create_counter(m.name, m.unit, m.why) for m in _registered("counter")}


def gauges(meter: Meter) -> dict[str, UpDownCounter]:
    """Return the registered up-down counters that units of work add to."""
    registered = _registered("updowncounter")
    return {m.name: meter.create_up_down_counter(m.name, m.unit, m.why) for m in registered}


def histograms(meter: Meter) -> dict[str, Histogram]:
    """Return the registered histograms that units of work record."""
    return {
        m.name: meter.create_histogram(
            m.name, m.unit, m.why, explicit_bucket_boundaries_advisory=m.buckets
        )
        for m in _registered("histogram")
    }


def observe_process(meter: Meter) -> None:
    """Observe the processor time and the memory of this process."""

    def cpu(_: CallbackOptions) -> Iterable[Observation]:
        user, system = cpu_seconds()
        yield Observation(user, {"cpu.mode": "user"})
        yield Observation(system, {"cpu.mode": "system"})

    def memory(_: CallbackOptions) -> Iterable[Observation]:
        if _STATM.exists():
            yield Observation(int(_STATM.read_text().split()[1]) * mmap.PAGESIZE)

    _observe(meter, "process.cpu.time", cpu)
    _observe(meter, "process.memory.usage", memory)


def observe_pool(meter: Meter, pool: Pool) -> None:
    """Observe the database connections of this process."""
    name = {"db.client.connection.pool.name": "cruddur"}

    def count(_: CallbackOptions) -> Iterable[Observation]:
        used, idle, _allowed = pool.usage()
        yield Observation(used, {**name, "db.client.connection.state": "used"})
        yield Observation(idle, {**name, "db.client.connection.state": "idle"})

    def max_connections(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(pool.usage()[2], name)

    _observe(meter, "db.client.connection.count", count)
    _observe(meter, "db.client.connection.max", max_connections)


def observe_replicas(meter: Meter, lags: Callable[[], Mapping[int, int]]) -> None:
    """Observe the lag of each replica in bytes, by its number."""

    def lag(_: CallbackOptions) -> Iterable[Observation]:
        for number, size in lags().items():
            yield Observation(size, {"app.db.replica": number})

    _observe(meter, "app.db.replica.lag", lag)


def observe_export_queues(meter: Meter, export_queues: Sequence[ExportQueue[object]]) -> None:
    """Observe the queue of each sink, and how many items it sent, lost and dropped."""

    def size(_: CallbackOptions) -> Iterable[Observation]:
        for export_queue in export_queues:
            yield Observation(export_queue.status().queued, {"app.sink": export_queue.sink})

    def items(_: CallbackOptions) -> Iterable[Observation]:
        for export_queue in export_queues:
            status = export_queue.status()
            for outcome in ("sent", "failed", "dropped"):
                attributes = {"app.sink": export_queue.sink, "app.outcome": outcome}
                yield Observation(getattr(status, outcome), attributes)

    _observe(meter, "app.sink.queue.size", size)
    _observe(meter, "app.sink.items", items)


async def measure_lag(lag: Histogram) -> None:
    """Record how late the event loop wakes a sleeping task, until cancelled."""
    while True:
        start = time.perf_counter()
        await asyncio.sleep(_LAG_SECONDS)
        lag.record(max(0.0, time.perf_counter() - start - _LAG_SECONDS))


def _observe(
    meter: Meter, name: str, callback: Callable[[CallbackOptions], Iterable[Observation]]
) -> None:
    metric = METRICS[name]
    create = {
        "observable counter": meter.create_observable_counter,
        "observable updowncounter": meter.create_observable_up_down_counter,
    }[metric.instrument]
    create(name, [callback], metric.unit, metric.why)


def _registered(instrument: str) -> list[Metric]:
    return [
        metric for metric in METRICS.values() if metric.is_ours and metric.instrument == instrument
    ]
