"""`make load`: readers, members and listeners of a running service, with Locust.

In the closed model, each user does one thing after the other with pauses in between, so a slow
service receives fewer requests. In the open model (`--rate`), actions start at a constant rate,
however long the responses take. Each action goes to a random user, who may still be waiting.

    locust --locustfile tests/load/locustfile.py --host http://127.0.0.1:4567
        [--rate 20] [--remote HOST] [--report .local/load] and the options of Locust
"""

import http.client
import itertools
import json
import logging
import os
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import gevent
from events import events as events_of
from locust import FastHttpUser, between, constant, events, task
from locust.env import Environment
from locust.html import get_html_report
from people import CLIENTS, PASSWORD, TAGS, WORDS, favourite, handle_of, picture, sentence
from target import TargetError, check_target
from traces import Request, Slowest, new_trace

logger = logging.getLogger(__name__)

API_TOKEN = {
    "name": "make load",
    "scopes": ["read", "write", "message"],
    "ttl": "1-day",
}
"""The API token with which a member acts after the sign-in."""

THINKING = between(2, 10)
"""Seconds between two actions of a user."""

LISTENING = (15.0, 45.0)
"""Seconds for which a listener stays connected before it resumes with `Last-Event-ID`."""

SILENCE = 40.0
"""Seconds without data after which a stream is dead; the service sends a heartbeat every 15 s."""

SEED = Path(__file__).with_name("seed.py")
MEMBERS = 100
"""The members that a service on this machine gets, if it has none."""

REMEMBERED = 200
"""How many cruds a user remembers to act on."""

TTLS = ("1-hour", "3-hours", "12-hours", "1-day", "3-days", "7-days", "30-days")
NEXT = re.compile(r'<([^>]+)>; rel="next"')
CRUD = "/api/activities/@<handle>/status/<uuid:uuid>"

Json = dict[str, Any]

slowest = Slowest(os.environ.get("CRUDDUR_TRACE_URL") or "http://localhost:4318/trace/{trace_id}")


class Population:
    """The simulated users and their target.

    Attributes:
        url: the service; Locust's page cannot change it.
        members: the number of accounts.
        numbers: the accounts that no user has signed in with yet.
        people: the active users, without listeners.
        lateness: the maximum delay of an arrival, in seconds.
    """

    def __init__(self, url: str, members: int) -> None:
        self.url = url
        self.members = members
        self.numbers: Iterator[int] = iter(())
        self.people: list[Person] = []
        self.lateness = 0.0
        self._arrivals: gevent.Greenlet | None = None

    @property
    def is_open(self) -> bool:
        """Whether arrivals trigger the actions (open model), not the users themselves."""
        return self._arrivals is not None

    def begin(self, rate: float) -> None:
        """Start; `rate` is the rate of arrivals, 0 for the closed model."""
        self.numbers = iter(range(1, self.members + 1))
        self.lateness = 0.0
        if rate:
            self._arrivals = gevent.spawn(self._arrive, rate)

    def end(self) -> None:
        """Stop the arrivals."""
        if self._arrivals is not None:
            self._arrivals.kill()
            self._arrivals = None

    def _arrive(self, rate: float) -> None:
        """Trigger actions of random users at a constant rate, whatever happens to earlier ones."""
        start = time.monotonic()
        for turn in itertools.count():
            moment = start + turn / rate
            gevent.sleep(max(0.0, moment - time.monotonic()))
            self.lateness = max(self.lateness, time.monotonic() - moment)
            if self.people:
                gevent.spawn(random.choice(self.people).act)


population = Population("", 0)


