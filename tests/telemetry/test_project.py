"""Requirements H1 to H4 and P8: the registry, the extras, the network, and the samples."""

import asyncio
import re
import socket
import sys
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import asyncpg
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv import attributes as stable
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings, SettingsError
from cruddur.telemetry.logs import line_of
from cruddur.telemetry.pipeline import Telemetry
from cruddur.telemetry.registry import ATTRIBUTES, METRICS, SPANS
from support import Api, Member, serving
from telemetry.document import DOCUMENT, document
from telemetry.recorded import WAIT, Recorded, attributes

ROOT = Path(__file__).parents[2]


def stable_keys() -> set[str]:
    """The stable attributes of the semantic conventions, which are in force."""
    keys: set[str] = set()
    for info in iter_modules(stable.__path__):
        module = import_module(f"{stable.__name__}.{info.name}")
        source = Path(str(module.__file__)).read_text("utf-8")
        deprecated = set(re.findall(r"^(\w+): [^\n]*\n\"\"\"\nDeprecated", source, re.M))
        keys |= {
            value
            for name, value in vars(module).items()
            if name.isupper() and isinstance(value, str) and name not in deprecated
        }
    return keys


STABLE = stable_keys()
KNOWN = STABLE | set(ATTRIBUTES)
# Of the instrumentation of httpx, and stable: what it measures is its to say.
HTTP_METRICS = {"http.client.request.duration"}


def matches_a_name(span: ReadableSpan) -> bool:
    """Whether the registry has a span of that name and kind."""
    for known in SPANS:
        pattern = re.escape(known.name)
        for placeholder in ("METHOD", "OPERATION"):
            pattern = pattern.replace(rf"\{{{placeholder}\}}", "[A-Z]+")
        pattern = pattern.replace(r"\{rule\}", r"/\S*").replace(r"\{host\}", r"[\w.-]+")
        pattern = pattern.replace(r"\{kind\}", r"\w+")
        pattern = pattern.replace(r"\{area\}\.\{statement\}", r"\w+\.\w+")
        if re.fullmatch(pattern, span.name) and span.kind.name == known.kind:
            return True
    return span.kind.name == "SERVER" and re.fullmatch("[A-Z]+", span.name) is not None


async def _live(api: Api, database: asyncpg.Connection, app: Quart) -> None:
    """Use every kind of request of the service."""
    worf = await Member.enter(api, database, app, "worf", "Worf")
    andrew = await Member.enter(api, database, app, "andrewbrown", "Andrew Brown")
    crud = await worf.crud("#klingons @andrewbrown")
    await andrew.reply(crud["uuid"])
    await andrew.put(f"/api/activities/{crud['uuid']}/like")
    await andrew.message("worf")
    for path in (
        "/api/activities/home?limit=2&odd=1",
        "/api/activities/@worf",
        "/api/activities/search?term=klingons",
        "/api/activities/notifications",
        "/api/activities/notifications/counter",
        "/api/message_groups",
        "/api/trending",
        "/api/nowhere",
        "/trial/fail",
        "/trial/background?fail",
    ):
        await worf.http.get(path, headers=worf.headers)
    draft = {"email": "jadzia@example.com", "password": "symbiont-4-ever", "handle": "jadzia"}
    await api.post("/api/auth/signup", {**draft, "display_name": "Jadzia"})
    await api.post("/api/auth/signin", {"email": "jadzia", "password": "x" * 12}, expect=401)
    await worf.delete(f"/api/activities/{crud['uuid']}")


async def test_H1_and_S7_no_span_carries_an_unregistered_name_or_key(
    traced: Api, traced_app: Quart, recorded: Recorded, database: asyncpg.Connection
) -> None:
    await _live(traced, database, traced_app)
    await recorded.until(lambda r: "trial job" in [s.name for s in r.spans])
    seen = {key for span in recorded.spans for key in attributes(span)}
    seen |= {key for span in recorded.spans for e in span.events for key in e.attributes or {}}
    assert len(seen) > 25
    assert seen - KNOWN == set()
    resource = recorded.spans[0].resource.attributes
    assert set(resource) - KNOWN == set()
    ours = [span for span in recorded.spans if not span.name.startswith("trial")]
    assert [span.name for span in ours if not matches_a_name(span)] == []


