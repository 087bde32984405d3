"""Run every check at the same time, each within a time limit."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cruddur.doctor.addresses import check_binds, check_explorer, check_page
from cruddur.doctor.bus import check_bus
from cruddur.doctor.certificate import check_certificate
from cruddur.doctor.clock import check_clock
from cruddur.doctor.database import check_database
from cruddur.doctor.environment import check_env_file, check_names, check_values, read_settings
from cruddur.doctor.findings import Finding
from cruddur.doctor.mail import check_mail
from cruddur.doctor.sinks import check_sinks
from cruddur.settings import Settings

CHECK_SECONDS = 15.0
"""Time limit of one check. Each network call has a shorter one of its own."""

Check = Callable[[Settings], Awaitable[list[Finding]]]

CHECKS: dict[str, Check] = {
    "database": check_database,
    "bus": check_bus,
    "port": check_binds,
    "certificate": check_certificate,
    "page": check_page,
    "explorer": check_explorer,
    "telemetry": check_sinks,
    "clock": check_clock,
    "mail": check_mail,
}


@dataclass(frozen=True, slots=True)
class Examination:
    """All findings, and whether each check has ended within its time limit."""

    findings: list[Finding]
    is_complete: bool


async def examine() -> Examination:
    """Return what all checks find in this process and its surroundings."""
    settings, findings = read_settings()
    findings = [*findings, *check_values(), *check_names(), *check_env_file()]
    if settings is None:
        return Examination(findings, is_complete=True)
    results = await asyncio.gather(*(_run(check, settings) for check in CHECKS.values()))
    for name, found in zip(CHECKS, results, strict=True):
        findings += [_overdue(name)] if found is None else found
    return Examination(findings, is_complete=None not in results)


async def _run(check: Check, settings: Settings) -> list[Finding] | None:
    """Return what a check finds; None if it takes too long."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check(settings)
    except TimeoutError:
        return None


def _overdue(name: str) -> Finding:
    message = f"the check took more than {CHECK_SECONDS:g} s"
    return Finding(name, "fault", message, "Check the network and the resolution of names.")