class Visitor(FastHttpUser):
    """A user of the service."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        self.host = population.url
        super().__init__(environment)


class Person(Visitor):
    """A reader: the home feed and further pages, cruds, profiles, and searches."""

    abstract = True
    wait_time = THINKING
    concurrency = 1000  # in the open model, no action may wait for a connection
    network_timeout = 30.0
    connection_timeout = 30.0

    def on_start(self) -> None:
        self.cruds: list[Json] = []
        self.next_page: str | None = None
        self.headers = {"User-Agent": random.choice(CLIENTS)}
        self.doings = spread(self.habits())
        population.people.append(self)

    def on_stop(self) -> None:
        population.people.remove(self)

    def habits(self) -> dict[Callable[[], None], int]:
        """Return the actions with their weights."""
        return {
            self.read_home: 10,
            self.read_on: 4,
            self.read_crud: 6,
            self.read_profile: 3,
            self.search: 2,
        }

    @task
    def live(self) -> None:
        """Do one thing. In the open model, the arrivals decide when."""
        if not population.is_open:
            random.choice(self.doings)()

    def act(self) -> None:
        """Do one thing, and report an exception to Locust."""
        try:
            random.choice(self.doings)()
        except Exception as error:
            logger.exception("a user failed")
            self.environment.events.user_error.fire(
                user_instance=self, exception=error, tb=error.__traceback__
            )

    def read_home(self) -> None:
        self.feed("/api/activities/home", "/api/activities/home")
        if random.random() < 0.2:  # the sidebar is read less often
            self.ask("GET", "/api/trending")
            self.ask("GET", "/api/users/suggested")

    def read_on(self) -> None:
        if self.next_page is None:
            self.read_home()
        else:
            path, self.next_page = self.next_page, None
            self.feed("/api/activities/home?cursor=", path)

    def read_crud(self) -> None:
        if crud := self.any_crud():
            self.ask("GET", CRUD, self.status(crud), about=crud)

    def read_profile(self) -> None:
        if crud := self.any_crud():
            self.ask(
                "GET",
                "/api/activities/@<handle>",
                f"/api/activities/@{crud['handle']}?shape=profile",
            )

    def search(self) -> None:
        kind = random.random()
        if kind < 0.5:
            term = " ".join(random.sample(WORDS, random.randint(1, 2)))
        elif kind < 0.8 or not self.cruds:
            term = f"#{favourite(TAGS)}"
        else:
            term = f"@{random.choice(self.cruds)['handle']}"
        self.ask("GET", "/api/activities/search", f"/api/activities/search?term={quote(term)}")

    def feed(self, name: str, path: str) -> None:
        """Read a page of the home feed, and remember its cruds."""
        response = self.ask("GET", name, path)
        if response is not None:
            self.cruds = (response.json() + self.cruds)[:REMEMBERED]
            found = NEXT.search((response.headers or {}).get("Link") or "")
            self.next_page = found[1] if found else None

    def any_crud(self) -> Json | None:
        """Return a remembered crud; read the feed first if there is none."""
        if not self.cruds:
            self.read_home()
        return random.choice(self.cruds) if self.cruds else None

    def status(self, crud: Json) -> str:
        return f"/api/activities/@{crud['handle']}/status/{crud['uuid']}"

    def ask(
        self,
        method: str,
        name: str,
        path: str = "",
        body: Json | None = None,
        *,
        data: bytes | None = None,
        about: Json | None = None,
    ) -> Any:
        """Return the body of a 200 response. Record any other response as a failure.

        A 404 of a crud that has expired since it was read is not a failure.
        """
        trace_id, traceparent = new_trace()
        headers = {**self.headers, "traceparent": traceparent}
        if body is not None and method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        with self.client.request(
            method,
            path or name,
            name=name,
            json=body,
            data=data,
            headers=headers,
            context={"trace_id": trace_id},
            catch_response=True,
        ) as response:
            if response.status_code == 200:
                response.success()
                return response
            if response.status_code == 404 and about is not None and is_gone(about):
                self.cruds = [crud for crud in self.cruds if crud["uuid"] != about["uuid"]]
                response.success()
            elif response.status_code:
                response.failure(f"{response.status_code} {(response.text or '')[:200]}")
            else:
                response.failure(f"no answer: {response.error}")
        return None


class Reader(Person):
    """A reader without an account."""

    weight = 6


class Member(Person):
    """A reader who signs in, creates an API token, and then also writes with it."""

    weight = 3

    def on_start(self) -> None:
        super().on_start()
        self.token_uuid: str | None = None
        self.number = next(population.numbers, None)
        if self.number is None:
            logger.warning("only %d members exist: one user only reads", population.members)
            return
        self.headers["User-Agent"] = CLIENTS[self.number % len(CLIENTS)]
        self.doings = spread({**self.habits(), self.sign_in: 5})  # until that has succeeded
        self.sign_in()

    def member_habits(self) -> dict[Callable[[], None], int]:
        """Return the actions of a member in addition to reading."""
        return {
            **self.habits(),
            self.post: 2,
            self.reply: 2,
            self.like: 5,
            self.read_notifications: 4,
            self.write_message: 1,
            self.read_messages: 2,
            self.change_picture: 1,
        }

    def on_stop(self) -> None:
        """Revoke the API token, which needs a session."""
        super().on_stop()
        if self.token_uuid is not None and self.enter("/api/auth/refresh", None):
            self.ask("DELETE", "/api/auth/tokens/<uuid>", f"/api/auth/tokens/{self.token_uuid}")

    def sign_in(self) -> None:
        """Start a session, and create an API token; without one, the user only reads."""
        assert self.number is not None
        credentials = {"email": handle_of(self.number), "password": PASSWORD}
        if not self.enter("/api/auth/signin", credentials):
            return
        created = self.ask("POST", "/api/auth/tokens", "", API_TOKEN)
        if created is None:
            del self.headers["Authorization"]
            return
        token = created.json()
        self.token_uuid = token["uuid"]
        self.headers["Authorization"] = f"Bearer {token['token']}"
        self.doings = spread(self.member_habits())

    def enter(self, path: str, body: Json | None) -> bool:
        """Get an access token with the password or the refresh cookie; return whether it worked."""
        response = self.ask("POST", path, "", body)
        if response is None:
            return False
        self.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return True

    def post(self) -> None:
        message = sentence() + (f" #{favourite(TAGS)}" if random.random() < 0.3 else "")
        self.ask("POST", "/api/activities", "", {"message": message, "ttl": favourite(TTLS)})

    def reply(self) -> None:
        if crud := self.any_crud():
            name = "/api/activities/<uuid:uuid>/reply"
            path = f"/api/activities/{crud['uuid']}/reply"
            self.ask("POST", name, path, {"message": sentence()}, about=crud)

    def like(self) -> None:
        if crud := self.any_crud():
            name = "/api/activities/<uuid:uuid>/like"
            self.ask("PUT", name, f"/api/activities/{crud['uuid']}/like", about=crud)

    def read_notifications(self) -> None:
        counter = self.ask("GET", "/api/activities/notifications/counter")
        if counter is not None and (counter.json()["count"] or random.random() < 0.2):
            self.ask("GET", "/api/notifications")

    def write_message(self) -> None:
        other = random.randint(1, population.members)
        if other != self.number:
            body = {"message": sentence(), "handle": handle_of(other)}
            self.ask("POST", "/api/messages", "", body)

    def change_picture(self) -> None:
        upload = self.ask("POST", "/api/avatars/key_upload", "", {"extension": "jpg"})
        if upload is not None:
            path = urlsplit(upload.json()["url"]).path
            self.ask("PUT", "/api/avatars/uploads/<token>", path, data=picture())

    def read_messages(self) -> None:
        groups = self.ask("GET", "/api/message_groups")
        if groups is not None and (found := groups.json()):
            name = "/api/messages/<uuid:message_group_uuid>"
            self.ask("GET", name, f"/api/messages/{favourite(found)['uuid']}")


class Listener(Visitor):
    """A user with an open page: receives every crud, disconnects, and resumes the stream.

    `STREAM crud` is the time from the `created_at` of a crud to its arrival. It is meaningful if
    the clocks agree. Cruds that were missed in between are not counted.
    """

    weight = 1
    wait_time = constant(1)

    def on_start(self) -> None:
        self.last_id = ""

    @task
    def listen(self) -> None:
        trace_id, traceparent = new_trace()
        headers = {"Accept": "text/event-stream", "traceparent": traceparent}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        parts = urlsplit(self.host or "")
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kind[parts.scheme](parts.netloc, timeout=SILENCE)
        start, opened_at = time.perf_counter(), datetime.now(UTC)
        error: Exception | None = None
        try:
            connection.request("GET", f"{parts.path}/api/stream?feed=home", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                error = OSError(f"{response.status} {response.read(200).decode(errors='replace')}")
        except (OSError, http.client.HTTPException) as failure:
            error = failure
        self.record("GET", "/api/stream", time.perf_counter() - start, error, trace_id)
        try:
            if error is None:
                self.receive(response, opened_at)
        finally:
            connection.close()

    def receive(self, response: http.client.HTTPResponse, opened_at: datetime) -> None:
        """Read until the time is up or the service ends the stream."""
        with gevent.Timeout(random.uniform(*LISTENING), False):
            try:
                for event in events_of(response, self.last_id):
                    self.last_id = event.id
                    if event.name == "reset":
                        self.record("STREAM", "reset", 0, OSError("too much was missed"))
                    elif event.name == "crud":
                        created_at = datetime.fromisoformat(json.loads(event.data)["created_at"])
                        if created_at >= opened_at:
                            delay = datetime.now(UTC) - created_at
                            self.record("STREAM", "crud", delay.total_seconds())
            except (OSError, http.client.HTTPException) as failure:
                self.record("STREAM", "broken", 0, failure)

    def record(
        self,
        kind: str,
        name: str,
        seconds: float,
        error: Exception | None = None,
        trace_id: str | None = None,
    ) -> None:
        """Add a sample to Locust's statistics."""
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=max(0.0, seconds * 1000),
            response_length=0,
            exception=error,
            context={"trace_id": trace_id} if trace_id else {},
            start_time=time.time() - seconds,
        )


