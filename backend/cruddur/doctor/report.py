"""Print the findings, without the secrets of the environment."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from cruddur.doctor.findings import Finding
from cruddur.settings import diagnosis

REDACTED = "(secret)"

_MARKS = {"ok": "ok", "warning": "warning", "fault": "FAULT", "not configured": "-"}


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings as a JSON array."""
    return _without_secrets(msgspec.json.format(msgspec.json.encode(findings), indent=2).decode())


def as_text(findings: Sequence[Finding]) -> str:
    """Return the findings for a terminal, one below the other, and their number."""
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.outcome]:<8} {finding.check:<18} {finding.message}")
        lines += [f"{'':<27} {text}" for text in (finding.advice, finding.url) if text]
    counts = Counter(finding.outcome for finding in findings)
    lines.append(f"{_plural(counts['fault'], 'fault')}, {_plural(counts['warning'], 'warning')}")
    return _without_secrets("\n".join(lines))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _without_secrets(text: str) -> str:
    for secret in diagnosis.secret_values():
        text = text.replace(secret, REDACTED)
    return text
