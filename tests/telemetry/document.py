"""Generate the tables of docs/telemetry.md: `python tests/telemetry/document.py`."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from cruddur.telemetry.registry import ATTRIBUTES, LOG_FIELDS, METRICS, SPANS, Attribute

DOCUMENT = Path(__file__).parents[2] / "docs" / "telemetry.md"


def document(text: str) -> str:
    """Return the document with tables that match the registry."""
    tables = {
        "spans": _table(
            ("Span", "Kind", "When"),
            ((f"`{span.name}`", span.kind, span.when) for span in SPANS),
        ),
        "attributes": _table(
            ("Key", "Type", "Unit", "On", "Why"), map(_attribute, ATTRIBUTES.values())
        ),
        "metrics": _table(
            ("Metric", "Instrument", "Unit", "Attributes", "What"),
            (
                (
                    f"`{metric.name}`",
                    metric.instrument,
                    f"`{metric.unit}`",
                    ", ".join(f"`{name}`" for name in metric.attributes),
                    metric.why,
                )
                for metric in METRICS.values()
            ),
        ),
        "fields": _table(("Key", "Type", "Unit", "On", "Why"), map(_attribute, LOG_FIELDS)),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
        assert pattern.search(text), f"docs/telemetry.md has no place for the table of {name}"
        block = f"{begin}\n{table}\n{end}"
        text = pattern.sub(lambda _, block=block: block, text)
    return text


def _attribute(attribute: Attribute) -> tuple[str, ...]:
    return (
        f"`{attribute.name}`",
        attribute.type,
        attribute.unit,
        attribute.on,
        attribute.why,
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text("utf-8")), "utf-8")
