"""The rank of spans among others of the same name."""

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from samples import TRACE, Viewer, span

from traceview.ranking import percentile_of

HOUR_MS = 3_600_000


async def _ranking(viewer: Viewer, trace: str = TRACE) -> dict[str, Any]:
    response = await viewer.http.get(f"/api/traces/{trace}/ranking")
    assert response.status_code == 200
    ranking: dict[str, Any] = response.json()
    return ranking


def _show(number: int, *, kind: int = 3, **more: Any) -> Span:
    """A statement in a trace of its own."""
    return span(number, "SELECT users.show", trace=f"{number:032x}", kind=kind, **more)


async def test_a_span_is_ranked_among_those_of_its_name(explorer: Viewer) -> None:
    await explorer.send(*(_show(number, start=number, ms=number) for number in range(1, 201)))
    # Of another kind, too early or too late, and of another service.
    await explorer.send(
        *(_show(number, kind=2, ms=900) for number in range(1001, 1021)),
        *(_show(2000 + hours, start=hours * HOUR_MS, ms=999) for hours in (-7, 7)),
    )
    await explorer.send(_show(2001, ms=999), service="x")
    await explorer.send(
        span(1, "GET /rare", kind=2, ms=300),
        span(2, "SELECT users.show", parent=1, kind=3, ms=190.5),
        span(3, "SELECT users.show", parent=1, kind=3, ms=0.5),
        span(4, "SELECT users.show", parent=1, kind=3, ms=500),
    )
    ranking = await _ranking(explorer)
    [peers] = ranking["peers"]
    assert (peers["service"], peers["name"], peers["kind"]) == (
        "cruddur",
        "SELECT users.show",
        "CLIENT",
    )
    assert peers["count"] == 203
    assert peers["p50_ms"] == pytest.approx(101, abs=2)
    assert ranking["hours"] == 6
    percentiles = {key.split()[0][-1]: rank for key, rank in ranking["spans"].items()}
    assert percentiles == {"2": [0, 94], "3": [0, 0], "4": [0, 100]}


async def test_a_few_spans_have_no_rank(explorer: Viewer) -> None:
    await explorer.send(*(span(number, "rare") for number in range(1, 10)))
    assert (await _ranking(explorer))["spans"] == {}
    await explorer.send(span(10, "rare"))
    assert len((await _ranking(explorer))["spans"]) == 10
    # Ten equal spans: none of them is slow.
    assert {tuple(rank) for rank in (await _ranking(explorer))["spans"].values()} == {(0, 50)}


async def test_without_a_file_the_reason_is_given(viewer: Viewer) -> None:
    await viewer.send(span(1))
    ranking = await _ranking(viewer)
    assert (ranking["spans"], ranking["reason"]) == ({}, "spans are compared only in a file")
    assert (await viewer.http.get(f"/api/traces/{'ab' * 16}/ranking")).status_code == 404


@pytest.mark.parametrize(
    ("value", "percentile"), [(-1, 0), (0, 0), (50, 50), (97, 97), (100, 100), (101, 100)]
)
def test_percentiles_of_distinct_values(value: int, percentile: int) -> None:
    assert percentile_of(value, list(range(101))) == percentile


def test_a_common_value_has_the_percentile_in_its_middle() -> None:
    assert percentile_of(5, [5] * 101) == 50
    assert percentile_of(5, [1] * 20 + [5] * 81) == 60
    assert percentile_of(7, [5] * 100 + [7]) == 100
