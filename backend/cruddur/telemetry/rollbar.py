"""Rollbar: every failure that somebody should look at, as an item of its project.

Everything private is taken out before the library sees anything: it gets texts that are
scrubbed already and frames without their variables.
"""

import json
import logging
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from typing import Any, Literal
from urllib.parse import parse_qsl
from uuid import uuid4

import requests

from cruddur.telemetry.export_queue import ExportError, ExportQueue
from cruddur.telemetry.operation import Failure, Operation, chain, describe, error_type
from cruddur.telemetry.redaction import redact_headers, redact_query, scrub
from cruddur.telemetry.sink_clients import bound

TIMEOUT_SECONDS = 3.0  # for the whole call

_CAPACITY = 256  # items; each is some ten kilobytes
_CAUSES = 20  # exceptions of a chain; an item has to stay below a megabyte
_FRAMES = 100  # of each exception, the innermost


_setting_up = threading.Lock()
_built = threading.local()  # the payload that pyrollbar has just finished in this thread


@dataclass(frozen=True, slots=True)
class _Trace:
    """One exception of a chain: its class, its text without secrets, where it came from."""

    kind: str
    message: str
    frames: traceback.StackSummary


@dataclass(frozen=True, slots=True)
class _Item:
    """What is kept of a failure until it is sent.

    No exception and no frame is among it: they would keep the request's variables in
    memory, and have them finalised in a thread where they do not belong.

    Attributes:
        uuid: under which Rollbar will show it.
        traces: the error's, then those of its causes.
        data: the other parts of the item, as Rollbar names them.
    """

    uuid: str
    traces: tuple[_Trace, ...]
    data: dict[str, Any]


class RollbarReporter:
    """Sends failures to Rollbar from a thread of its own.

    Attributes:
        export_queue: to be started and closed by whoever made the reporter.
    """

    def __init__(
        self,
        *,
        access_token: str,
        endpoint: str,
        environment: str,
        code_version: str,
        service_name: str,
        trace_url: str,
        instance_id: str = "",
    ) -> None:
        """Take the project and what to tell of the process; nothing is imported or sent.

        Args:
            access_token: the project's, with the scope `post_server_item`.
            endpoint: the API, such as `https://api.rollbar.com/api/1/`.
            environment: such as `production`.
            code_version: the commit that runs; empty: unknown.
            service_name: sent with each item.
            trace_url: where a trace is shown, with a place for `{trace_id}`; may be empty.
            instance_id: identifies this process; empty: not sent.
        """
        self._access_token = access_token
        self._url = f"{endpoint.rstrip('/')}/item/"
        self._environment = environment
        self._code_version = code_version
        self._service = {"service": service_name}
        if instance_id:
            self._service["instance"] = instance_id
        self._trace_url = trace_url
        self._library: Any = None
        self._session = bound(requests.Session())
        # One item a batch: it leaves at once, and what the counts say of it is exact.
        self.export_queue = ExportQueue[_Item](
            "Rollbar", self._deliver, capacity=_CAPACITY, batch=1
        )

    def report(self, failure: Failure) -> str:
        """Queue an item; returns its uuid. Neither blocks nor imports anything."""
        uuid = str(uuid4())
        errors = list(islice(chain(failure.error), _CAUSES))
        messages = [failure.message, *(describe(cause, failure.operation) for cause in errors[1:])]
        traces = tuple(
            _Trace(
                error_type(error),
                message,
                traceback.extract_tb(error.__traceback__, limit=-_FRAMES),
            )
            for error, message in zip(errors, messages, strict=True)
        )
        self.export_queue.put(_Item(uuid, traces, self._data(failure, uuid)))
        return uuid

    def _data(self, failure: Failure, uuid: str) -> dict[str, Any]:
        operation = failure.operation
        custom = {**self._service, "what": failure.what}
        if operation.route is not None:
            custom["http_route"] = operation.route
        if failure.trace_id.strip("0"):  # zeros: it happened outside of any span
            custom |= {"trace_id": failure.trace_id, "span_id": failure.span_id}
            if self._trace_url:
                custom["trace_url"] = self._trace_url.replace("{trace_id}", failure.trace_id)
        data: dict[str, Any] = {
            "uuid": uuid,
            "timestamp": int(time.time()),
            "environment": self._environment,
            "framework": "quart",
            "context": operation.route or failure.what,
            "custom": custom,
        }
        if self._code_version:
            data["code_version"] = self._code_version
        if operation.scope:
            data["request"] = _request(operation)
        if operation.user_uuid is not None:
            data["person"] = {"id": str(operation.user_uuid)}
        return data

    # --- in the export queue's thread --------------------------------------------------------

    def _deliver(self, items: Sequence[_Item]) -> None:
        if self._library is None:
            self._library = _set_up(self._access_token, self._environment)
        for item in items:
            self._post(self._build(item))

    def _build(self, item: _Item) -> dict[str, Any]:
        """The item's `data`, as pyrollbar builds it."""
        stand_in = _stand_in(item.traces)
        _built.payload = None
        self._library.report_exc_info(
            (type(stand_in), stand_in, None), payload_data=item.data, level="error"
        )
        if _built.payload is None:
            raise ExportError("pyrollbar could not build the item")
        data: dict[str, Any] = _built.payload["data"]
        data["server"].pop("argv", None)  # nobody needs it, and it may say anything
        body = data["body"]
        for built, trace in zip(
            body.get("trace_chain") or [body["trace"]], item.traces, strict=True
        ):
            built["frames"] = [
                {"filename": f.filename, "lineno": f.lineno, "method": f.name, "code": f.line}
                for f in trace.frames
            ]
        return data

    def _post(self, data: dict[str, Any]) -> None:
        """Send an item.

        `rollbar.send_payload` logs what goes wrong and returns nothing, also when the
        item was refused, and reads an answer for as long as it lasts.
        """
        try:
            response = self._session.post(
                self._url,
                data=json.dumps({"data": data}),
                headers={
                    "Content-Type": "application/json",
                    # Here alone: the token in the body is the API's old way.
                    "X-Rollbar-Access-Token": self._access_token,
                },
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,  # the token would go wherever they lead
            )
        except requests.Timeout:
            raise ExportError(f"no answer in {TIMEOUT_SECONDS:g} s") from None
        except requests.RequestException as error:
            # Its text may quote the headers.
            raise ExportError(f"{type(error).__name__} at {self._url}") from None
        answer = _answer(response)
        if response.status_code != 200:
            reason = answer.get("message", response.reason)
            raise ExportError(f"HTTP {response.status_code}: {reason}")
        if answer.get("err") != 0:
            raise ExportError(f"not Rollbar answers at {self._url}")


