"""Clients for sinks, with requests and boto3: each response is bounded in total time and size.

The timeout of requests applies to each read. A sink that sends a byte a second, or a response
without an end, never reaches it. Here a thread shuts the connection down at the deadline, in any
state, and a response that is too long is not read to its end.
"""

import contextlib
import io
import socket
import threading
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

MAX_ANSWER_BYTES = 1024 * 1024
"""After decompression. Responses of sinks have a few hundred bytes."""

DEFAULT_SECONDS = 10.0
_CHUNK = 64 * 1024
_AGAIN_SECONDS = 0.05


class AnswerTooLongError(requests.RequestException):
    """The response is longer than MAX_ANSWER_BYTES. A retry would get the same."""


class _Deadline:
    """Shuts down the connections of one thread at a deadline; a context manager."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._seconds = seconds
        self._done = threading.Event()
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        _current.deadline = self
        threading.Thread(target=self._watch, name="deadline of an answer", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        _current.deadline = None
        self._done.set()

    def follow(self, connection: HTTPConnection) -> None:
        """Watch a connection and its socket, which the response keeps after the connection."""
        if self.is_over:
            raise TimeoutError
        self._connection = connection
        self._socket = connection.sock

    def _watch(self) -> None:
        if self._done.wait(self._seconds):
            return
        self.is_over = True
        while not self._done.is_set():  # a connection gets its socket later
            sockets = self._socket, self._connection.sock if self._connection else None
            for one in sockets:
                if one is not None:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
            self._done.wait(_AGAIN_SECONDS)


_current = threading.local()


def _follow(connection: HTTPConnection) -> None:
    deadline: _Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.follow(connection)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        _follow(self)
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        _follow(self)
        super().request(*args, **options)
        _follow(self)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS: `super()` of the methods above is the HTTPS connection of urllib3 here."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class BoundedAdapter(HTTPAdapter):
    """An adapter of requests that applies `timeout` to the whole call."""

    def __init__(self, certificates: str = "") -> None:
        """Verify servers with a file of certificates, if one is given.

        It is set here because requests prefers REQUESTS_CA_BUNDLE to the session's own file.
        """
        self._certificates = certificates
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Create the pools of connections, as requests does."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Create the pools of connections, as requests does."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002  # the response is read here
        timeout: Any = None,
        *args: Any,
        **options: Any,
    ) -> requests.Response:
        """Send the request and read the whole response.

        Raises:
            requests.ReadTimeout: the response was not complete within `timeout`; of a pair, within
                the second.
            AnswerTooLongError: the response is longer than MAX_ANSWER_BYTES.
            requests.RequestException: as requests raises it.
        """
        timeout = DEFAULT_SECONDS if timeout is None else timeout
        if self._certificates:
            options["verify"] = self._certificates
        seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        with _Deadline(seconds) as deadline:
            try:
                response = super().send(request, True, timeout, *args, **options)
                body = _read(response)
            except requests.RequestException as error:
                if not deadline.is_over or isinstance(error, requests.ConnectTimeout):
                    raise
                body = None
        if body is None or deadline.is_over:  # without a length, it ends where it was cut
            raise requests.ReadTimeout(f"no whole answer in {seconds:g} s", request=request)
        return _complete(response, body)


def bound(session: requests.Session, certificates: str = "") -> requests.Session:
    """Bound every response of a session, and return the session.

    Args:
        session: its adapters are replaced.
        certificates: a file of PEM certificates to verify servers with; empty: the usual ones.
    """
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(certificates))
    return session


def boto_client(
    service: str, *, region: str | None, connect_timeout: float, read_timeout: float
) -> Any:
    """Return a client of boto3 with the same bounds.

    Handlers of the event `before-send` can replace the HTTP client of botocore, whose timeout
    applies to each read as well.

    Args:
        service: such as `logs`.
        region: of AWS; None: from boto3's configuration, like credentials and endpoint.
        connect_timeout: seconds to connect, for one attempt of a call.
        read_timeout: seconds for a whole attempt.
    """
    # boto3 is an extra.
    import botocore.awsrequest
    import botocore.exceptions as errors
    import botocore.session
    from boto3.session import Session
    from botocore.config import Config
    from urllib3 import HTTPResponse

    session = bound(requests.Session())
    # Not boto3's default session, which is not safe for several threads.
    core = botocore.session.Session()
    ca_bundle = core.get_config_variable("ca_bundle")

    def send(request: Any, **_: object) -> Any:
        url = request.url
        prepared = session.prepare_request(
            requests.Request(
                request.method,
                url,
                headers=dict(request.headers.items()),
                data=request.body,
                auth=lambda signed: signed,  # otherwise requests reads ~/.netrc
            )
        )
        options = session.merge_environment_settings(url, {}, None, ca_bundle, None)
        try:
            response = session.send(
                prepared,
                timeout=(connect_timeout, read_timeout),
                allow_redirects=False,
                **options,
            )
        except requests.ConnectTimeout as error:
            raise errors.ConnectTimeoutError(endpoint_url=url, error=error) from error
        except requests.Timeout as error:
            raise errors.ReadTimeoutError(endpoint_url=url, error=error) from error
        except requests.exceptions.SSLError as error:
            raise errors.SSLError(endpoint_url=url, error=error) from error
        except requests.ConnectionError as error:
            raise errors.EndpointConnectionError(endpoint_url=url, error=error) from error
        except requests.RequestException as error:
            raise errors.HTTPClientError(error=error) from error
        raw = HTTPResponse(io.BytesIO(response.content), preload_content=False)
        return botocore.awsrequest.AWSResponse(url, response.status_code, response.headers, raw)

    client = Session(botocore_session=core).client(
        service, region_name=region, config=Config(retries={"max_attempts": 2})
    )
    client.meta.events.register("before-send", send)
    return client


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            response.close()
            raise AnswerTooLongError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _complete(response: requests.Response, body: bytes) -> requests.Response:
    """Return the response with the body that was read: requests has no other way to bound it."""
    whole = requests.Response()
    whole.status_code, whole.reason, whole.url = response.status_code, response.reason, response.url
    whole.headers, whole.encoding = response.headers, response.encoding
    whole.request, whole.connection = response.request, response.connection
    whole.raw = io.BytesIO(body)
    return whole
