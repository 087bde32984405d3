"""The imports of every module are the arrows that docs/architecture.md draws."""

import ast
import importlib
import pkgutil
from graphlib import CycleError, TopologicalSorter

import pytest
from source import PACKAGE, lies_in, read_arrows, read_modules

import cruddur.db
from cruddur.app import BLUEPRINTS
from cruddur.db.statements import Statement, statement_names

ARROWS = read_arrows()

# A module of a lower room that only these modules of a higher room import.
EXCEPTIONS = {
    ("cruddur.edge", "cruddur.db"): {"cruddur.edge.positions", "cruddur.edge.response_cache"},
    ("cruddur.routes", "cruddur.db"): {"cruddur.routes.endpoint", "cruddur.routes.error_handlers"},
}

# Only the modules that compose the application may import the pipeline and its sinks.
WIRING = (
    "cruddur.app",
    "cruddur.asgi",
    "cruddur.cli",
    "cruddur.doctor",
    "cruddur.edge.layers",
    "cruddur.process",
    "cruddur.resources",
    "cruddur.telemetry",
)
PIPELINE = (
    "cruddur.telemetry.logs",
    "cruddur.telemetry.otlp",
    "cruddur.telemetry.pipeline",
    "cruddur.telemetry.rollbar",
    "cruddur.telemetry.sinks",
    "cruddur.telemetry.xray",
)

MAY_IMPORT = {
    "quart": ("cruddur.app", "cruddur.process", "cruddur.routes"),
    "quart_cors": ("cruddur.app",),
    "werkzeug": ("cruddur.routes", "cruddur.edge"),
    "asyncpg": ("cruddur.db",),
    "httpx": (
        "cruddur.doctor.certificate",  # the authorities that clients know
        "cruddur.identity",
        "cruddur.http_client",
        "cruddur.picture_stores.opening",
        "cruddur.picture_stores.s3",
        "cruddur.public_web",
        "cruddur.resources",
        "cruddur.telemetry.http_calls",
        "cruddur.telemetry.pipeline",
    ),
    "hypercorn": ("cruddur.edge.layers", "cruddur.process.hypercorn", "cruddur.process.server"),
    "hypercorn_httptools": ("cruddur.process.hypercorn",),
    "PIL": ("cruddur.pictures.color", "cruddur.pictures.conversion"),
    "opentelemetry.sdk": ("cruddur.telemetry",),
    "opentelemetry.exporter": ("cruddur.telemetry.otlp",),
    "opentelemetry.instrumentation": ("cruddur.edge", "cruddur.telemetry"),
    "boto3": ("cruddur.telemetry.sink_clients",),
    "redis": ("cruddur.live.redis",),
    "rollbar": ("cruddur.telemetry.rollbar",),
    "watchtower": ("cruddur.telemetry.cloudwatch",),
}

ONLY_ROUTES = {"health"}  # it has no rule and no table
WITHOUT_TABLE = {"telemetry"}


def test_every_module_is_in_a_room_that_is_drawn() -> None:
    outside = [name for name in read_modules() if name != "cruddur" and room_of(name) is None]
    assert outside == [], "draw these modules or their room in docs/architecture.md"
    assert [name for name in ARROWS if not any(lies_in(one, name) for one in read_modules())] == []


def room_of(name: str) -> str | None:
    """Return the most specific drawn room that a module is in."""
    rooms = [room for room in ARROWS if lies_in(name, room)]
    return max(rooms, key=len) if rooms else None


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_imports_exactly_the_rooms_that_its_arrows_point_to(room: str) -> None:
    imported: dict[str, set[str]] = {}
    for module in read_modules().values():
        if room_of(module.name) == room:
            for name in module.uses("cruddur") - {"cruddur"}:
                imported.setdefault(room_of(name) or name, set()).add(module.name)
    imported.pop(room, None)
    assert sorted(imported) == sorted(ARROWS[room])
    for (source, target), importers in EXCEPTIONS.items():
        if source == room:
            assert imported[target] == importers


def test_every_arrow_points_down() -> None:
    order = list(ARROWS)
    for room, targets in ARROWS.items():
        assert {one for one in targets if order.index(one) <= order.index(room)} == set(), room


