"""Private interfaces of libraries: each is known, recorded, bounded in version, and still there."""

import ast
import inspect
import re
import tomllib
from pathlib import Path

import pytest
import watchtower
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider

from fakes.otlp import OtlpSink

ROOT = Path(__file__).parents[2]
BACKEND = ROOT / "backend"
RECORD = (ROOT / "docs/decisions/0010-private-interfaces.md").read_text()

KNOWN = {
    "cruddur/edge/tracing.py": {"_get_otel_send", "_sem_conv_opt_in_mode"},
    "cruddur/process/hypercorn/http1.py": {"_check_protocol", "_close_stream", "_send_h11_event"},
    "cruddur/process/hypercorn/http2.py": {
        "_close_stream",
        "_complete",
        "_create_stream",
        "_flush",
        "_send_data",
        "_window_updated",
    },
    "cruddur/telemetry/__init__.py": {"_logs"},
    "cruddur/telemetry/cloudwatch.py": {"_submit_batch"},
    "cruddur/telemetry/otlp.py": {"_client", "_log_exporter", "_logs", "_metrics"},
}
"""Private names of libraries, by the module that uses them."""

PACKAGES = (
    "hypercorn",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-instrumentation-asgi",
    "opentelemetry-sdk",
    "watchtower",
)
DOCUMENTED = {"_exit", "_replace"}  # of os and of named tuples: public in spite of their names


def test_private_names_of_libraries_are_used_only_where_it_is_recorded() -> None:
    found = {}
    for path in sorted(BACKEND.rglob("*.py")):
        if names := _foreign_names(ast.parse(path.read_text())):
            found[path.relative_to(BACKEND).as_posix()] = names
    assert found == KNOWN
    for names in KNOWN.values():
        for name in names:
            assert f"`{name}`" in RECORD


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_with_private_interfaces_has_an_upper_bound(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(one for extra in extras for one in extra)]
    specifiers = [one for one in requirements if re.match(rf"{package}[^a-z-]", one)]
    assert specifiers
    assert all(re.search(r",<\d", one) for one in specifiers)
    assert package in RECORD


def test_the_exporter_of_spans_has_what_our_encoder_uses() -> None:
    with OtlpSink() as sink:
        exporter = OTLPSpanExporter(f"{sink.url}/v1/traces", meter_provider=NoOpMeterProvider())
        with exporter._metrics.export_operation(1) as operation:
            result = exporter._client.export(b"")
            operation.error = result.error
        assert (result.success, result.error) == (True, None)
        assert isinstance(result.reason, str)
        sink.mode = "401"
        refused = exporter._client.export(b"")
        assert (refused.success, refused.reason) == (False, "Unauthorized")
        exporter.shutdown()


def test_watchtower_sends_a_batch_as_we_call_it() -> None:
    parameters = inspect.signature(watchtower.CloudWatchLogHandler._submit_batch).parameters
    assert list(parameters) == ["self", "batch", "log_stream_name", "max_retries"]


def _foreign_names(tree: ast.Module) -> set[str]:
    """Private attributes and modules that the module uses and does not define."""
    nodes = list(ast.walk(tree))
    own = {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    own |= {node.id for node in nodes if isinstance(node, ast.Name)}
    own |= {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            used |= set((node.module or "").split("."))
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            used |= {part for alias in node.names for part in alias.name.split(".")}
    private = {name for name in used if name.startswith("_") and not name.startswith("__")}
    overridden = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "super()"
    }
    return (private - own - DOCUMENTED) | (private & overridden)
