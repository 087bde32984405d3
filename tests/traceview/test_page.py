"""The page, and its protection against other machines, users and origins."""

import asyncio
import contextlib
import os
import re
import select
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import Struct
from samples import TRACE, Viewer, line, pack, span

import traceview
from traceview import names, query_api, useful_queries, views
from traceview.app import create_app
from traceview.difference.model import Bin, Difference, KeyDifference, Share
from traceview.forwarding import ForwardStatus
from traceview.query import form
from traceview.query.printer import Parts
from traceview.query.sql import Column
from traceview.ranking import Peers, Ranking
from traceview.result import Result
from traceview.storage.file import FileStatus
from traceview.storage.saved_queries import SavedQuery
from traceview.transfer_api import Upload

STATIC = Path(traceview.__file__).parent / "static"


@pytest.mark.parametrize(
    "path", ["/", "/logs?q=x", "/metrics", f"/trace/{'ab' * 16}", "/trace/unknown?x=1"]
)
async def test_every_address_serves_the_page(viewer: Viewer, path: str) -> None:
    response = await viewer.http.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "trusted-types 'none'" in policy
    assert "unsafe" not in policy
    for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text):
        assert (await viewer.http.get(name)).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=0-4", 206, slice(0, 5)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=0-99999999", 206, slice(0, None)),
        ("bytes=-10", 206, slice(-10, None)),
        ("bytes=-99999999", 206, slice(0, None)),
        ("bytes=99999999-", 416, None),
        ("bytes=3-2", 416, None),
    ],
)
async def test_a_part_of_a_file_is_served(
    viewer: Viewer, wanted: str, status: int, part: slice | None
) -> None:
    whole = (await viewer.http.get("/static/app.js")).content
    response = await viewer.http.get("/static/app.js", headers={"Range": wanted})
    assert response.status_code == status
    if part is not None:
        assert response.content == whole[part]
        first, *_ = range(len(whole))[part]
        ends = f"{first}-{first + len(response.content) - 1}"
        assert response.headers["content-range"] == f"bytes {ends}/{len(whole)}"


async def test_a_file_that_is_no_longer_wanted_while_it_is_opened_is_closed(tmp_path: Path) -> None:
    """As when the client disconnects. A file that is left open causes a ResourceWarning."""
    file = tmp_path / "app.js"
    os.mkfifo(file)  # a thread that opens it to read waits for a thread that opens it to write
    body = create_app().response_class.file_body_class(file)
    opened = asyncio.ensure_future(body.__aenter__())
    writer = None
    while writer is None:
        await asyncio.sleep(0)
        with contextlib.suppress(OSError):  # no thread opens the file yet
            writer = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
    opened.cancel()
    await asyncio.wait([opened])
    closed = select.poll()
    closed.register(writer, select.POLLERR)
    await asyncio.to_thread(closed.poll)
    os.close(writer)