def test_only_the_wiring_imports_the_telemetry_pipeline() -> None:
    importers = {module.name for module in read_modules().values() if module.uses(*PIPELINE)}
    assert {name for name in importers if not lies_in(name, *WIRING)} == set()


@pytest.mark.parametrize("library", MAY_IMPORT)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    importers = {module.name for module in read_modules().values() if module.uses(library)}
    assert importers, f"{library} is not imported: remove it from the rule"
    assert {name for name in importers if not lies_in(name, *MAY_IMPORT[library])} == set()


def test_there_are_no_circular_imports() -> None:
    graph = {
        module.name: {name for name in module.imports if name in read_modules()} - {"cruddur"}
        for module in read_modules().values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_the_settings_read_the_environment() -> None:
    readers = {module.name for module in read_modules().values() if _reads_environment(module.tree)}
    assert {name for name in readers if not lies_in(name, "cruddur.settings")} == set()


def _reads_environment(tree: ast.Module) -> bool:
    written = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in {"environ", "environb", "getenv", "getenvb"}
        and id(node) not in written
        for node in ast.walk(tree)
    ) or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and {alias.name for alias in node.names} & {"environ", "environb", "getenv", "getenvb"}
        for node in ast.walk(tree)
    )


SQL_METHODS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare", "cursor"}


def test_only_the_database_layer_sends_sql() -> None:
    calls = [
        f"{module.name}, line {node.lineno}: {ast.unparse(node)}"
        for module in read_modules().values()
        if not module.lies_in("cruddur.db")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SQL_METHODS
    ]
    assert calls == []


# The endpoint opens the unit of work of a handler. These modules open their own, because what they
# write counts although the call fails, or because they hold no connection while they wait for
# something slow: a hash, a picture, another service.
MAY_COMMIT = (
    "cruddur.cli",
    "cruddur.db",
    "cruddur.identity.api_tokens",
    "cruddur.identity.authenticator",
    "cruddur.identity.cognito",
    "cruddur.identity.local",
    "cruddur.identity.rotation",
    "cruddur.identity.passkeys",
    "cruddur.identity.second_factors",
    "cruddur.picture_stores.database",
    "cruddur.routes.avatars",
    "cruddur.services.accounts",
    "cruddur.services.activities",
    "cruddur.services.crud_pictures",
    "cruddur.services.email_changes",
    "cruddur.services.previews",
    "cruddur.services.reports",
    "cruddur.services.unit_of_work",
)


def test_only_the_endpoint_commits_the_work_of_a_handler() -> None:
    committing = {
        module.name
        for module in read_modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"transaction", "writing"}
    }
    assert {name for name in committing if not lies_in(name, *MAY_COMMIT)} == set()
    assert {
        name for name in MAY_COMMIT if not any(lies_in(one, name) for one in committing)
    } == set()


def test_every_statement_is_loaded_by_exactly_one_name_and_every_name_is_used() -> None:
    loaded: list[str] = []
    for info in pkgutil.iter_modules(cruddur.db.__path__):
        module = read_modules()[f"cruddur.db.{info.name}"]
        reads = [node.id for node in ast.walk(module.tree) if _is_read(node)]
        for name, value in vars(importlib.import_module(module.name)).items():
            statements = [value] if isinstance(value, Statement) else value
            if not isinstance(statements, list | tuple):
                continue
            names = [one.name for one in statements if isinstance(one, Statement)]
            loaded += names
            assert not names or name in reads, f"{module.name}.{name} is never used"
    assert sorted(loaded) == statement_names()


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


@pytest.mark.parametrize("area", [area.name for area in BLUEPRINTS])
def test_an_area_has_the_same_name_in_every_layer(area: str) -> None:
    assert f"cruddur.routes.{area}" in read_modules()
    if area in ONLY_ROUTES:
        return
    assert f"cruddur.services.{area}" in read_modules()
    if area in WITHOUT_TABLE:
        return
    assert f"cruddur.db.{area}" in read_modules()
    sql = PACKAGE / "db" / "sql"
    assert (sql / area).is_dir() or (sql / f"{area}.sql").is_file()