def _set_up(access_token: str, environment: str) -> Any:
    """pyrollbar, ready to build items and kept from sending them itself.

    Its settings are the process's, and the first call's stay; what may differ between two
    reporters is told with each item instead.
    """
    import rollbar

    with _setting_up:
        # It logs whole items, as errors; the export queue tells what went wrong.
        logging.getLogger("rollbar").setLevel(logging.CRITICAL)
        rollbar.init(
            access_token,
            environment,
            handler="blocking",
            allow_logging_basic_config=False,
            capture_ip="anonymize",
            locals={"enabled": False},
            log_payload_on_error=False,
            suppress_reinit_warning=True,
        )
        rollbar.events.add_payload_handler(_take)
    return rollbar


def _take(payload: dict[str, Any], **_: object) -> Literal[False]:
    """pyrollbar's last step before it would send: False says that it shall not."""
    _built.payload = payload
    return False


def _stand_in(traces: Sequence[_Trace]) -> Exception:
    """An exception that looks like the failed one, with nothing of it but the safe parts."""
    first, *causes = traces
    error: Exception = type(first.kind, (Exception,), {})(first.message)
    if causes:
        error.__cause__ = _stand_in(causes)
    return error


def _answer(response: Any) -> dict[str, Any]:
    """The answer's JSON; nothing when it is none, as from a proxy."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


# --- what a failure holds, made safe ----------------------------------------------------


def _request(operation: Operation) -> dict[str, Any]:
    scope = operation.scope
    headers = scope.get("headers", ())
    query = redact_query(scope.get("query_string", b"").decode("latin-1"))
    host = next((v.decode("latin-1") for k, v in headers if k == b"host"), "localhost")
    url = f"{scope.get('scheme', 'http')}://{scrub(host)}{operation.shown_path}"
    found = {
        "method": scope.get("method", "GET"),  # a websocket's handshake has no other
        "url": f"{url}?{query}" if query else url,
        "headers": redact_headers(headers),
        "GET": dict(parse_qsl(query, keep_blank_values=True)),
    }
    client = scope.get("client")
    if client and (address := _anonymous(client[0])):
        found["user_ip"] = address
    return found


def _anonymous(host: str) -> str | None:
    """The network of an address: an IPv4's /24, an IPv6's /48; None for other things."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 6:
        address = address.ipv4_mapped or address
    hidden = 8 if address.version == 4 else 80
    return str(type(address)(int(address) >> hidden << hidden))
