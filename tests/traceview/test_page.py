"""The page, and its protection against other machines, users and origins."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from samples import Viewer, pack, span

import traceview

STATIC = Path(traceview.__file__).parent / "static"


@pytest.mark.parametrize("path", ["/", "/metrics", f"/trace/{'ab' * 16}", "/trace/unknown?x=1"])
async def test_every_address_serves_the_page(viewer: Viewer, path: str) -> None:
    answer = await viewer.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text):
        assert (await viewer.http.get(name)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/api/traces", "/api/metrics", "/nowhere"])
async def test_every_response_has_security_headers(viewer: Viewer, path: str) -> None:
    headers = (await viewer.http.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/api/traces/ab", 404),
        ("GET", "/v1/traces", 405),
        ("OPTIONS", "/v1/traces", 200),
    ],
)
async def test_other_requests_get_json_errors(
    viewer: Viewer, method: str, path: str, status: int
) -> None:
    answer = await viewer.http.request(method, path)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["error"]


def test_the_page_loads_nothing_external_and_inserts_only_text() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.", text), path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path
    assert "<script>" not in (STATIC / "index.html").read_text("utf-8")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_the_scripts_parse(path: Path) -> None:
    done = subprocess.run(
        ["node", "--input-type=module", "--check"], input=path.read_bytes(), capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4318", "localhost:4318", "localhost", "[::1]:4318", "127.8.9.10:1"]
)
async def test_requests_to_this_machine_are_served(viewer: Viewer, host: str) -> None:
    assert (await viewer.http.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:4318",
        "localhost.evil.example",
        "10.0.0.1:4318",
        "0.0.0.0:4318",
        "user@evil.example",
        "[::1",
        "",
    ],
)
async def test_a_foreign_host_name_is_rejected(viewer: Viewer, host: str) -> None:
    for method, path in (("GET", "/api/traces"), ("GET", "/"), ("POST", "/v1/traces")):
        answer = await viewer.http.request(method, path, headers={"host": host})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:4318", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1:3000", 403),
        ("null", 403),
    ],
)
async def test_requests_from_another_origin_are_rejected(
    viewer: Viewer, origin: str, status: int
) -> None:
    answer = await viewer.post("traces", pack(span(1)), origin=origin)
    assert answer.status_code == status
    assert (
        await viewer.http.delete("/api/traces", headers={"origin": origin})
    ).status_code == status