def spread(habits: dict[Callable[[], None], int]) -> list[Callable[[], None]]:
    """Repeat each action as often as its weight."""
    return [doing for doing, weight in habits.items() for _ in range(weight)]


def is_gone(crud: Json) -> bool:
    """Whether a crud has expired; clocks may differ by a second."""
    ends = datetime.fromisoformat(crud["expires_at"])
    return ends.timestamp() <= time.time() + 1


def add_members() -> None:
    """Add members to the database of `make run`, if it runs and has no accounts of real people."""
    command = [sys.executable, SEED, "--if-running", "--cruds", "0", "--members", str(MEMBERS)]
    environment = {key: value for key, value in os.environ.items() if key != "CONNECTION_URL"}
    subprocess.run(command, env=environment, check=False)


def count_members(url: str) -> int:
    """Find the number of members by bisection: they are numbered without gaps."""

    def is_there(number: int) -> bool:
        try:
            address = f"{url}/api/users/@{handle_of(number)}/short"
            with urllib.request.urlopen(address, timeout=30):
                return True
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise

    known, beyond = 0, 1
    while is_there(beyond):
        known, beyond = beyond, 2 * beyond
    while beyond - known > 1:
        middle = (known + beyond) // 2
        known, beyond = (middle, beyond) if is_there(middle) else (known, middle)
    return known


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """Add our options to Locust's. Only the rate can also be set on its page."""
    hidden = {"include_in_web_ui": False}
    parser.add_argument(
        "--rate", type=float, default=0.0, help="open model: things done a second; 0: closed"
    )
    parser.add_argument(
        "--remote", default="", help="the target's host, if it is not this machine", **hidden
    )
    parser.add_argument("--report", default=".local/load", help="directory of the report", **hidden)


