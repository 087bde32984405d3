"""OTLP to X-Ray's endpoint: requests signed with AWS Signature Version 4."""

from typing import Any

import requests
from requests.auth import AuthBase

from cruddur.aws_signatures import AwsCredentialsError, AwsSigner
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

    A request without credentials raises ExportError, which the exporter reports.
    """
    session = bound(_IsolatedSession())
    session.auth = _Signature(AwsSigner(service, region))
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


class _Signature(AuthBase):
    def __init__(self, signer: AwsSigner) -> None:
        self._signer = signer

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add a signature over the final request, with its compressed body and all headers."""
        final: Any = request  # its types also allow what is not prepared yet
        headers = {name: final.headers[name] for name in SIGNED_HEADERS if name in final.headers}
        try:
            signed = self._signer.sign(final.method, final.url, headers, final.body)
        except AwsCredentialsError as error:
            raise ExportError(str(error)) from error
        request.headers.update(signed)
        return request
