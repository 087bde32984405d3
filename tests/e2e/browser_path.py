"""Find or install the browsers of the end-to-end tests.

`python tests/e2e/browser_path.py` writes the path of a browser to `.local/browser`. It prefers
Chromium's headless shell, which needs half the CPU time of a whole browser, and installs Debian's
package of it if apt is usable. Then it prefers an existing browser to Playwright's own download.
It also installs Debian's Firefox if apt is usable. The tests that need it are skipped without it.
`make test` runs it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "CRUDDUR_TEST_BROWSER"
SHELL = "chromium-headless-shell"
FIREFOX_VARIABLE = "CRUDDUR_TEST_FIREFOX"
FIREFOX = "firefox-esr"
FIREFOX_RELAY = Path(__file__).with_name("firefox_relay.py")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
RECORD = Path(__file__).parents[2] / ".local" / "browser"

LOOK_SECONDS = 30
INSTALL_SECONDS = 600

FOREIGN = "evil.example"
"""The name of another site, which resolves to this machine in the browser."""

HOSTS = "MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

FLAGS = (
    "--disable-gpu",
    # Compose in the browser's process, and share processes between the pages of a site.
    "--in-process-gpu",
    "--renderer-process-limit=1",
    # A key that is pressed during an animated scroll leads to the end of the page of that time.
    "--disable-smooth-scrolling",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    # Resolve no other host, so that no request leaves this machine.
    f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1, {HOSTS}",
    # Chromium's sandbox does not work as root.
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
)

FIREFOX_PREFERENCES: dict[str, str | float | bool] = {
    "layout.css.prefers-color-scheme.content-override": 0,  # dark
    "ui.prefersReducedMotion": 1,
    "network.proxy.type": 0,  # none
}
"""What Playwright cannot set by WebDriver BiDi."""


def find() -> str | None:
    """Return the path of a working browser on this machine, or None."""
    named = os.environ.get(VARIABLE)
    return next((path for path in ([named] if named else _here()) if _works(path)), None)


def find_firefox() -> str | None:
    """Return the path of a working Firefox on this machine, or None."""
    path = os.environ.get(FIREFOX_VARIABLE) or shutil.which(FIREFOX)
    return path if path and _works(path) else None


def _here() -> Iterator[str]:
    if path := shutil.which(SHELL):
        yield path
    if RECORD.is_file():
        yield RECORD.read_text().strip()
    for name in NAMES:
        if path := shutil.which(name):
            yield path


def _works(path: str) -> bool:
    """Whether it prints its version. Some systems have a stub that only says what to install."""
    try:
        return subprocess.run([path, "--version"], **_QUIET, timeout=LOOK_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _install(package: str) -> str | None:
    """Install a package of Debian if apt is usable, and return the path of its browser."""
    if not _may_use_apt():
        return None
    apt_get = ("apt-get", "--quiet", "--yes")
    _run(*apt_get, "update")
    # Without a font, every letter is rendered as a box.
    options = ("--no-install-recommends", "--no-remove", package, "fonts-liberation")
    path = shutil.which(package) if _run(*apt_get, "install", *options) else None
    return path if path and _works(path) else None


def _download() -> str | None:
    """Let Playwright download a browser, and return its path."""
    more = ("--with-deps",) if _may_use_apt() else ()
    if _run(sys.executable, "-m", "playwright", "install", "--no-shell", *more, "chromium"):
        path = _downloaded()
        return path if _works(path) else None
    return None


def _may_use_apt() -> bool:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return is_root and shutil.which("apt-get") is not None


def _downloaded() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _run(*command: str) -> bool:
    """Whether the command succeeded. Its output is shown only after a failure."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            command, env=environment, capture_output=True, check=True, timeout=INSTALL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or b""
        sys.stderr.write(f"{error}\n{output.decode(errors='replace')[-2000:]}\n")
        return False
    return True


_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}


def main() -> int:
    """Find or install the browsers, and record the path of Chromium."""
    if find_firefox() is None and FIREFOX_VARIABLE not in os.environ:
        _install(FIREFOX)
    path = find()
    if VARIABLE not in os.environ and (path is None or Path(path).name != SHELL):
        path = _install(SHELL) or path or _install("chromium") or _download()
    if path is None:
        RECORD.unlink(missing_ok=True)
        sys.stderr.write(
            "No browser found, and none could be installed: skipping the browser tests.\n"
        )
        return int(os.environ.get("CI") == "true")
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
