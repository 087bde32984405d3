"""Compare the clock of this machine with those of the services that it sends to."""

import asyncio
from urllib.parse import urlsplit

from cruddur.doctor.findings import Finding
from cruddur.doctor.threads import in_thread
from cruddur.settings import Settings
from cruddur.telemetry.remote_clock import clock_offset

CALL_SECONDS = 3.0

SMALL_SECONDS = 10.0
"""Maximum offset without consequences."""

SIGNATURE_SECONDS = 300.0
"""The offset from which on AWS rejects signatures."""


async def check_clock(settings: Settings) -> list[Finding]:
    """Ask each service that the settings name for its time."""
    if not (origins := {_origin(url): urlsplit(url).netloc for url in settings.outgoing_urls}):
        return [Finding("clock", "not configured", "no service is configured to compare it with")]
    offsets = await asyncio.gather(*(in_thread(clock_offset, url, CALL_SECONDS) for url in origins))
    findings = []
    for name, offset in zip(origins.values(), offsets, strict=True):
        if offset is not None and (problem := describe_offset("clock", offset, name)):
            findings.append(problem)
    known = [offset for offset in offsets if offset is not None]
    if findings or not known:
        return findings or [Finding("clock", "warning", "no service answered with its time")]
    return [Finding("clock", "ok", f"it is right to within {SMALL_SECONDS:g} s")]


def describe_offset(check: str, offset: float, other: str) -> Finding | None:
    """Return the finding for an offset from another clock; None if it does not matter."""
    if abs(offset) <= SMALL_SECONDS:
        return None
    direction = "ahead of" if offset > 0 else "behind"
    return Finding(
        check,
        "fault" if abs(offset) >= SIGNATURE_SECONDS else "warning",
        f"the clock of this machine is {abs(offset):.0f} s {direction} that of {other}",
        "Synchronize it (`timedatectl set-ntp true`, or restart the virtual machine of Docker):"
        " AWS rejects signatures after 5 minutes, and traces show up at the wrong time.",
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"
