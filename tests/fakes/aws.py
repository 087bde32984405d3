"""AWS on the loopback: X-Ray and CloudWatch Logs, emulated by moto in this process.

For an AWS that rejects requests or hangs, pass the address of a `Sink` to `environment`.
"""

import json
import threading
import urllib.request
from typing import Any, Self

from werkzeug.serving import make_server

REGION = "us-east-1"
STOP_SECONDS = 0.02  # polling interval of the accepting thread


def environment(url: str, session_token: str | None = None) -> dict[str, str]:
    """Return the variables that direct every AWS client to an address, with credentials."""
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return variables | ({"AWS_SESSION_TOKEN": session_token} if session_token else {})


class FakeAws:
    """moto's server. Its state belongs to the process and is reset on entry."""

    def __enter__(self) -> Self:
        # The imports take a second, and few tests need them.
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )

        class Handler(MotoRequestHandler):
            def log_request(self, *_: object) -> None:
                """Log nothing."""

        # Like moto's ThreadedMotoServer, which does not close its socket when it stops.
        application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=Handler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_SECONDS,), name="moto"
        )
        self._thread.start()
        reset = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(reset).close()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        # moto imports the X-Ray SDK, whose emitter opens a socket and never closes it.
        from aws_xray_sdk.core import xray_recorder

        xray_recorder.emitter._socket.close()

    @property
    def url(self) -> str:
        """Scheme, address and port, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that direct every AWS client to this server."""
        return environment(self.url)

    def batch_get_traces(self, trace_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the documents of each trace in X-Ray, by the id in X-Ray's form."""
        client = self._client("xray")
        try:
            traces = client.batch_get_traces(TraceIds=trace_ids)["Traces"]
        finally:
            client.close()
        return {
            trace["Id"]: [json.loads(segment["Document"]) for segment in trace["Segments"]]
            for trace in traces
        }

    def log_groups(self) -> dict[str, int | None]:
        """The retention of each log group in days; None means that its lines never expire."""
        client = self._client("logs")
        try:
            groups = client.describe_log_groups()["logGroups"]
        finally:
            client.close()
        return {group["logGroupName"]: group.get("retentionInDays") for group in groups}

    def log_events(self, group: str) -> dict[str, list[str]]:
        """The messages of a log group by stream, the oldest first."""
        client = self._client("logs")
        try:
            streams = client.describe_log_streams(logGroupName=group)["logStreams"]
            return {
                name: [
                    event["message"]
                    for event in client.get_log_events(
                        logGroupName=group, logStreamName=name, startFromHead=True
                    )["events"]
                ]
                for name in (stream["logStreamName"] for stream in streams)
            }
        finally:
            client.close()

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing-secret",
            config=Config(retries={"max_attempts": 0}),
        )
