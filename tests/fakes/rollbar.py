"""Rollbar's item API on a loopback socket: `POST /api/1/item/`."""

import json
from typing import Any
from uuid import UUID

from fakes.sink import Received, Response, Sink

Json = dict[str, Any]

LEVELS = {"critical", "error", "warning", "info", "debug"}
BODIES = {"trace", "trace_chain", "message", "crash_report"}


class FakeRollbar(Sink):
    """Accepts well-formed items of the right project; `endpoint` is the client's setting."""

    def __init__(self, token: str | None = None) -> None:
        super().__init__()
        self.token = token
        self._items: list[Json] = []

    @property
    def endpoint(self) -> str:
        """The base URL; the client appends `item/`."""
        return f"{self.url}/api/1/"

    @property
    def items(self) -> list[Json]:
        """The `data` of each accepted item."""
        with self._changed:
            return list(self._items)

    def forget(self) -> None:
        self._items.clear()

    def respond(self, request: Received) -> Response:
        if request.method != "POST" or request.path != "/api/1/item/":
            return self.refusal(404, f"there is no {request.method} {request.path}")
        try:
            payload = request.json()
        except ValueError:
            raise ValueError("the body is not JSON") from None
        if not isinstance(payload, dict):
            raise ValueError("the body is not an object")
        token = request.headers.get("X-Rollbar-Access-Token") or payload.get("access_token")
        if not token or (self.token is not None and token != self.token):
            return self.refusal(403, "access token not found")
        try:
            data = _checked(payload)
        except ValueError as error:
            self.problems.append(str(error))
            return self.refusal(422, str(error))
        self._items.append(data)
        result = {"id": len(self._items), "uuid": data["uuid"]}
        return Response(200, json.dumps({"err": 0, "result": result}).encode())

    def refusal(self, status: int, message: str) -> Response:
        return Response(status, json.dumps({"err": 1, "message": message}).encode())


def _checked(payload: Json) -> Json:
    """Return the item. Raises ValueError naming the first part that Rollbar could not use."""
    data = payload.get("data")
    _expect(isinstance(data, dict), "data")
    assert isinstance(data, dict)
    _expect(isinstance(data.get("environment"), str), "data.environment")
    _expect(data.get("level") in LEVELS, "data.level")
    _expect(isinstance(data.get("timestamp"), int | float), "data.timestamp")
    _expect(str(data.get("language", "")).startswith("python"), "data.language")
    _expect(isinstance(data.get("notifier"), dict), "data.notifier")
    for part in ("request", "custom", "server", "person"):
        _expect(isinstance(data.get(part, {}), dict), f"data.{part}")
    UUID(data.get("uuid", ""))
    body = data.get("body")
    _expect(isinstance(body, dict), "data.body")
    kinds = BODIES & set(body)
    _expect(len(kinds) == 1, "data.body: one of its four kinds")
    if "message" in body:
        _expect(isinstance(body["message"].get("body"), str), "data.body.message.body")
    for trace in [body["trace"]] if "trace" in body else body.get("trace_chain", []):
        _expect(isinstance(trace.get("frames"), list), "frames of a trace")
        _expect(all(isinstance(frame.get("filename"), str) for frame in trace["frames"]), "frames")
        _expect(isinstance(trace.get("exception", {}).get("class"), str), "exception.class")
    return data


def _expect(right: bool, part: str) -> None:
    if not right:
        raise ValueError(f"{part} is missing or malformed")