@events.init.add_listener
def look(environment: Environment, **_: Any) -> None:
    """Check the target before the first user starts."""
    options: Any = environment.parsed_options
    try:
        url = check_target(environment.host or "", options.remote)
        members = count_members(url)
        if not members and not options.remote:
            add_members()
            members = count_members(url)
    except TargetError as error:
        sys.exit(f"load: {error}")
    except OSError as error:
        sys.exit(f"load: {environment.host} does not answer ({error}): make run")
    if not members:
        logger.warning("there are no members, so all users only read: make load-seed")
    population.url, population.members = url, members


@events.test_start.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Reset the state; with Locust's page, a load can start several times."""
    options: Any = environment.parsed_options
    environment.host = population.url
    slowest.clear()
    population.begin(options.rate)


@events.test_stop.add_listener
def end(**_: Any) -> None:
    """Stop the arrivals."""
    population.end()


@events.request.add_listener
def keep(
    request_type: str, name: str, response_time: float, start_time: float,
    context: dict[str, Any], **_: Any,
) -> None:  # fmt: skip
    """Remember the slowest requests that have a trace."""
    if trace_id := context.get("trace_id"):
        began = datetime.fromtimestamp(start_time, UTC)
        slowest.add(Request(response_time, request_type, name, began, trace_id))


@events.quitting.add_listener
def report(environment: Environment, **_: Any) -> None:
    """Write Locust's own report, and the slowest requests with their traces."""
    directory = Path(environment.parsed_options.report)
    directory.mkdir(parents=True, exist_ok=True)
    page = get_html_report(environment, show_download_link=False)
    head, end_of_body, tail = page.rpartition("</body>")
    (directory / "report.html").write_text(
        f"{head}{slowest.page()}{end_of_body}{tail}", encoding="utf-8"
    )
    slowest.write(directory / "slowest.csv")


@events.quit.add_listener
def show(**_: Any) -> None:
    """Print our results below Locust's tables."""
    print(slowest.text())
    if population.lateness:
        print(f"Open model: the latest arrival was {population.lateness * 1000:.0f} ms late")