async def test_H1_no_metric_is_unregistered_and_all_of_ours_are_there(
    traced: Api, traced_app: Quart, database: asyncpg.Connection, reader: InMemoryMetricReader
) -> None:
    await _live(traced, database, traced_app)
    data = reader.get_metrics_data()
    assert data is not None
    found = {
        metric.name: metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    others = {name for name in set(found) - set(METRICS) if not name.startswith("otel.sdk.")}
    assert others <= HTTP_METRICS
    assert "otel.sdk.span.started" in found
    for name in ("app.cruds.created", "app.messages.sent", "db.client.connection.count"):
        assert name in found
    for name, metric in found.items():
        if name in METRICS:
            assert metric.unit == METRICS[name].unit
            keys = {key for point in metric.data.data_points for key in point.attributes or {}}
            assert keys <= set(METRICS[name].attributes), name
        else:
            keys = {key for point in metric.data.data_points for key in point.attributes or {}}
            assert {key for key in keys if not key.startswith("otel.")} <= STABLE, name


async def test_H1_no_log_line_carries_an_unregistered_field(
    traced: Api,
    traced_app: Quart,
    database: asyncpg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="cruddur")
    await _live(traced, database, traced_app)
    fields = {key for record in caplog.records for key in line_of(record).fields}
    assert "http.route" in fields
    assert fields - KNOWN == set()


def test_H1_the_documented_tables_are_the_registry() -> None:
    assert DOCUMENT.read_text("utf-8") == document(DOCUMENT.read_text("utf-8")), (
        "run: make registry"
    )


def test_H1_no_registered_key_is_a_stable_one_already() -> None:
    assert set(ATTRIBUTES) & STABLE == set()


def test_H2_the_base_install_has_neither_aws_nor_rollbar() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = " ".join(project["dependencies"])
    locked = (ROOT / "requirements" / "prod.txt").read_text("utf-8")
    for package in ("boto3", "botocore", "rollbar", "watchtower"):
        assert package not in base
        assert f"\n{package}==" not in locked
    assert any(name.startswith("boto3") for name in project["optional-dependencies"]["aws"])
    assert any(n.startswith("rollbar") for n in project["optional-dependencies"]["rollbar"])


@pytest.mark.parametrize(
    ("package", "extra", "change"),
    [
        ("rollbar", "rollbar", {"rollbar_access_token": "token"}),
        ("watchtower", "aws", {"cloudwatch_log_group": "cruddur"}),
        ("boto3", "aws", {"xray_exporter": "api"}),
    ],
)
def test_H2_a_sink_without_its_extra_is_reported_at_the_start(
    worker_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    extra: str,
    change: dict[str, str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=rf'{package} is not installed: .*"{extra}"'):
        Telemetry(replace(worker_settings, **change))


def test_H3_the_tests_reach_only_this_machine() -> None:
    with socket.socket() as outwards, pytest.raises(OSError, match="loopback"):
        outwards.connect(("192.0.2.1", 80))


@pytest.mark.parametrize(("ratio", "rate"), [("0.5", 2), ("0.25", 4)])
async def test_P8_a_sampled_trace_is_complete_and_has_its_rate(
    settings: Settings, ratio: str, rate: int
) -> None:
    exporter = InMemorySpanExporter()
    settings = replace(
        settings, traces_sampler="parentbased_traceidratio", traces_sampler_arg=float(ratio)
    )
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    async with serving(create_app(settings, telemetry)) as api:
        kept = []
        for _ in range(60):
            # The token is invalid, but it prevents caching: each request has the same spans.
            headers = {"Authorization": "none"}
            response = await api.request("GET", "/api/activities/home", headers=headers)
            _, trace_id, _, flags = response.headers["traceresponse"].split("-")
            if int(flags, 16) & 1:
                kept.append(int(trace_id, 16))
    # On a busy machine even a free connection may be waited for, which is one span more.
    spans = [span for span in Recorded(exporter).spans if span.name != WAIT]
    assert 0 < len(kept) < 60
    assert {span.context.trace_id for span in spans} == set(kept)
    assert len(spans) == 3 * len(kept), "server, home-activities, SELECT: all of them or none"
    assert {attributes(span)["SampleRate"] for span in spans} == {rate}


async def test_P8_a_disabled_sdk_records_nothing_and_still_returns_ids(
    settings: Settings,
) -> None:
    settings = replace(settings, sdk_disabled="true", otlp_endpoint="http://127.0.0.1:1")
    telemetry = Telemetry(settings)
    async with serving(create_app(settings, telemetry)) as api:
        response = await api.request("GET", "/api/activities/home")
        await asyncio.sleep(0)
    assert telemetry.health() == []
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[02]", response.headers["traceresponse"])
