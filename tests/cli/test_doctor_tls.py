"""`cruddur doctor` finds what is wrong with certificates: its own, and those of the other ends."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from certificates import Issued, issue
from fakes.sink import Sink
from processes import cruddur
from support import free_port

HOST = "cruddur.example"
SECOND = timedelta(seconds=1)
LATER = timedelta(days=60)

ROOT = issue("Root of the tests", end=LATER)
INTERMEDIATE = issue("Intermediate 1", issuer=ROOT, end=LATER)


def own(**options: timedelta) -> Issued:
    """Return a certificate for HOST that an intermediate has signed."""
    return issue(HOST, names=(HOST,), issuer=INTERMEDIATE, **{"end": LATER, **options})


def chain(one: Issued) -> bytes:
    return one.pem + INTERMEDIATE.pem


def doctor(data: Path, **environment: str) -> list[dict[str, str]]:
    ended = cruddur(data, "doctor", "--json", **environment)
    assert ended.stderr == ""
    findings: list[dict[str, str]] = json.loads(ended.stdout)
    assert ended.returncode == any(one["outcome"] == "fault" for one in findings)
    return findings


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    """A file with the authority that clients know."""
    path = tmp_path / "authorities.pem"
    path.write_bytes(ROOT.pem)
    return path


Files = tuple[bytes | None, bytes | None]
GOOD = own()
EXPIRED_INTERMEDIATE = issue("Intermediate 2", issuer=ROOT, end=-SECOND)

MISTAKES: dict[str, tuple[Callable[[], Files], dict[str, str], str, str, str]] = {
    "a file is missing": (
        lambda: (None, GOOD.key_pem()),
        {},
        *("fault", "certfile: No such file or directory", "Correct CRUDDUR_CERTFILE"),
    ),
    "it is no PEM": (
        lambda: (GOOD.certificate.tbs_certificate_bytes, GOOD.key_pem()),
        {},
        *("fault", "no certificate in ", "Set CRUDDUR_CERTFILE to a file with PEM certificates"),
    ),
    "there is no key": (
        lambda: (chain(GOOD), GOOD.pem),
        {},
        *("fault", "no private key in ", "Set CRUDDUR_KEYFILE"),
    ),
    "the key is another one": (
        lambda: (chain(GOOD), own().key_pem()),
        {},
        *("fault", "is not that of the certificate in", "files of the same certificate"),
    ),
    "the key is encrypted": (
        lambda: (chain(GOOD), GOOD.key_pem(b"a passphrase")),
        {},
        *("fault", "is encrypted with a passphrase", "openssl pkey -in"),
    ),
    "it has expired": (
        lambda: _with_chain(own(begin=-LATER, end=-SECOND)),
        {},
        *("fault", "it has expired on 20", "Renew it"),
    ),
    "it is not valid yet": (
        lambda: _with_chain(own(begin=timedelta(hours=1))),
        {},
        *("fault", "it is not valid before 20", "Check the clock"),
    ),
    "it expires soon": (
        lambda: _with_chain(own(begin=-LATER, end=timedelta(days=13, minutes=1))),
        {},
        *("warning", "it expires in 13.0 days", "Renew it"),
    ),
    "the intermediate has expired": (
        lambda: _with_chain(
            issue(HOST, names=(HOST,), issuer=EXPIRED_INTERMEDIATE, end=LATER),
            EXPIRED_INTERMEDIATE,
        ),
        {},
        *("fault", "the certificate of Intermediate 2 in its file has expired", "Renew it"),
    ),
    "the intermediate is missing": (
        lambda: (GOOD.pem, GOOD.key_pem()),
        {},
        *("warning", "it is signed by Intermediate 1, which is neither", "fullchain.pem"),
    ),
    "it is self-signed": (
        lambda: _alone(issue(HOST, names=(HOST,), end=LATER)),
        {},
        *("warning", "it is self-signed", "certificate of an authority"),
    ),
    "BACKEND_URL has another host": (
        lambda: _with_chain(GOOD),
        {"BACKEND_URL": "https://other.example"},
        *("fault", f"it is for {HOST}, and BACKEND_URL has other.example", "Set BACKEND_URL"),
    ),
    "BACKEND_URL is not set": (
        lambda: _with_chain(GOOD),
        {"BACKEND_URL": ""},
        *("warning", f"it is for {HOST}, and BACKEND_URL is not set", "Set BACKEND_URL"),
    ),
    "BACKEND_URL is that of http": (
        lambda: _with_chain(GOOD),
        {"BACKEND_URL": f"http://{HOST}"},
        *("fault", "but the service has a certificate", "Set BACKEND_URL to https://"),
    ),
    "the page has another host": (
        lambda: _with_chain(GOOD),
        {"FRONTEND_URL": "https://www.cruddur.example"},
        *("fault", "FRONTEND_URL has www.cruddur.example", "Set FRONTEND_URL"),
    ),
}


def _with_chain(one: Issued, intermediate: Issued = INTERMEDIATE) -> Files:
    return one.pem + intermediate.pem, one.key_pem()


def _alone(one: Issued) -> Files:
    return one.pem, one.key_pem()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_with_the_own_certificate(
    data: Path, tmp_path: Path, authorities: Path, mistake: str
) -> None:
    create, environment, outcome, message, advice = MISTAKES[mistake]
    finding = certificate_finding(data, tmp_path, authorities, create(), **environment)
    assert finding["outcome"] == outcome
    assert message in finding["message"]
    assert advice in finding["advice"]


def certificate_finding(
    data: Path, folder: Path, authorities: Path, files: Files, **environment: str
) -> dict[str, str]:
    """Write the files, and return the only finding about the certificate."""
    page = folder / "page"
    page.mkdir()
    (page / "index.html").touch()
    paths = [folder / "certfile", folder / "keyfile"]
    for path, content in zip(paths, files, strict=True):
        if content is not None:
            path.write_bytes(content)
            path.chmod(0o600)
    [finding] = [
        one
        for one in doctor(
            data,
            **{
                "CRUDDUR_CERTFILE": str(paths[0]),
                "CRUDDUR_KEYFILE": str(paths[1]),
                "CRUDDUR_FRONTEND_DIRECTORY": str(page),
                "BACKEND_URL": f"https://{HOST}",
                "SSL_CERT_FILE": str(authorities),
                **environment,
            },
        )
        if one["check"] == "certificate"
    ]
    return finding


def test_a_sound_certificate(data: Path, tmp_path: Path, authorities: Path) -> None:
    finding = certificate_finding(data, tmp_path, authorities, _with_chain(GOOD))
    assert (finding["outcome"], finding.get("advice")) == ("ok", None)
    assert finding["message"].startswith(f"it is for {HOST}, until 20")


def test_names_do_not_matter_behind_a_proxy(data: Path, tmp_path: Path, authorities: Path) -> None:
    settings = {"BACKEND_URL": "https://other.example", "CRUDDUR_TRUSTED_HOPS": "1"}
    finding = certificate_finding(data, tmp_path, authorities, _with_chain(GOOD), **settings)
    assert finding["outcome"] == "ok"


def test_a_key_that_everybody_can_read(data: Path, tmp_path: Path, authorities: Path) -> None:
    certificate = tmp_path / "both"
    certificate.write_bytes(chain(GOOD) + GOOD.key_pem())
    certificate.chmod(0o644)
    findings = doctor(
        data,
        CRUDDUR_CERTFILE=str(certificate),
        BACKEND_URL=f"https://{HOST}",
        SSL_CERT_FILE=str(authorities),
    )
    [finding] = [one for one in findings if one["check"] == "certificate"]
    assert finding["outcome"] == "warning"
    assert (
        f"every user of this machine can read the private key in {certificate}"
        in (finding["message"])
    )
    assert f"chmod 600 {certificate}" in finding["advice"]


# --- the other ends -----------------------------------------------------------------------


@contextmanager
def tls_server(certificate: Path, preface: int = 0) -> Iterator[int]:
    """Accept TLS connections on a port, and close each after its handshake.

    Args:
        certificate: the file of the certificate and its key.
        preface: the length of a request in the clear that is answered with S, as by PostgreSQL.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with conn:
                try:
                    if preface:
                        conn.recv(preface)
                        conn.sendall(b"S")
                    context.wrap_socket(conn, server_side=True).close()
                except OSError:
                    pass

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


