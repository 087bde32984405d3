"""OTLP to X-Ray's endpoint: requests signed with AWS Signature Version 4."""

import threading
from typing import Any

import requests
from requests.auth import AuthBase

from cruddur.telemetry.export_queue import ExportError
from cruddur.telemetry.sink_clients import bound

SIGNED_HEADERS = ("Content-Type", "Content-Encoding")
"""Signed in addition to host, date and token. A proxy may change any other header."""

_EXPORTER_HEADERS = frozenset({"content-type", "content-encoding", "user-agent"})


def endpoint(region: str) -> str:
    """Return the address of X-Ray's OTLP endpoint for traces in a region."""
    return f"https://xray.{region}.amazonaws.com/v1/traces"


def signed_session(region: str, service: str = "xray") -> requests.Session:
    """Return a session for an OTLP exporter, whose requests are signed.

    Needs botocore (the extra `aws`), which is imported with the first request. The
    credentials come from AWS's default chain and are refreshed when they expire. A
    request without credentials raises ExportError, which the exporter reports.
    """
    session = bound(_IsolatedSession())
    session.auth = _Signer(region, service)
    return session


class _IsolatedSession(requests.Session):
    """A session that ignores the headers and certificates of OTEL_EXPORTER_OTLP_*.

    The SDK passes them to every exporter, but they belong to another backend, and the headers may
    contain its key.
    """

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request with the exporter's own headers only."""
        self.verify, self.cert = True, None
        headers = options.get("headers") or {}
        exporter_headers = {
            name: text for name, text in headers.items() if name.lower() in _EXPORTER_HEADERS
        }
        options["headers"] = exporter_headers
        return super().request(*args, **options)


class _Signer(AuthBase):
    def __init__(self, region: str, service: str) -> None:
        self._region = region
        self._service = service
        self._credentials: Any = None
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add a signature over the final request, with its compressed body and all headers."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        headers = {
            name: request.headers[name] for name in SIGNED_HEADERS if name in request.headers
        }
        replica = AWSRequest(request.method, request.url, headers=headers, data=request.body)
        SigV4Auth(
            self._load_credentials().get_frozen_credentials(), self._service, self._region
        ).add_auth(replica)
        request.headers.update(replica.headers.items())
        return request

    def _load_credentials(self) -> Any:
        with self._lock:
            if self._credentials is None:
                from botocore.session import Session

                self._credentials = Session().get_credentials()
            if self._credentials is None:
                raise ExportError("no AWS credentials were found")
            return self._credentials
