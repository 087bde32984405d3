"""Create a project from the template, and follow its README: `make template-check`.

The project installs its locked packages, and runs its checks and its tests. Then it serves with its
embedded PostgreSQL: a note is created and read over HTTP, and the trace explorer has the trace of
the request.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from support import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COPIER = ROOT / ".local" / "copier" / "bin" / "copier"

TEST_SECONDS = 120.0
"""How long the tests of a new project may take, in seconds."""

WAIT_SECONDS = 60.0
"""Maximum duration of one step in seconds; only a busy machine needs much."""

NAME = "field-notes"
LONG_ANSWERS = {  # the longest that the template accepts: lines must still fit
    "project_name": "a-service-whose-name-is-as-long-as-names-can-be-in-practice",
    "package_name": "p" * 31,
    "description": "d" * 90,
    "copyright_year": "2000",
    "copyright_holder": 'Ada "Countess" Lovelace',
    "python_version": "3.11",
}

# Variables of this run that would change what the project does.
INHERITED = re.compile(
    r"MAKE|MFLAGS|PYTHON|OTEL_|(DATABASE_URL|BIND_ADDRESS|PORT|POOL_SIZE|WEBHOOK_URL|LOG_LEVEL)$"
)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a new shell, with further variables."""
    return {k: v for k, v in os.environ.items() if not INHERITED.match(k)} | variables


def generate(project: Path, **answers: str) -> None:
    """Create a project from the template of the working tree."""
    data = [word for key, value in answers.items() for word in ("--data", f"{key}={value}")]
    subprocess.run(
        [COPIER, "copy", "--quiet", "--defaults", "--vcs-ref", "HEAD", *data, ROOT, project],
        check=True, env=environment(PYTHONWARNINGS="ignore::UserWarning"),
    )  # fmt: skip


def make(project: Path, target: str) -> float:
    """Run a target of the project, and return its duration in seconds."""
    start = time.monotonic()
    subprocess.run(
        ["make", f"PYTHON={sys.executable}", target], cwd=project, env=environment(), check=True
    )
    return time.monotonic() - start


def check_files(project: Path) -> None:
    """Check that nothing of this service is left, and lint what the project cannot lint itself."""
    files = [path for path in project.rglob("*") if path.is_file()]
    named = [
        f"{path.relative_to(project)}: {line}"
        for path in files
        for line in [path.name, *path.read_text("utf-8").splitlines()]
        if "crud" in line.lower()
    ]
    assert len(named) == 1, named
    assert named[0].startswith("README.md: Generated from"), named
    raw = [str(path) for path in files if re.search(r"\{\{|\{%", path.read_text("utf-8"))]
    assert raw == [str(project / ".github/workflows/ci.yml")], "GitHub's own expressions only"
    subprocess.run([BIN / "hadolint", project / "Dockerfile"], check=True)
    zizmor = (BIN / "zizmor", "--offline", "--quiet", "--no-progress")
    subprocess.run([*zizmor, project / ".github"], check=True)


@contextmanager
def running(*command: object, cwd: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, and stop it at the end; it must then exit with 0."""
    process = subprocess.Popen([*map(str, command)], cwd=cwd, env=environment(**variables))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(WAIT_SECONDS)
    assert code == 0, f"{command} exited with {code}"


def until(process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail if the process ends before."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert process.poll() is None, "the process has ended"
        assert time.monotonic() < deadline, f"waited for {WAIT_SECONDS:g} s"
        time.sleep(0.05)


def is_answered(url: str) -> bool:
    """Return whether a request is answered with 200."""
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def follow(project: Path) -> None:
    """Serve the project, create and read a note, and find the trace of the request."""
    port, traces = free_port(), f"127.0.0.1:{free_port()}"
    explorer = (sys.executable, "-m", "traceview", "--bind", traces, "--in-memory")
    service = (project / ".venv/bin/python", "-m", NAME.replace("-", "_"), "serve")
    variables = {"PORT": str(port), "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{traces}"}
    with running(*explorer, cwd=ROOT) as receiver:
        until(receiver, lambda: is_answered(f"http://{traces}/healthz"))
        with running(*service, cwd=project, **variables) as process:
            url = f"http://127.0.0.1:{port}"
            until(process, lambda: is_answered(f"{url}/api/ready"))
            created = httpx.post(f"{url}/api/notes", json={"title": "Milk"}, trust_env=False)
            assert created.status_code == 201, created.text
            read = httpx.get(url + created.headers["Location"], trust_env=False)
            assert read.json() == created.json()
        # The service has exported its last spans before it exited.
        trace_id = created.headers["traceresponse"].split("-")[1]
        stored = httpx.get(f"http://{traces}/api/traces/{trace_id}", trust_env=False)
        assert stored.status_code == 200, stored.text
        names = {span["name"] for span in stored.json()["spans"]}
        assert names == {"POST /api/notes", "INSERT notes.create"}, names


def main() -> None:
    """Create the project and use it; an assertion fails where something is wrong."""
    with tempfile.TemporaryDirectory(prefix="template-") as folder:
        project, other = Path(folder, NAME), Path(folder, "other")
        generate(project)
        check_files(project)
        seconds = {target: make(project, target) for target in ("setup", "check", "test")}
        assert seconds["test"] < TEST_SECONDS
        generate(other, **LONG_ANSWERS)
        for arguments in (("check", "--quiet"), ("format", "--check", "--quiet")):
            subprocess.run([project / ".venv/bin/ruff", *arguments, other], check=True)
        start = time.monotonic()
        follow(project)
        seconds["serve and trace"] = time.monotonic() - start
    print("the template works:", ", ".join(f"{k} {v:.1f} s" for k, v in seconds.items()))


if __name__ == "__main__":
    main()