POSTGRES_PREFACE = struct.calcsize("!ii")  # an SSLRequest

ENDS = {
    # check: the variable that names the host, and where authorities are named
    "database": ("CRUDDUR_DIRECT_URL", "sslrootcert of CRUDDUR_DIRECT_URL"),
    "pool": ("CONNECTION_URL", "sslrootcert of CONNECTION_URL"),
    "replica 1": ("CRUDDUR_READ_URLS", "sslrootcert of CRUDDUR_READ_URLS"),
    "OTLP": ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    "OTLP metrics": ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    "bus": ("CRUDDUR_BUS", "SSL_CERT_FILE"),
    "mail": ("SMTP_URL", "SSL_CERT_FILE"),
}


@pytest.mark.parametrize(
    ("certificate", "starttls", "message", "advice"),
    [
        pytest.param(
            issue("127.0.0.1", names=("127.0.0.1",)),
            True,
            "is not trusted: self",
            "Name the file with the certificate of its authority in {authorities}",
            id="not trusted",
        ),
        pytest.param(
            issue("127.0.0.1", names=("127.0.0.1",), issuer=ROOT, begin=-LATER, end=-SECOND),
            False,
            "has expired",
            "Renew it at {host} ({variable})",
            id="expired",
        ),
        pytest.param(
            issue("127.0.0.1", names=("127.0.0.1",), issuer=ROOT, begin=LATER, end=2 * LATER),
            False,
            "is not valid yet",
            "Correct the clock of this machine, or that of {host} ({variable})",
            id="not valid yet",
        ),
        pytest.param(
            issue("db.example", names=("db.example",), issuer=ROOT),
            True,
            "is for another name",
            "Name the host in {variable} as the certificate does",
            id="another name",
        ),
    ],
)
def test_a_certificate_of_another_end(
    data: Path,
    tmp_path: Path,
    authorities: Path,
    certificate: Issued,
    starttls: bool,
    message: str,
    advice: str,
) -> None:
    file = tmp_path / "server.pem"
    file.write_bytes(certificate.pem + certificate.key_pem())
    with ExitStack() as stack:
        postgres = f"127.0.0.1:{stack.enter_context(tls_server(file, POSTGRES_PREFACE))}"
        url = (
            f"postgresql://cruddur@{postgres}/cruddur?sslmode=verify-full&sslrootcert={authorities}"
        )
        other = stack.enter_context(tls_server(file))
        otlp = stack.enter_context(Sink(file)).url
        mail = stack.enter_context(mail_server(file)) if starttls else other
        findings = doctor(
            data,
            CONNECTION_URL=url,
            CRUDDUR_DIRECT_URL=url,
            CRUDDUR_READ_URLS=url,
            OTEL_EXPORTER_OTLP_ENDPOINT=otlp,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{otlp}/v1/traces",
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(authorities),
            CRUDDUR_BUS=f"rediss://127.0.0.1:{other}",
            SMTP_URL=f"smtp{'' if starttls else 's'}://127.0.0.1:{mail}",
            SSL_CERT_FILE=str(authorities),
        )
    found = {one["check"]: one for one in findings if one["check"] in ENDS}
    assert found.keys() == ENDS.keys()
    for check, (variable, named) in ENDS.items():
        finding, host = (
            found[check],
            postgres if check in {"database", "pool", "replica 1"} else "127.0.0.1",
        )
        assert finding["outcome"] == "fault"
        assert finding["message"].startswith(f"the certificate of {host} {message}"), check
        expected = advice.format(host=host, variable=variable, authorities=named)
        assert finding["advice"].startswith(expected), check


@contextmanager
def mail_server(certificate: Path) -> Iterator[int]:
    """Run a mail server with STARTTLS on a free port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = Controller(object(), hostname="127.0.0.1", port=free_port(), tls_context=context)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def test_a_trusted_certificate_of_another_end(
    data: Path, tmp_path: Path, authorities: Path
) -> None:
    issued = issue("127.0.0.1", names=("127.0.0.1",), issuer=ROOT)
    file = tmp_path / "server.pem"
    file.write_bytes(issued.pem + issued.key_pem())
    with Sink(file) as sink:
        findings = doctor(
            data,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(authorities),
        )
    [finding] = [one for one in findings if one["check"] == "OTLP"]
    assert finding["outcome"] == "ok"
