"""`cruddur serve` with a certificate: TLS and HTTP/2 without a proxy."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from PIL import Image

from certificates import certificate_and_key, self_signed
from live.listening import Listener
from pictures import file
from processes import cruddur
from support import Member
from telemetry.serving import Served, served


def client(service: Served, certificate: Path, *, http2: bool) -> httpx.AsyncClient:
    """Return a client that trusts the certificate, with one connection."""
    return httpx.AsyncClient(
        base_url=service.url,
        verify=ssl.create_default_context(cafile=certificate),
        http1=not http2,
        http2=http2,
        limits=httpx.Limits(max_connections=1),
        trust_env=False,
    )


def presented(service: Served) -> bytes:
    """Return the certificate that a new connection gets."""
    return ssl.get_server_certificate(("127.0.0.1", service.port)).encode()


@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
async def test_a_client_chooses_the_protocol(
    dsn: str, tmp_path: Path, http2: bool, version: str
) -> None:
    certificate = self_signed(tmp_path)
    with served(dsn, tmp_path, "--certfile", str(certificate)) as service:
        async with client(service, certificate, http2=http2) as http:
            response = await http.get("/api/activities/home")
            assert (response.status_code, response.http_version) == (200, version)
        assert f"Cruddur: https://localhost:{service.port}/docs" in service.text


async def test_a_stream_an_upload_and_twenty_reads_share_a_connection(
    dsn: str, tmp_path: Path, andrew: Member
) -> None:
    certificate = self_signed(tmp_path)
    picture = file(Image.effect_noise((900, 900), 80))
    with served(dsn, tmp_path, CRUDDUR_CERTFILE=str(certificate)) as service:
        async with (
            client(service, certificate, http2=True) as http,
            http.stream("GET", "/api/stream", headers=andrew.headers) as stream,
        ):
            listener = Listener(stream.headers, stream.aiter_lines())
            await listener.place()
            upload = http.post("/api/pictures", content=picture, headers=andrew.headers)
            reads = [http.get(f"/api/activities/home?limit={n}") for n in range(1, 21)]
            responses = await asyncio.gather(upload, *reads)
            assert [response.status_code for response in responses] == [200] * 21
            crud = await http.post(
                "/api/activities", json={"message": "hi", "ttl": "1-day"}, headers=andrew.headers
            )
            [event] = await listener.receive("crud")
            assert event["uuid"] == crud.json()["uuid"]


async def test_a_replaced_certificate_is_for_new_connections(
    dsn: str, tmp_path: Path, andrew: Member
) -> None:
    certfile, keyfile = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    first, second = certificate_and_key(), certificate_and_key()
    certfile.write_bytes(first[0])
    keyfile.write_bytes(first[1])
    files = {"CRUDDUR_CERTFILE": str(certfile), "CRUDDUR_KEYFILE": str(keyfile)}
    with served(dsn, tmp_path, workers=2, **files) as service:
        assert presented(service) == first[0]
        async with (
            client(service, certfile, http2=True) as http,
            http.stream("GET", "/api/stream", headers=andrew.headers) as stream,
        ):
            listener = Listener(stream.headers, stream.aiter_lines())
            await listener.place()
            certfile.write_bytes(second[0])  # its key is not there yet
            service.until(lambda: service.text.count("the server keeps its certificate") == 2)
            assert presented(service) == first[0]
            keyfile.write_bytes(second[1])
            service.until(lambda: service.text.count("the server has a new certificate") == 2)
            assert presented(service) == second[0]
            crud = await andrew.crud()
            [event] = await listener.receive("crud")
            assert event["uuid"] == crud["uuid"]


def test_files_that_cannot_be_used_are_one_line(tmp_path: Path) -> None:
    (one, one_key), (_, other_key) = certificate_and_key(), certificate_and_key()
    missing, certfile, keyfile = (tmp_path / name for name in ("missing", "one", "other"))
    certfile.write_bytes(one)
    keyfile.write_bytes(other_key)
    locked = tmp_path / "locked"
    locked.write_bytes(
        load_pem_private_key(one_key, None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase")
        )
    )
    for files, problem in (
        ({"CRUDDUR_KEYFILE": keyfile}, "CRUDDUR_KEYFILE needs CRUDDUR_CERTFILE"),
        ({"CRUDDUR_CERTFILE": missing}, f"cannot read {missing}: No such file or directory"),
        ({"CRUDDUR_CERTFILE": keyfile}, f"no certificate in {keyfile}"),
        ({"CRUDDUR_CERTFILE": certfile}, f"no private key in {certfile}"),
        (
            {"CRUDDUR_CERTFILE": certfile, "CRUDDUR_KEYFILE": keyfile},
            f"the key in {keyfile} is not that of the certificate in {certfile}",
        ),
        (
            {"CRUDDUR_CERTFILE": certfile, "CRUDDUR_KEYFILE": locked},
            f"the key in {locked} is encrypted",
        ),
    ):
        variables = {name: str(path) for name, path in files.items()}
        ended = cruddur(tmp_path / "data", "serve", **variables)
        assert (ended.returncode, ended.stdout) == (1, "")
        [line] = ended.stderr.splitlines()
        assert line.startswith("cruddur: ")
        assert problem in line
