"""The imports of the trace explorer: its modules, and what each may use."""

import pytest
from source import ROOT, lies_in, read_modules

EXPLORER = ROOT / "backend" / "traceview"

# Each part, and the parts of the explorer that it may import.
PARTS = {
    "traceview.query": {"traceview.query"},
    "traceview.storage": {"traceview.model", "traceview.query.fields", "traceview.storage"},
    "traceview.explorer": {"traceview.query", "traceview.result", "traceview.storage.database"},
    "traceview.analysis": {"traceview.model", "traceview.waterfall"},
    "traceview.ranking": {"traceview.model", "traceview.storage.database"},
    "traceview.statement_text": set[str](),
    "traceview.difference": {
        *("traceview.difference", "traceview.query", "traceview.result"),
        "traceview.storage.database",
    },
    "traceview.client": {"traceview.query.model", "traceview.storage.database"},
    "traceview.result": {"traceview.query"},
    "traceview.log_lines": {
        *("traceview.explorer", "traceview.model", "traceview.query", "traceview.views"),
        *("traceview.storage.database", "traceview.storage.loader"),
    },
    "traceview.metric_catalog": {
        *("traceview.query", "traceview.storage.database", "traceview.views")
    },
    "traceview.model": set[str](),
    "traceview.store": {"traceview.model"},
    "traceview.otlp": {
        *("traceview.errors", "traceview.model", "traceview.otlp_json"),
        "traceview.otlp_protobuf",
    },
}

MAY_IMPORT = {
    "duckdb": ("traceview.storage",),
    "quart": (
        *("traceview.access", "traceview.app", "traceview.query_api", "traceview.receiver"),
        *("traceview.responses", "traceview.server", "traceview.trace_api"),
        "traceview.transfer_api",
    ),
    "click": (
        *("traceview.__main__", "traceview.client", "traceview.difference_command"),
        *("traceview.query_command", "traceview.server"),
    ),
    "google.protobuf": ("traceview.forwarding", "traceview.otlp", "traceview.otlp_protobuf"),
    "httpx": ("traceview.forwarding",),
    "hypercorn": ("traceview.server",),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_only_the_parts_below_it(part: str) -> None:
    modules = [module for module in read_modules(EXPLORER).values() if module.lies_in(part)]
    assert modules
    imported = {name for module in modules for name in module.uses("traceview")} - {"traceview"}
    assert {name for name in imported if not lies_in(name, *PARTS[part])} == set()


@pytest.mark.parametrize("library", MAY_IMPORT)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    importers = {module.name for module in read_modules(EXPLORER).values() if module.uses(library)}
    assert importers, f"{library} is not imported: remove it from the rule"
    assert {name for name in importers if not lies_in(name, *MAY_IMPORT[library])} == set()


def test_the_explorer_and_the_service_do_not_import_each_other() -> None:
    service = read_modules()
    assert {
        module.name for module in read_modules(EXPLORER).values() if module.uses("cruddur")
    } == set()
    assert {module.name for module in service.values() if module.uses("traceview")} == set()
