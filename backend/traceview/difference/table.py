"""The result of a comparison as text."""

from traceview.difference.model import TIMES, Bin, Difference, KeyDifference, Share
from traceview.query.sql import Column
from traceview.result import format_cell

KEYS = 10
"""How many keys are printed."""

VALUES = 4
"""How many values of a key are printed."""


def format_difference(difference: Difference) -> str:
    """Return the ranking with the values that differ most, and the notes below."""
    selected = f"selection: {difference.selection} ({difference.selection_rows} rows)"
    lines = [f"{selected}, rest: {difference.rest_rows} rows"]
    lines += _section("", difference.ranking, difference)
    lines += _section("follow from the selection:", difference.implied, difference)
    return "\n".join([*lines, *(f"({note})" for note in difference.notes)])


def _section(title: str, keys: list[KeyDifference], difference: Difference) -> list[str]:
    if not keys:
        return []
    rows = [("score", "key", "value", "selection", "rest")]
    for one in keys[:KEYS]:
        same = [other.key for other in difference.same if other.same_as == one.key]
        values: list[Share | Bin] = [*one.values, *one.bins]
        values.sort(key=lambda share: -abs(share.selection - share.rest))
        for place, value in enumerate(values[:VALUES]):
            head = (f"{one.score:.3f}", _text(one.key)) if place == 0 else ("", "")
            rows.append(
                (*head, _label(value, one), _percent(value.selection), _percent(value.rest))
            )
        if same:
            rows.append(("", f"  same: {', '.join(map(_text, same[:6]))}", "", "", ""))
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    widths[1] = max(len(row[1]) for row in rows if row[2])
    lines = [
        f"{row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  "
        f"{row[3]:>{widths[3]}}  {row[4]:>{widths[4]}}".rstrip()
        for row in rows
    ]
    return [title, *lines] if title else lines


def _label(share: Share | Bin, one: KeyDifference) -> str:
    suffix = f" {one.unit}" if one.unit else ""
    if isinstance(share, Bin):
        column = Column("", "time" if one.key in TIMES else "number")
        return f"{format_cell(share.lower, column)} to {format_cell(share.upper, column)}{suffix}"
    if share.kind != "value":
        return f"({share.kind})"
    text = _text(share.value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _text(value: str | bool | int | float | None) -> str:
    return format_cell(value, Column("", "text"))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
