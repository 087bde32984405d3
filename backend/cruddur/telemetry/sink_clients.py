"""Clients for sinks, with requests and boto3, that limit the duration and size of each response.

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

MAX_RESPONSE_BYTES = 1024 * 1024
"""Maximum size of a response after decompression. Responses of sinks have some hundred bytes."""

DEFAULT_SECONDS = 10.0
_CHUNK = 64 * 1024
_RETRY_SECONDS = 0.05


class ResponseTooLargeError(requests.RequestException):
    """The response is larger than MAX_RESPONSE_BYTES. A retry would get the same response."""


class _Deadline:
    """Shuts down the connections of one thread at a deadline; a context manager."""

    def __init__(self, seconds: float) -> None:
        self.has_expired = False
        self._seconds = seconds
        self._done = threading.Event()
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        _current.deadline = self
        threading.Thread(target=self._watch, name="response deadline", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        _current.deadline = None
        self._done.set()

    def watch(self, connection: HTTPConnection) -> None:
        """Watch a connection, and its socket, which the response may use after the connection."""
        if self.has_expired:
            raise TimeoutError
        self._connection = connection
        self._socket = connection.sock

    def _watch(self) -> None:
        if self._done.wait(self._seconds):
            return
        self.has_expired = True
        while not self._done.is_set():  # a connection may get its socket later
            sockets = self._socket, self._connection.sock if self._connection else None
            for open_socket in sockets:
                if open_socket is not None:
                    with contextlib.suppress(OSError):
                        open_socket.shutdown(socket.SHUT_RDWR)
            self._done.wait(_RETRY_SECONDS)


_current = threading.local()


def _watch_connection(connection: HTTPConnection) -> None:
    deadline: _Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.watch(connection)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        _watch_connection(self)
        super().connect()

    def request(self, *args: Any, **options: Any) -> None:
        _watch_connection(self)
        super().request(*args, **options)
        _watch_connection(self)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS: `super()` in the methods above is urllib3's HTTPS connection here."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class BoundedAdapter(HTTPAdapter):
    """An adapter of requests that applies `timeout` to the whole call."""

    def __init__(self, certificates: str = "") -> None:
        """Set the file of certificates that verifies servers, if any.

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
            ResponseTooLargeError: the response is longer than MAX_RESPONSE_BYTES.
            requests.RequestException: any other error of requests.
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
                if not deadline.has_expired or isinstance(error, requests.ConnectTimeout):
                    raise
                body = None
        if (
            body is None or deadline.has_expired
        ):  # a body without a length looks complete when it is cut
            raise requests.ReadTimeout(f"no complete response in {seconds:g} s", request=request)
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


def certificate_error(url: str, seconds: float, certificates: str = "") -> str:
    """Return why the certificate of a server is rejected; empty if it is not.

    Exporters report only the type of such an error, because its text may contain their headers.

    Args:
        url: any page of the server.
        seconds: time limit.
        certificates: see `bound`.
    """
    with bound(requests.Session(), certificates) as session:
        try:
            session.head(url, timeout=seconds, allow_redirects=False)
        except requests.exceptions.SSLError as error:
            return str(error)
        except requests.RequestException:
            pass
    return ""


def boto_client(
    service: str, *, region: str | None, connect_timeout: float, read_timeout: float
) -> Any:
    """Return a client of boto3 with the same bounds.

    Handlers of the event `before-send` can replace the HTTP client of botocore, whose timeout
    applies to each read as well.

    Args:
        service: such as `logs`.
        region: the AWS region; None: from boto3's configuration, like credentials and endpoint.
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
        if len(body) > MAX_RESPONSE_BYTES:
            response.close()
            raise ResponseTooLargeError(f"the response is longer than {MAX_RESPONSE_BYTES} bytes")
    return bytes(body)


def _complete(response: requests.Response, body: bytes) -> requests.Response:
    """Return the response with the body that was read; requests cannot limit it otherwise."""
    complete = requests.Response()
    complete.status_code, complete.reason, complete.url = (
        response.status_code,
        response.reason,
        response.url,
    )
    complete.headers, complete.encoding = response.headers, response.encoding
    complete.request, complete.connection = response.request, response.connection
    complete.raw = io.BytesIO(body)
    return complete
