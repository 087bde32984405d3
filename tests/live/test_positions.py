"""Ids of events are positions in the log. Any other text is unknown, and causes no failure."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cruddur.db import live
from cruddur.db.positions import MAX_CHARACTERS, NOTHING, Position, Snapshot, parse

NOW = datetime(2026, 11, 30, 12, 0, 0, 123456, UTC)

XIDS = st.integers(1, 10**18 - 2)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A snapshot that ends with a transaction that is complete."""
    newest = draw(XIDS)
    in_progress = draw(st.sets(st.integers(1, newest), max_size=20)) - {newest}
    return Snapshot(1, newest + 1, tuple(sorted(in_progress))).until(newest)


@given(snapshots(), snapshots(), st.integers(0, 10**18 - 1), st.timedeltas())
def test_a_position_is_parsed_as_it_was_written(
    seen: Snapshot, until: Snapshot, event_id: int, ago: timedelta
) -> None:
    at = NOW - abs(ago) % timedelta(days=1000)
    position = Position(seen, until if event_id else seen, event_id, at)
    assert parse(str(position)) == position


def test_the_position_in_an_empty_log_is_parsed_as_it_was_written() -> None:
    position = Position(NOTHING, NOTHING, 0, NOW)
    assert parse(str(position)) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1",  # an id from before migration 0010
        "1-",
        "1-0",
        "1-2-3",
        "1-2--3",
        "1-2:",
        "1-2:0",
        "1-2:2",
        "1-9:3,3",
        "1-9:3,4",
        "1-9:9",
        "1-9,3",
        "-1-9",
        "1-9-9-",
        "1-²",
        "1 -2",
        "1-2\n",
        f"{10**17}-2",
        f"1-{10**18}",
    ],
)
def test_another_text_is_no_position(text: str) -> None:
    assert parse(text) is None


def test_the_length_of_an_id_is_limited() -> None:
    """With too many transactions in progress, the client gets an id that causes a reset."""
    xmax = 10**9
    few, many = (Snapshot(1, xmax, tuple(range(1, xmax, xmax // n))) for n in (150, 1000))
    assert parse(str(Position(few, few, 0, NOW))) is not None
    position = str(Position(many, many, 0, NOW))
    assert len(position) <= MAX_CHARACTERS
    assert parse(position) is None


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(text="9999999999999999-1")
@given(
    text=st.from_regex(
        r"[0-9]{1,17}-[0-9]{1,18}(:[0-9]{1,3}(,[0-9]{1,3}){0,3})?"
        r"(-[0-9]{1,18}(:[0-9]{1,2})?-[0-9]{1,18})?",
        fullmatch=True,
    )
)
async def test_no_id_causes_a_failure_of_the_database(
    text: str, database: asyncpg.Connection
) -> None:
    position = parse(text)
    if position is None:
        return
    is_known = await live.select_is_known(database, position)
    assert not is_known or position.seen.newest == 0, "only an empty log has no event to find"
    await live.select_missed_events(database, after=position, until=position.end, most=1)
