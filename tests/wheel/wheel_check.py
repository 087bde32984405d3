"""Run what `make dist` has built as `uvx cruddur` does, and follow a newcomer: `make wheel-check`.

uv installs the wheels and all that they need into an empty cache. Then a browser opens the page,
joins, posts a crud, and finds the trace of that request in the trace explorer.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from e2e import browser_path
from support import free_port

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"

WAIT_SECONDS = 180.0
"""Maximum duration of one step in seconds; only a busy machine, or a slow network, needs much."""

PASSWORD = "today-is-a-good-day"  # of an account that this check creates
MESSAGE = "From an empty environment"

PAGE_FILES = ("cruddur/page/index.html", "cruddur/page/worker.js", "traceview/static/index.html")


def check_files() -> None:
    """Check that the wheel has the page, that the sources have it, and what the wheel requires."""
    [wheel] = DIST.glob("cruddur_service-*.whl")
    [sources] = DIST.glob("cruddur_service-*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert set(PAGE_FILES) <= set(names)
        assert any(re.fullmatch(r"cruddur/page/assets/index-\S+\.js", name) for name in names)
        here = [str(path).encode() for path in (ROOT, Path.home()) if len(path.parts) > 2]
        named = [name for name in names for path in here if path in archive.read(name)]
        assert named == [], f"these name a directory of this machine: {named}"
        [metadata] = [name for name in names if name.endswith("/METADATA")]
        required = HeaderParser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist")
    always = " ".join(each for each in required or [] if "extra ==" not in each)
    assert "asyncpg" in always
    assert not re.search("duckdb|pgserver", always), "the service alone must stay small"
    with tarfile.open(sources) as archive:
        assert any(
            name.endswith("frontend-react-js/dist/index.html") for name in archive.getnames()
        )


class Product:
    """`uvx cruddur`, with an empty cache and the directories of a new user."""

    def __init__(self, folder: Path) -> None:
        """Prepare the directories in a folder."""
        self.folder = folder
        self.log = folder / "log"
        self.url = f"http://localhost:{free_port()}"
        self.traces_url = f"http://localhost:{free_port()}"
        self.uv = folder / "uv" / "bin" / "uv"
        self.working_directory = folder / "anywhere"
        self.working_directory.mkdir()
        subprocess.run([sys.executable, "-m", "venv", folder / "uv"], check=True)
        pip = (sys.executable, "-m", "pip", "--python", folder / "uv" / "bin" / "python")
        subprocess.run([*pip, "install", "--quiet", "uv"], check=True)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `cruddur` in a session of its own."""
        [product] = DIST.glob("cruddur-*.whl")
        [service] = DIST.glob("cruddur_service-*.whl")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CRUDDUR")
        } | {
            "UV_CACHE_DIR": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "PORT": self.url.rpartition(":")[2],
            "CRUDDUR_TRACES_BIND": self.traces_url.removeprefix("http://"),
        }
        # The files, and not the names: anyone could publish packages with these.
        run = (self.uv, "tool", "run", "--python", sys.executable)
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [*run, "--from", product, "--with", service, "cruddur", *arguments],
                cwd=self.working_directory, env=environment, start_new_session=True,
                stdout=output, stderr=output,
            )  # fmt: skip

    def until(self, process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
        """Wait until a condition holds; fail if the process ends before."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            is_waiting = process.poll() is None and time.monotonic() < deadline
            assert is_waiting, self.log.read_text()[-6000:]
            time.sleep(0.05)

    def code(self, process: subprocess.Popen[bytes], email: str) -> str:
        """Return the confirmation code that the service logs for an address."""
        pattern = rf"confirmation code for {email}: (\d{{6}})"
        self.until(process, lambda: re.search(pattern, self.log.read_text()) is not None)
        return re.findall(pattern, self.log.read_text())[-1]


def is_answered(url: str) -> bool:
    """Return whether a request is answered with 200."""
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def follow(page: Page, product: Product, process: subprocess.Popen[bytes]) -> None:
    """Read home, join, post a crud, and open the trace of the request."""
    page.goto(product.url)
    expect(page.get_by_role("article").first).to_be_visible()
    page.goto(f"{product.url}/signup")
    for label, text in (("Name", "Kurn"), ("Handle", "kurn"), ("Email", "kurn@example.com")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(product.code(process, "kurn@example.com"))
    page.get_by_label("Code", exact=True).press("Enter")
    expect(page.get_by_role("status", name="Notices")).to_contain_text("Welcome to Cruddur")
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_label("What’s on your mind?").fill(MESSAGE)
    with page.expect_response(f"{product.url}/api/activities") as posted:
        page.get_by_role("button", name="Crud it").click()
    expect(page.get_by_role("article", name="Crud by Kurn")).to_contain_text(MESSAGE)

    trace_id = posted.value.headers["traceresponse"].split("-")[1]
    stored = f"{product.traces_url}/api/traces/{trace_id}"
    product.until(process, lambda: is_answered(stored))
    page.goto(f"{product.traces_url}/trace/{trace_id}")
    expect(page.get_by_text("POST /api/activities").first).to_be_visible()
    expect(page.get_by_text("INSERT").first).to_be_visible()


def main() -> None:
    """Check the files, then run them; an assertion fails where something is wrong."""
    check_files()
    with tempfile.TemporaryDirectory(prefix="cruddur-wheel-") as name:
        product = Product(Path(name))
        start, cpu = time.monotonic(), _cpu_seconds()
        process = product.start()
        try:
            product.until(process, lambda: is_answered(f"{product.url}/api/ready"))
            seconds = time.monotonic() - start
            home = httpx.get(f"{product.url}/api/activities/home", trust_env=False)
            assert home.json(), "the database has been seeded"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=browser_path.find(), args=[*browser_path.FLAGS]
                )
                follow(browser.new_page(), product, process)
                browser.close()
            assert (product.folder / "data" / "cruddur" / "traceview.duckdb").exists()
            assert (product.folder / "data" / "cruddur" / "postgres").is_dir()
            assert list(product.working_directory.iterdir()) == []
        finally:
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0, product.log.read_text()
        print(f"uvx cruddur: the first 200 after {seconds:.1f} s from an empty cache;")
        print(
            f"  {_cpu_seconds() - cpu:.1f} s of CPU time until its end, on {os.cpu_count()} cores"
        )

        product.log.unlink()
        product.start("doctor", "--json").wait()
        findings = {each["check"]: each for each in json.loads(product.log.read_text())}
        assert findings["page"]["outcome"] == "ok"
    print("the wheel works in an empty environment: page, API, PostgreSQL and traces")


def _cpu_seconds() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
