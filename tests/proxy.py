"""Run HAProxy with the configurations of deploy/haproxy, on loopback."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from patience import PATIENCE

HAPROXY = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")

CONFIGURATIONS = Path(__file__).parent.parent / "deploy" / "haproxy"


def configuration(name: str, replacements: dict[str, str]) -> str:
    """Return a configuration with other addresses and files.

    Args:
        name: the file in deploy/haproxy.
        replacements: new texts by old ones. Every old text must occur.
    """
    text = (CONFIGURATIONS / name).read_text()
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def problems(text: str, directory: Path) -> str:
    """Return what HAProxy criticizes in a configuration."""
    file = _write(text, directory)
    checked = subprocess.run([str(HAPROXY), "-c", "-f", str(file)], capture_output=True, text=True)
    return "" if checked.returncode == 0 and not checked.stderr else checked.stderr + checked.stdout


@contextmanager
def running(text: str, directory: Path) -> Iterator[None]:
    """Run HAProxy; the caller waits until it serves what it needs."""
    with (directory / "haproxy.log").open("w") as log:
        process = subprocess.Popen(
            [str(HAPROXY), "-db", "-f", str(_write(text, directory))], stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_for_response(url: str) -> None:
    """Wait until a page has the status 200."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(url, verify=False, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, url
        time.sleep(0.05)


def _write(text: str, directory: Path) -> Path:
    file = directory / "haproxy.cfg"
    file.write_text(text)
    return file
