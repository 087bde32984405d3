"""Rollbar: each reported failure becomes an item of the project.

Private data is removed before data is passed to the library: texts are scrubbed, and frames have
no variables.
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
_CAUSES = 20  # exceptions of a chain; an item must be smaller than 1 MB
_FRAMES = 100  # of each exception, the innermost


_setup_lock = threading.Lock()
_built = threading.local()  # the latest payload that pyrollbar built in this thread


@dataclass(frozen=True, slots=True)
class _Trace:
    """One exception of a chain: class, scrubbed message and frames."""

    kind: str
    message: str
    frames: traceback.StackSummary


@dataclass(frozen=True, slots=True)
class _Item:
    """The data of a failure until it is sent.

    It holds no exception and no frame, because these keep the variables of the request in memory,
    and the variables would be finalized in the wrong thread.

    Attributes:
        uuid: identifies the item in Rollbar.
        traces: the trace of the error, then those of its causes.
        data: the other parts of the item, with Rollbar's keys.
    """

    uuid: str
    traces: tuple[_Trace, ...]
    data: dict[str, Any]


class RollbarReporter:
    """Sends failures to Rollbar from its own thread.

    Attributes:
        export_queue: the owner of the reporter starts and closes it.
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
        """Set the project and the description of the process; nothing is imported or sent.

        Args:
            access_token: a token of the project with the scope `post_server_item`.
            endpoint: the API, such as `https://api.rollbar.com/api/1/`.
            environment: such as `production`.
            code_version: the commit that runs; empty: unknown.
            service_name: sent with each item.
            trace_url: the URL of a trace, with the placeholder `{trace_id}`; may be empty.
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
        # One item per batch, so that it is sent at once and the counts are exact.
        self.export_queue = ExportQueue[_Item](
            "Rollbar", self._deliver, capacity=_CAPACITY, batch=1
        )

    def report(self, failure: Failure) -> str:
        """Queue an item and return its uuid. Does not block, and imports nothing."""
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
        if failure.trace_id.strip("0"):  # zeros: outside of any span
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
        """Return the `data` of the item, as pyrollbar builds it."""
        substitute = _substitute_error(item.traces)
        _built.payload = None
        self._library.report_exc_info(
            (type(substitute), substitute, None), payload_data=item.data, level="error"
        )
        if _built.payload is None:
            raise ExportError("pyrollbar could not build the item")
        data: dict[str, Any] = _built.payload["data"]
        data["server"].pop("argv", None)  # not needed, and it may contain private data
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

        `rollbar.send_payload` only logs errors, even if the item was rejected, and has no limit for
        the duration of a response.
        """
        try:
            response = self._session.post(
                self._url,
                data=json.dumps({"data": data}),
                headers={
                    "Content-Type": "application/json",
                    # The token in the body is deprecated.
                    "X-Rollbar-Access-Token": self._access_token,
                },
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,  # a redirect would send the token elsewhere
            )
        except requests.Timeout:
            raise ExportError(f"no answer in {TIMEOUT_SECONDS:g} s") from None
        except requests.RequestException as error:
            # The message may contain the headers.
            raise ExportError(f"{type(error).__name__} at {self._url}") from None
        answer = _json_response(response)
        if response.status_code != 200:
            reason = answer.get("message", response.reason)
            raise ExportError(f"HTTP {response.status_code}: {reason}")
        if answer.get("err") != 0:
            raise ExportError(f"{self._url} did not respond like Rollbar")


def _set_up(access_token: str, environment: str) -> Any:
    """Return pyrollbar, configured to build items but not to send them.

    Its settings are global, and only the first call has an effect. So values that may differ
    between two reporters are part of each item.
    """
    import rollbar

    with _setup_lock:
        # It logs whole items as errors. The export queue logs failures.
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
        rollbar.events.add_payload_handler(_store_payload)
    return rollbar


def _store_payload(payload: dict[str, Any], **_: object) -> Literal[False]:
    """Store the payload. pyrollbar calls this before it sends; False prevents the sending."""
    _built.payload = payload
    return False


def _substitute_error(traces: Sequence[_Trace]) -> Exception:
    """Return an exception with the class names and the scrubbed messages of the failed one."""
    first, *causes = traces
    error: Exception = type(first.kind, (Exception,), {})(first.message)
    if causes:
        error.__cause__ = _substitute_error(causes)
    return error


def _json_response(response: Any) -> dict[str, Any]:
    """Return the JSON of the response; empty if it is not JSON, as from a proxy."""
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


# --- the request, without private data ----------------------------------------------------


def _request(operation: Operation) -> dict[str, Any]:
    scope = operation.scope
    headers = scope.get("headers", ())
    query = redact_query(scope.get("query_string", b"").decode("latin-1"))
    host = next((v.decode("latin-1") for k, v in headers if k == b"host"), "localhost")
    url = f"{scope.get('scheme', 'http')}://{scrub(host)}{operation.redacted_path}"
    request = {
        "method": scope.get("method", "GET"),  # the handshake of a websocket is a GET
        "url": f"{url}?{query}" if query else url,
        "headers": redact_headers(headers),
        "GET": dict(parse_qsl(query, keep_blank_values=True)),
    }
    client = scope.get("client")
    if client and (address := _anonymize(client[0])):
        request["user_ip"] = address
    return request


def _anonymize(host: str) -> str | None:
    """Return the /24 network of an IPv4 address or the /48 of an IPv6 one; else None."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 6:
        address = address.ipv4_mapped or address
    hidden = 8 if address.version == 4 else 80
    return str(type(address)(int(address) >> hidden << hidden))
