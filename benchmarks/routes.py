"""The routes that `make bench` measures: the requests of each, and the peers that serve it."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote_plus

from benchmarks.clients import Request
from benchmarks.database import AUTHOR, MEMBERS, READERS, TAG, TERM, Member, Rows
from benchmarks.servers import FASTAPI, FLOOR, OURS, PEERS, UVICORN

MANY = "cruddur, 1,000,000 rows"
"""Our service over many rows: a peer of home."""
SERVICES = tuple(peer for peer in PEERS if peer != FLOOR)
"""The peers with a database."""
FOR_MEMBERS = (OURS, UVICORN, FASTAPI)
"""The peers with the routes that only members use."""

HOME = "/api/activities/home"
PROFILE = f"/api/activities/@{AUTHOR.handle}"


@dataclass(frozen=True)
class Inputs:
    """What requests are made of.

    Attributes:
        rows: the rows of the databases.
        headers: returns the headers with an access token of a member.
    """

    rows: Rows
    headers: Callable[[Member], Mapping[str, str]]


Making: TypeAlias = Callable[[Inputs], Sequence[Request]]


@dataclass(frozen=True)
class Route:
    """A route, or several that are measured as one load.

    Attributes:
        name: its name in the tables and goals.
        requests: returns the requests, which the load repeats in this order.
        peers: the peers that serve it.
        posts: the cruds per second that a writer posts meanwhile.
        is_writing: whether the requests write, so that a faster peer writes more rows.
        is_steady: whether it is also measured at a constant rate.
        streams: the open streams meanwhile, of the peers that have streams.
    """

    name: str
    requests: Making
    peers: Sequence[str] = PEERS
    posts: float = 0.0
    is_writing: bool = False
    is_steady: bool = False
    streams: int = 0


def get(path: str) -> Making:
    """Return a function that makes the request of a visitor."""
    return lambda _: [Request("GET", path)]


def get_as_author(path: str) -> Making:
    """Return a function that makes the request of the author."""
    return lambda inputs: [Request("GET", path, inputs.headers(AUTHOR))]


def crud(inputs: Inputs) -> Sequence[Request]:
    return [Request("GET", f"{PROFILE}/status/{inputs.rows.answered}")]


def messages(inputs: Inputs) -> Sequence[Request]:
    path = f"/api/messages/{inputs.rows.conversations[0]}"
    return [Request("GET", path, inputs.headers(AUTHOR))]


def like(inputs: Inputs) -> Sequence[Request]:
    """A reader likes each crud, and then removes each like: no two requests meet at one crud."""
    return [
        Request(method, f"/api/activities/{uuid}/like", inputs.headers(READERS[0]))
        for method in ("PUT", "DELETE")
        for uuid in inputs.rows.cruds
    ]


def create(inputs: Inputs) -> Sequence[Request]:
    crud = {"message": "A crud that is posted again and again", "ttl": "1-day"}
    return [post("/api/activities", inputs.headers(AUTHOR), crud)]


def search(term: str) -> str:
    """Return the path of a search."""
    return f"/api/activities/search?term={quote_plus(term)}"


def post(path: str, headers: Mapping[str, str], body: Mapping[str, str]) -> Request:
    """Return a POST request with a JSON body."""
    return Request("POST", path, {**headers, "Content-Type": "application/json"}, json.dumps(body))


ACTIONS = 300
"""The actions of the mix, after which it begins again."""
VISITORS = 2 / 3
"""The share of visitors: `make load` has two for each member."""
READING = {"home": 10, "next_page": 4, "crud": 6, "profile": 3, "search": 2}
WRITING = {"post": 2, "reply": 2, "like": 5, "notifications": 4, "message": 1, "messages": 2}
"""The weights of the actions in tests/load/locustfile.py. Members take both, visitors read."""


def mix(inputs: Inputs) -> Sequence[Request]:
    """Return the requests that `make load` sends, from all members and from visitors.

    Sign-ins, profile pictures and the sidebar of home are left out.
    """
    actions = _Actions(inputs, random.Random(1))
    return [request for _ in range(ACTIONS) for request in actions.take()]


class _Actions:
    """What members and visitors do. Each action returns its requests."""

    def __init__(self, inputs: Inputs, chance: random.Random) -> None:
        self._rows = inputs.rows
        self._tokens = {member: inputs.headers(member) for member in MEMBERS}
        self._chance = chance
        self._liked: list[tuple[Member, str]] = []

    def take(self) -> list[Request]:
        """Return the requests of the next action."""
        if self._chance.random() < VISITORS:
            caller, weights = None, READING
        else:
            caller, weights = self._chance.choice(MEMBERS), READING | WRITING
        [action] = self._chance.choices(list(weights), list(weights.values()))
        found: list[Request] = getattr(self, f"_{action}")(caller)
        return found

    def _get(self, caller: Member | None, *paths: str) -> list[Request]:
        headers = self._tokens[caller] if caller else {}
        return [Request("GET", path, headers) for path in paths]

    def _home(self, caller: Member | None) -> list[Request]:
        return self._get(caller, HOME)

    def _next_page(self, caller: Member | None) -> list[Request]:
        return self._get(caller, f"{HOME}?cursor={self._rows.cursor}")

    def _crud(self, caller: Member | None) -> list[Request]:
        return self._get(caller, f"{PROFILE}/status/{self._chance.choice(self._rows.cruds)}")

    def _profile(self, caller: Member | None) -> list[Request]:
        return self._get(caller, f"{PROFILE}?shape=list")  # the shape that the peers return

    def _search(self, caller: Member | None) -> list[Request]:
        [term] = self._chance.choices((TERM, f"#{TAG}", f"@{AUTHOR.handle}"), (5, 3, 2))
        return self._get(caller, search(term))

    def _post(self, caller: Member) -> list[Request]:
        crud = {"message": f"A crud of {caller.handle} about #{TAG}", "ttl": "1-day"}
        return [post("/api/activities", self._tokens[caller], crud)]

    def _reply(self, caller: Member) -> list[Request]:
        path = f"/api/activities/{self._chance.choice(self._rows.cruds)}/reply"
        return [post(path, self._tokens[caller], {"message": f"A reply of {caller.handle}"})]

    def _like(self, caller: Member) -> list[Request]:
        """Like a crud; the next time, remove that like, so that each has an effect."""
        if self._liked:
            caller, path = self._liked.pop()
            return [Request("DELETE", path, self._tokens[caller])]
        path = f"/api/activities/{self._chance.choice(self._rows.cruds)}/like"
        self._liked.append((caller, path))
        return [Request("PUT", path, self._tokens[caller])]

    def _notifications(self, caller: Member) -> list[Request]:
        """Read the counter, and sometimes the list, as in `make load` if nothing is unread."""
        paths = ["/api/activities/notifications/counter"]
        if self._chance.random() < 0.2:
            paths.append("/api/activities/notifications")
        return self._get(caller, *paths)

    def _message(self, caller: Member) -> list[Request]:
        other = self._chance.choice(READERS) if caller is AUTHOR else AUTHOR
        body = {"message": f"A message of {caller.handle}", "handle": other.handle}
        return [post("/api/messages", self._tokens[caller], body)]

    def _messages(self, caller: Member) -> list[Request]:
        conversation = self._rows.conversations[max(MEMBERS.index(caller) - 1, 0)]
        return self._get(caller, "/api/message_groups", f"/api/messages/{conversation}")


ROUTES = (
    Route("member-home", get_as_author(HOME)),
    Route("member-home-20-posts", get_as_author(HOME), SERVICES, posts=20),
    Route("member-home-100-posts", get_as_author(HOME), SERVICES, posts=100),
    Route("notifications", get_as_author("/api/activities/notifications"), FOR_MEMBERS),
    Route("messages", messages, FOR_MEMBERS),
    Route("like", like, FOR_MEMBERS, is_writing=True),
    Route("mix", mix, FOR_MEMBERS, is_writing=True, is_steady=True, streams=50),
    Route("home", get(HOME), (*PEERS, MANY), is_steady=True),
    Route("home-20-posts", get(HOME), SERVICES, posts=20),
    Route("home-100-posts", get(HOME), SERVICES, posts=100),
    Route("profile", get(PROFILE)),
    Route("crud", crud),
    Route("search", get(search(TERM))),
    Route("health", get("/api/health-check")),
    Route("create", create, is_writing=True),
)
"""In the order of the tables."""


def measuring_order(routes: Sequence[Route]) -> list[Route]:
    """Return the routes in the order in which they are measured.

    Those that only read come first, so that they see the rows as they were filled. Then come those
    with a writer, which adds the same rows for each peer.
    """
    return sorted(routes, key=lambda route: (route.is_writing, route.posts))
