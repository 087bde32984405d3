"""Build both images and test every way to run them with Compose: `make images`.

The production image as `make image-check` does, then compose.yaml as `docker compose up` starts
it, and its profile `scale`: each in a project of its own, on free ports, and taken down again.
"""

import os
import re
import time

from engine import Client, Compose, check, find_engine, free_port, main, run, say, until
from image_check import check_image, megabytes

PORTS = ("PORT", "FRONTEND_PORT", "TRACES_PORT", "PROXY_PORT")

SEEDED = {"email": "andrewbrown", "password": "here-today-gone-tomorrow"}


def check_development(engine: str) -> None:
    """`docker compose up`: the page, the API, the traces, and variables of the shell."""
    compose, clients = project(engine, "dev", HONEYCOMB_SERVICE_NAME="cruddur-dev-check")
    start = time.monotonic()
    compose("build", "--quiet")
    say(f"cruddur-dev: {megabytes(engine, 'cruddur-dev'):.0f} MB, {time.monotonic() - start:.0f} s")
    with compose.up():
        check_use(clients["PORT"], clients["TRACES_PORT"])
        page = clients["FRONTEND_PORT"]
        response = page.get("/")
        check("the page is served as it is edited", b"/src/main.tsx" in response.body)
        check("its modules are served", page.get("/src/main.tsx").status == 200)
        check("it reaches the API", page.get("/api/activities/home").status == 200)
        check("the trace explorer has a page", b"<script" in clients["TRACES_PORT"].get("/").body)
        [backend] = compose.containers("backend")
        name = compose.python(backend, "import os; print(os.environ['OTEL_SERVICE_NAME'])")
        check("an exported variable reaches the service", name == "cruddur-dev-check")
        compose("exec", "-T", "db", "psql", "--username", "cruddur", "--command", "TABLE users")


def check_scale(engine: str) -> None:
    """The profile `scale`: three production backends behind a proxy."""
    compose, clients = project(engine, "scale", COMPOSE_PROFILES="scale")
    compose("build", "--quiet")
    with compose.up():
        check("three backends run", len(compose.containers("web")) == 3)
        check_use(clients["PROXY_PORT"], clients["TRACES_PORT"])
        run(engine, "kill", compose.containers("web")[0])
        seen = {clients["PROXY_PORT"].get("/api/activities/home").status for _ in range(20)}
        check(f"one killed backend is not noticed: {seen}", seen == {200})


def project(engine: str, name: str, **variables: str) -> tuple[Compose, dict[str, Client]]:
    """Return compose.yaml on free ports, and a client for each port."""
    ports = {variable: str(free_port()) for variable in PORTS}
    origin = f"http://localhost:{ports['PORT']}"
    environment = ports | {"BACKEND_URL": origin, "FRONTEND_URL": "", "CONNECTION_URL": ""}
    compose = Compose(
        engine, f"cruddur-{name}-{os.getpid()}", ("compose.yaml",),
        environment | {"UID": str(os.getuid()), "GID": str(os.getgid())} | variables,
    )  # fmt: skip
    return compose, {name: Client(f"http://localhost:{port}") for name, port in ports.items()}


def check_use(api: Client, explorer: Client) -> None:
    """Sign in as a seeded member, post, and find the trace."""
    until("up", lambda: api.get("/api/ready").status == 200)
    signed_in = api.post("/api/auth/signin", SEEDED)
    check("a seeded member signs in", signed_in.status == 200)
    token = signed_in.json()["access_token"]
    crud = {"message": "Used as everybody uses it", "ttl": "1-hour"}
    posted = api.post("/api/activities", crud, Authorization=f"Bearer {token}")
    check("a crud is posted", posted.status == 200)
    found = re.search(r'"message":"([^"]*)"', api.get("/api/activities/home").body.decode())
    check("home shows it", found is not None and found[1] == crud["message"])
    spans = explorer.spans(posted.headers["traceresponse"].split("-")[1])
    check(f"its trace is found: {spans[0]}", spans[0] == "POST /api/activities")


def check_all(engine: str) -> None:
    """Build and test everything."""
    check_image(engine)
    check_development(engine)
    check_scale(engine)
    say("both images work in every way that they are run")


if __name__ == "__main__":
    main(lambda: check_all(find_engine()))
