"""Check that the addresses to serve on are free, and that the page is built."""

import os
from urllib.parse import urlsplit

from cruddur.doctor.findings import Finding
from cruddur.doctor.threads import in_thread
from cruddur.process import healthcheck
from cruddur.process.server import AddressInUseError, check_addresses
from cruddur.process.trace_explorer import is_explorer
from cruddur.settings import Settings
from cruddur.settings.installation import CLONE, is_clone


async def check_binds(settings: Settings) -> list[Finding]:
    """Check each address: free, or in use by this service already."""
    return [await _check_bind(bind, bool(settings.certfile)) for bind in settings.binds]


async def _check_bind(bind: str, has_tls: bool) -> Finding:
    try:
        check_addresses([bind])
    except AddressInUseError as error:
        if await in_thread(healthcheck.check, bind, has_tls=has_tls) is None:
            return Finding("port", "ok", f"Cruddur serves on {bind} already")
        advice = (
            "Stop the program that uses it (`ss -ltnp` lists them), or choose another port:"
            f" PORT={_other(bind)}."
        )
        return Finding("port", "fault", str(error), advice)
    return Finding("port", "ok", f"{bind} is free")


def _other(bind: str) -> int:
    port = bind.rpartition(":")[2]
    return int(port) + 1 if port.isdigit() else 4568


async def check_explorer(settings: Settings) -> list[Finding]:
    """Check the address of the local trace explorer, if traces go there."""
    url = f"http://{settings.traces_bind}"
    is_used = urlsplit(settings.traces_url).netloc in {"", settings.traces_bind}
    if not is_used or settings.is_sdk_disabled:
        return []
    if await in_thread(is_explorer, url):
        return [Finding("explorer", "ok", "the trace explorer runs", url=url)]
    try:
        check_addresses([settings.traces_bind])
    except AddressInUseError:
        message = f"{settings.traces_bind} is in use by a program that is not the trace explorer"
        advice = "Stop that program, or set CRUDDUR_TRACES_BIND to another address."
        return [Finding("explorer", "fault", message, advice)]
    command = "make run" if is_clone() else "cruddur"
    message = f"the trace explorer does not run now; `{command}` starts it"
    return [Finding("explorer", "not configured", message)]


async def check_page(settings: Settings) -> list[Finding]:
    """Check that there is a built page to serve."""
    if settings.frontend_directory:
        return [Finding("page", "ok", f"{settings.frontend_directory} has the built page")]
    folder = CLONE / "frontend-react-js"
    if not folder.is_dir():
        message = "CRUDDUR_FRONTEND_DIRECTORY is not set, so only the API is served"
        return [Finding("page", "not configured", message)]
    if os.access(folder / "dist" / "index.html", os.R_OK):
        return [Finding("page", "ok", "the page is built, and `make run` serves it")]
    advice = "Install Node.js 20.19 or newer with npm, and run `make run`."
    return [Finding("page", "warning", "the page is not built, so only the API is served", advice)]