@pytest.mark.parametrize("path", ["/healthz", "/api/traces", "/api/metrics", "/nowhere"])
async def test_every_response_has_security_headers(viewer: Viewer, path: str) -> None:
    headers = (await viewer.http.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
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
    response = await viewer.http.request(method, path)
    assert response.status_code == status
    if status != 200:
        assert response.json()["error"]


def test_the_page_loads_nothing_external_and_inserts_only_text() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.", text), path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), path
    assert "<script>" not in (STATIC / "index.html").read_text("utf-8")


PARSE = """
const { readFileSync } = require("node:fs");
const { SourceTextModule } = require("node:vm");
const modules = process.argv.slice(1).map((path) =>
    new SourceTextModule(readFileSync(path, "utf-8"), { identifier: path }));
console.log(modules.length);
"""
"""Parse the modules in the arguments, and print how many there are."""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
def test_the_scripts_parse() -> None:
    paths = [str(path) for path in sorted(STATIC.glob("*.js"))]
    command = ["node", "--no-warnings", "--experimental-vm-modules", "--eval", PARSE, *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) == len(paths) > 0


def test_the_wire_types_of_the_scripts_are_those_of_the_api() -> None:
    text = (STATIC.parent / "wire.d.ts").read_text("utf-8")
    declared = {
        name: re.findall(r"^  (\w+): ", body, re.MULTILINE)
        for name, body in re.findall(r"^export interface (\w+) {\n(.*?)^}", text, re.M | re.S)
    }
    structs = {
        name: list(struct.__struct_fields__)
        for module in (views, names, form, query_api, useful_queries)
        for name, struct in vars(module).items()
        if isinstance(struct, type)
        and issubclass(struct, Struct)
        and struct.__module__ == module.__name__
    }
    for struct in (
        *(FileStatus, SavedQuery, Result, Column, Parts, Peers, Ranking, Upload),
        *(Difference, KeyDifference, Share, Bin, ForwardStatus),
    ):
        structs[struct.__name__] = list(struct.__struct_fields__)
    assert declared == structs


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
        response = await viewer.http.request(method, path, headers={"host": host})
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("viewer.example:4318", 200),
        ("VIEWER.example", 200),
        ("10.0.0.1:4318", 200),
        ("[fd00::1]:4318", 200),
        ("localhost:4318", 200),
        ("evil.example", 403),
        ("viewer.example.evil.example", 403),
        ("10.0.0.1.evil.example", 403),
        ("viewer.example@evil.example", 403),
        ("", 403),
    ],
)
async def test_other_machines_need_an_address_or_a_configured_name(host: str, status: int) -> None:
    app = create_app(allow_remote=True, host_names={"viewer.example"})
    response = await app.test_client().get("/api/traces", headers={"host": host})
    assert response.status_code == status


async def test_a_configured_name_does_not_open_other_addresses() -> None:
    client = create_app(host_names={"viewer.example"}).test_client()
    for host, status in (("viewer.example", 200), ("10.0.0.1", 403), ("127.0.0.1", 200)):
        response = await client.get("/healthz", headers={"host": host})
        assert response.status_code == status


@pytest.mark.parametrize(
    ("site", "mode", "destination", "status"),
    [
        ("same-origin", "cors", "empty", 200),
        ("none", "navigate", "document", 200),
        ("cross-site", "navigate", "document", 200),  # a link
        ("same-site", "navigate", "document", 200),  # from another port of this machine
        ("cross-site", "navigate", "iframe", 403),
        ("cross-site", "no-cors", "script", 403),
        ("same-site", "no-cors", "image", 403),
        ("same-site", "cors", "empty", 403),
    ],
)
async def test_foreign_pages_can_only_link_here(
    viewer: Viewer, site: str, mode: str, destination: str, status: int
) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    response = await viewer.http.get("/api/traces", headers=headers)
    assert response.status_code == status
    if site.endswith("-site"):
        assert (await viewer.http.delete("/api/traces", headers=headers)).status_code == 403
        assert (await viewer.post("traces", pack(span(1)), **headers)).status_code == 403


async def test_no_get_request_changes_anything(viewer: Viewer) -> None:
    await viewer.send(span(1))
    await viewer.log(line("kept"))
    app = create_app()
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = [re.sub("<[^>]+>", TRACE, rule.rule) for rule in rules]
    assert "/api/traces" in paths

    async def state() -> list[object]:
        shown = ("/healthz", "/api/traces", f"/api/traces/{TRACE}", "/api/metrics")
        return [(await viewer.http.get(path)).json() for path in shown]

    before = await state()
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS"):
            response = await viewer.http.request(method, f"{path}?method=DELETE&_method=DELETE")
            assert response.status_code < 500
    assert await state() == before


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
    response = await viewer.post("traces", pack(span(1)), origin=origin)
    assert response.status_code == status
    assert (
        await viewer.http.delete("/api/traces", headers={"origin": origin})
    ).status_code == status
