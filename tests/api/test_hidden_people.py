"""A user who blocks, is blocked or is muted is in no response that says so.

The tests request every route of the application. A route without an entry in DECISIONS fails.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal
from uuid import uuid4

import asyncpg
import pytest
from PIL import Image
from quart import Quart
from werkzeug.routing import Rule

from cruddur.app import ENDPOINTS
from pictures import file
from support import Api, Member

Decision = Literal[
    "hides", "hides blocked", "refuses", "refuses blocked", "public", "own", "undoes"
]

# "hides": the response shows nothing of a hidden user, and is that for an unknown one.
# "hides blocked": the same, but a mute changes nothing.
# "refuses", "refuses blocked": a change is refused like that of an unknown user or crud.
# "public": the response is the same for every caller, and so for visitors.
# "own": the response is about the caller alone, or about no one.
# "undoes": a block or mute itself.
DECISIONS: dict[str, Decision] = {
    "GET /api/activities/home": "hides",
    "GET /api/activities/search": "hides",
    "GET /api/activities/@<handle>": "hides blocked",  # a muted user has a profile without cruds
    "GET /api/activities/@<handle>/status/<uuid:uuid>": "hides",
    "GET /api/activities/<uuid:uuid>": "hides",
    "GET /api/activities/notifications": "hides",
    "GET /api/activities/notifications/counter": "hides",
    "GET /api/notifications": "hides",
    "GET /api/users/suggested": "hides",
    "GET /api/users": "hides blocked",
    "GET /api/users/@<handle>/short": "hides blocked",
    "GET /api/message_groups": "hides blocked",
    "GET /api/message_requests": "hides blocked",
    "GET /api/messages/counter": "hides blocked",
    "GET /api/messages/@<handle>": "hides blocked",
    "GET /api/messages/<uuid:message_group_uuid>": "hides blocked",
    "GET /api/messages/@<handle>/lifetime": "hides blocked",
    "GET /api/stream": "hides",  # tests/live/test_hidden_streams.py
    "GET /api/activities/following": "hides",
    "GET /api/users/search": "hides blocked",
    "GET /api/users/@<handle>/followers": "hides blocked",
    "GET /api/users/@<handle>/following": "hides blocked",
    "PUT /api/users/@<handle>/follow": "refuses blocked",
    "DELETE /api/users/@<handle>/follow": "refuses blocked",
    "POST /api/activities/<uuid:uuid>/reply": "refuses",
    "PUT /api/activities/<uuid:uuid>/like": "refuses",
    "DELETE /api/activities/<uuid:uuid>/like": "refuses",
    "PUT /api/activities/<uuid:uuid>/repost": "refuses",
    "DELETE /api/activities/<uuid:uuid>/repost": "refuses",
    "DELETE /api/activities/<uuid:uuid>": "refuses",
    "POST /api/messages": "refuses blocked",
    "PUT /api/messages/@<handle>/lifetime": "refuses blocked",
    "DELETE /api/messages/@<handle>/lifetime": "refuses blocked",
    "PUT /api/message_requests/<uuid:message_group_uuid>": "refuses blocked",
    "DELETE /api/message_requests/<uuid:message_group_uuid>": "refuses blocked",
    "PUT /api/users/@<handle>/block": "undoes",
    "DELETE /api/users/@<handle>/block": "undoes",
    "PUT /api/users/@<handle>/mute": "undoes",
    "DELETE /api/users/@<handle>/mute": "undoes",
    "GET /api/blocks": "undoes",
    "GET /api/mutes": "undoes",
    "GET /api/trending": "public",
    "GET /api/tags": "public",
    "GET /api/tags/followed": "own",
    "PUT /api/tags/<tag>/follow": "own",
    "DELETE /api/tags/<tag>/follow": "own",
    "GET /api/avatars/<subject>.jpg": "public",
    "GET /api/pictures/<uuid:uuid>.jpg": "public",
    "GET /api/pictures/<uuid:uuid>/thumbnail.jpg": "public",
    "GET /api/previews/<uuid:uuid>.jpg": "public",
    "GET /api/health-check": "public",
    "GET /api/health/telemetry": "public",
    "GET /api/ready": "public",
    "GET /api/auth/code-delivery": "public",
    "GET /.well-known/jwks.json": "public",
    "POST /api/telemetry": "own",
    "POST /api/activities": "own",
    "POST /api/pictures": "own",
    "POST /api/stream/ticket": "own",
    "PUT /api/profile/update": "own",
    "POST /api/profile/update": "own",
    "GET /api/messages/policy": "own",
    "PUT /api/messages/policy": "own",
    "POST /api/avatars/key_upload": "own",
    "POST /avatars/key_upload": "own",
    "PUT /api/avatars/uploads/<token>": "own",
    "DELETE /api/avatars/me": "own",
    "POST /api/auth/signup": "own",
    "POST /api/auth/confirm": "own",
    "POST /api/auth/resend": "own",
    "POST /api/auth/signin": "own",
    "POST /api/auth/refresh": "own",
    "POST /api/auth/signout": "own",
    "POST /api/auth/forgot": "own",
    "POST /api/auth/reset": "own",
    "PUT /api/auth/password": "own",
    "GET /api/auth/me": "own",
    "DELETE /api/auth/me": "own",
    "GET /api/auth/second-factor": "own",
    "POST /api/auth/second-factor": "own",
    "PUT /api/auth/second-factor": "own",
    "DELETE /api/auth/second-factor": "own",
    "GET /api/auth/passkeys/support": "public",
    "GET /api/auth/passkeys": "own",
    "POST /api/auth/passkeys": "own",
    "POST /api/auth/passkeys/registration": "own",
    "POST /api/auth/passkeys/challenge": "own",
    "PUT /api/auth/passkeys/<uuid:uuid>": "own",
    "DELETE /api/auth/passkeys/<uuid:uuid>": "own",
    "POST /api/auth/signin/passkey": "own",
    "POST /api/auth/tokens": "own",
    "GET /api/auth/tokens": "own",
    "DELETE /api/auth/tokens/<uuid:uuid>": "own",
    "GET /api/auth/sessions": "own",
    "DELETE /api/auth/sessions": "own",
    "DELETE /api/auth/sessions/<uuid:uuid>": "own",
    "POST /api/reports": "own",  # also of hidden users
    "GET /api/notices": "own",
    "GET /api/auth/export": "own",  # tests/api/test_export.py
    "GET /api/auth/audit.jsonl": "own",
    "GET /api/auth/email": "own",
    "POST /api/auth/email": "own",
    "PUT /api/auth/email": "own",
    "POST /api/auth/email/stop": "own",
    "POST /api/notices/<uuid:uuid>/appeal": "own",
    "GET /api/moderation/cases": "own",  # moderators see everyone
    "GET /api/moderation/cases/<uuid:uuid>": "own",
    "POST /api/moderation/cases/<uuid:uuid>/decisions": "own",
    "POST /api/moderation/appeals/<uuid:uuid>": "own",
    "GET /api/moderation/accounts/@<handle>": "own",
    "GET /api/moderation/audit": "own",
    "GET /api/moderation/audit.jsonl": "own",
    "GET /api/moderation/audit.csv": "own",
    "GET /api/instance": "public",
    "GET /api/instance/settings": "own",
    "PUT /api/instance/settings": "own",
    "GET /api/instance/invitations": "own",
    "POST /api/instance/invitations": "own",
    "DELETE /api/instance/invitations/<uuid:uuid>": "own",
    "POST /api/instance/announcements": "own",
    "DELETE /api/instance/announcements/<uuid:uuid>": "own",
    "PUT /api/auth/terms": "own",
    "GET /api/auth/suspension": "own",
}

BODIES: dict[str, Any] = {
    "POST /api/activities/<uuid:uuid>/reply": {"message": "a reply"},
    "POST /api/messages": {"message": "a message", "handle": "{handle}"},
    "PUT /api/messages/@<handle>/lifetime": {"ttl": "1-day"},
}

QUERIES = {
    "/api/activities/search": [f"?term={term}" for term in ("vaporous", "%23fading", "%40hidden")],
    "/api/activities/@<handle>": ["?shape=list", "?shape=profile"],
    "/api/users": ["?prefix=hid"],
    "/api/users/search": ["?term=hidden"],
    "/api/tags": ["?prefix=fad"],
}

WORDS = ["vaporous", "smoke", "elsewhere", "whisper", "Hidden Person"]
"""What the hidden user wrote, and their name."""

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_VOLATILE = re.compile(r'"(?:likes|reposts|replies)_count":\d+')
"""Counts include what hidden users did."""


@dataclass(frozen=True)
class Scene:
    """A viewer, and a user that is about to be hidden and has done everything to be seen."""

    viewer: Member
    hidden: Member
    witness: Member
    uuids: list[str]
    group: str

    def shown(self, text: str) -> list[str]:
        """Return what a response shows of the hidden user."""
        marks = [*WORDS, *self.uuids, "hidden", str(self.hidden.uuid)]
        return [mark for mark in marks if mark in text]


async def set_scene(viewer: Member, hidden: Member, witness: Member, conn: Any) -> Scene:
    """Let the hidden user write, react and message, and be reposted by the witness."""
    own = await viewer.crud("the viewer's crud")
    uploaded = await hidden.request("POST", "/api/pictures", content=file(Image.new("RGB", (8, 8))))
    picture = uploaded.json()["uuid"]
    body = {"message": "vaporous #fading @viewer", "ttl": "1-day", "pictures": [{"uuid": picture}]}
    crud = await hidden.post("/api/activities", body)
    reply = await hidden.reply(own["uuid"], "smoke, #fading")
    other = await witness.reply(own["uuid"], "a reply that stays")
    nested = await hidden.reply(other["uuid"], "elsewhere")
    for one, to in ((hidden, own), (witness, crud), (hidden, other)):
        for kind in ("like", "repost"):
            await one.put(f"/api/activities/{to['uuid']}/{kind}")
    for followed in ("hidden", "witness"):
        await viewer.put(f"/api/users/@{followed}/follow")
    for followed in ("viewer", "witness"):
        await hidden.put(f"/api/users/@{followed}/follow")
    await witness.put("/api/users/@hidden/follow")
    group = (await hidden.message("viewer", "whisper"))["message_group_uuid"]
    await hidden.message("viewer", "whisper again")
    notes = await conn.fetch("SELECT uuid FROM notifications WHERE actor_uuid = $1", hidden.uuid)
    uuids = [crud["uuid"], reply["uuid"], nested["uuid"], *(str(note["uuid"]) for note in notes)]
    return Scene(viewer, hidden, witness, uuids, group)


@pytest.fixture
async def scene(member: Any, database: asyncpg.Connection) -> Scene:
    viewer, hidden, witness = [
        await member(handle, name)
        for handle, name in (
            ("viewer", "The Viewer"), ("hidden", "Hidden Person"), ("witness", "A Witness")
        )
    ]  # fmt: skip
    return await set_scene(viewer, hidden, witness, database)


def name(rule: Rule, method: str) -> str:
    return f"{method} {rule.rule}"


def paths(rule: Rule, handle: str, uuids: list[str], group: str) -> Iterator[str]:
    """Return the paths to request for a rule."""
    choices = {
        "handle": [handle],
        "uuid": uuids,
        "message_group_uuid": [group],
        "subject": [str(uuid4())],
        "token": ["token"],
        "tag": ["fading"],
    }
    names = _PARAMETER.findall(rule.rule)
    for values in product(*(choices[one] for one in names)):
        given = dict(zip(names, values, strict=True))
        path = _PARAMETER.sub(lambda match, given=given: given[match[1]], rule.rule)
        for query in QUERIES.get(rule.rule, [""]):
            yield path + query


async def ask(api: Api, method: str, path: str, body: Any = None) -> tuple[int, str]:
    response = await api.http.request(method, path, json=body, headers=api.headers)
    return response.status_code, _VOLATILE.sub("", response.content.decode(errors="replace"))


async def part(scene: Scene) -> None:
    """End the follows of both, which a block would end."""
    await scene.viewer.put(f"/api/message_requests/{scene.group}")
    await scene.viewer.delete("/api/users/@hidden/follow")
    await scene.hidden.delete("/api/users/@viewer/follow")


async def hide(scene: Scene, how: str) -> None:
    if how == "blocks":
        await scene.viewer.put("/api/users/@hidden/block")
    elif how == "is blocked":
        await scene.hidden.put("/api/users/@viewer/block")
    else:
        await scene.viewer.put("/api/users/@hidden/mute", {})


def rules(app: Quart, how: str, *decisions: str) -> Iterator[tuple[str, Rule]]:
    """Return the methods and rules with a decision that applies."""
    wanted = set(decisions)
    if how != "mutes":
        wanted |= {f"{decision} blocked" for decision in decisions}
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            if DECISIONS.get(name(rule, method)) in wanted and rule.rule != "/api/stream":
                yield method, rule


def test_each_route_has_a_decision(app: Quart) -> None:
    expected = {f"{endpoint.method} {endpoint.rule}" for endpoint in ENDPOINTS}
    assert sorted(expected) == sorted(DECISIONS)


HOWS = ["blocks", "is blocked", "mutes"]


@pytest.mark.rule("C102", "C103", "C104")
@pytest.mark.parametrize("how", HOWS)
async def test_no_list_shows_a_hidden_user(app: Quart, scene: Scene, how: str) -> None:
    app.extensions["cruddur"].suggestions._latest = None  # it may be of another test
    seen, hidden = {}, {}
    for found in (seen, hidden):
        for method, rule in rules(app, how, "hides"):
            for path in paths(rule, "hidden", scene.uuids, scene.group):
                for _ in range(3):  # also from the cache
                    status, text = await ask(scene.viewer, method, path)
                    found.setdefault(rule.rule, set()).update(scene.shown(text))
                    found[rule.rule].update(scene.shown(text))
                    assert status in {200, 404}
        if found is seen:
            await hide(scene, how)
    silent = {
        "/api/activities/notifications/counter",
        "/api/messages/counter",
        "/api/message_requests",
        "/api/messages/@<handle>/lifetime",
        "/api/users/suggested",  # the viewer follows the hidden user
        "/api/users/@<handle>/followers",
        "/api/users/@<handle>/following",
    }
    assert {rule for rule, marks in seen.items() if not marks} <= silent
    # The address of the profile is that of an unknown user, which has no cruds and is not found.
    assert {rule: marks for rule, marks in hidden.items() if marks} == {}


@pytest.mark.rule("C102", "C103")
@pytest.mark.parametrize("how", HOWS)
async def test_a_hidden_user_is_like_an_unknown_one(app: Quart, scene: Scene, how: str) -> None:
    await hide(scene, how)
    never = [str(uuid4()) for _ in scene.uuids]
    calls = 0
    for method, rule in rules(app, how, "hides", "refuses"):
        if not rule.arguments and rule.rule != "/api/messages":
            continue
        there = zip(
            paths(rule, "hidden", scene.uuids, scene.group),
            paths(rule, "no_one", never, str(uuid4())),
            strict=True,
        )
        for hidden_path, never_path in there:
            for _ in range(2 * (method == "GET")):
                await ask(scene.witness, method, hidden_path)  # so that it is in the cache
            answers = []
            for path, handle in ((hidden_path, "hidden"), (never_path, "no_one")):
                body = BODIES.get(name(rule, method))
                if body is not None:
                    body = {key: text.format(handle=handle) for key, text in body.items()}
                answers.append(await ask(scene.viewer, method, path, body))
            assert answers[0] == answers[1], (method, hidden_path)
            calls += 1
    assert calls > 30


@pytest.mark.rule("C102", "C103")
@pytest.mark.parametrize("how", HOWS)
async def test_others_notice_nothing(app: Quart, api: Api, scene: Scene, how: str) -> None:
    """Neither the witness, nor a visitor, nor a user who is muted."""
    await part(scene)
    readers = {"witness": scene.witness, "visitor": api}
    if how == "mutes":
        readers["hidden"] = scene.hidden
    unread, before, after = {}, {}, {}
    for found in (unread, before, after):  # the first walk marks everything read
        for method, rule in rules(app, how, "hides", "public"):
            if method != "GET" or rule.rule.startswith(("/api/health", "/api/ready")):
                continue
            for number, path in enumerate(paths(rule, "hidden", scene.uuids, scene.group)):
                for reader, caller in readers.items():
                    for _ in range(2):  # also from the cache
                        found[reader, rule.rule, number] = await ask(caller, method, path)
        if found is before:
            await hide(scene, how)
    assert {key: answer for key, answer in after.items() if answer != before[key]} == {}


@pytest.mark.rule("C102")
async def test_the_end_of_a_block_shows_everything_again(app: Quart, scene: Scene) -> None:
    async def walk() -> dict[str, tuple[int, str]]:
        found = {}
        for method, rule in rules(app, "blocks", "hides"):
            for path in paths(rule, "hidden", scene.uuids, scene.group):
                for _ in range(2):
                    found[path] = await ask(scene.viewer, method, path)
        return found

    await part(scene)
    await walk()  # marks everything read
    before = await walk()
    await hide(scene, "blocks")
    await scene.viewer.delete("/api/users/@hidden/block")
    assert await walk() == before
