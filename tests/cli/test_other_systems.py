"""The service starts and serves without what Windows lacks (tests/other_system)."""

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from cruddur.operating_system import UNLIMITED
from cruddur.services.seed import PASSWORD
from patience import PATIENCE
from processes import Running, environment_of
from support import free_port

LACKING = str(Path(__file__).parents[1] / "other_system")


def environment(data: Path, **more: str) -> dict[str, str]:
    return environment_of(data, PYTHONPATH=LACKING, **more)


def cruddur(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cruddur", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def picture_file() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def variables(data: Path) -> dict[str, str]:
    return environment(data, PORT=str(free_port()), CRUDDUR_TRACES_BIND=f"127.0.0.1:{free_port()}")


@pytest.fixture
def running(variables: dict[str, str], tmp_path: Path) -> Iterator[Running]:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cruddur"],
            env=variables,
            stdout=output,
            stderr=output,
            text=True,
        )
    running = Running(process, int(variables["PORT"]), log)
    try:
        yield running.wait()
    finally:
        process.kill()
        process.wait()


def test_everything_runs_without_what_windows_lacks(
    running: Running, variables: dict[str, str], data: Path
) -> None:
    assert UNLIMITED in running.log.read_text()
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        home = http.get("/api/activities/home")
        assert home.status_code == 200
        assert home.json()
        signed_in = http.post(
            "/api/auth/signin", json={"email": "andrewbrown", "password": PASSWORD}
        ).json()
        http.headers["Authorization"] = f"Bearer {signed_in['access_token']}"
        address = http.post("/api/avatars/key_upload", json={"extension": "png"}).json()["url"]
        # The program that decodes pictures runs without limits.
        png = picture_file()
        picture = http.put(httpx.URL(address).path, params=httpx.URL(address).params, content=png)
        assert picture.status_code == 200, picture.text
        trace_id = home.headers["traceresponse"].split("-")[1]
        explorer = f"http://{variables['CRUDDUR_TRACES_BIND']}/api/traces/{trace_id}"
        deadline = time.monotonic() + PATIENCE
        while http.get(explorer).status_code != 200:
            assert time.monotonic() < deadline, running.log.read_text()
            time.sleep(0.1)

    # Other users of the machine can reach the port of the database, so it needs the password.
    rules = (data / "postgres" / "data" / "pg_hba.conf").read_text().splitlines()
    assert {rule.split()[-1] for rule in rules if rule and rule[0] != "#"} == {"scram-sha-256"}
    other = cruddur(variables, "admin", "grant", "@andrewbrown", "moderator")
    assert other.stdout == "@andrewbrown is moderator, was member\n", other.stderr
    second = cruddur(variables | {"PORT": str(free_port())}, "serve")
    assert second.returncode == 1
    assert f"already running on this database (process {running.process.pid})" in second.stderr

    assert running.stop() == 0
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()
    assert (data / "postgres" / "password").stat().st_mode & 0o077 == 0
    staff = cruddur(variables, "admin", "list")  # starts the server again, with the same password
    assert staff.stdout == "moderator  @andrewbrown\n", staff.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"WEB_CONCURRENCY": "2"}, "several workers and --reload need Linux or macOS"),
        ({"CRUDDUR_BIND": "unix:/tmp/socket"}, "this operating system has no Unix sockets"),
    ],
    ids=["workers", "socket"],
)
def test_what_cannot_work_says_so_in_one_line(
    data: Path, dsn: str, more: dict[str, str], message: str
) -> None:
    response = cruddur(environment(data, **more), "serve")
    assert response.returncode == 1
    [line] = [one for one in response.stderr.splitlines() if one.startswith("cruddur: ")]
    assert message in line
