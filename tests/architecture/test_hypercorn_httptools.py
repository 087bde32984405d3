"""The imports of hypercorn_httptools, which works without the service."""

from source import ROOT, read_modules

PACKAGE = ROOT / "backend" / "hypercorn_httptools"

LIBRARIES = ("h11", "httptools", "hypercorn")


def test_the_package_imports_its_three_libraries_and_the_standard_library_only() -> None:
    modules = read_modules(PACKAGE).values()
    imported = {name.partition(".")[0] for module in modules for name in module.imports}
    standard = {"collections", "dataclasses", "functools", "logging", "re", "sys", "typing"}
    assert imported == {*LIBRARIES, *standard, "hypercorn_httptools"}


def test_only_the_parser_of_the_head_imports_httptools() -> None:
    importers = [name for name, one in read_modules(PACKAGE).items() if one.uses("httptools")]
    assert importers == ["hypercorn_httptools.head"]


def test_the_service_imports_only_what_the_package_exports() -> None:
    used = {name for one in read_modules().values() for name in one.uses("hypercorn_httptools")}
    assert used == {"hypercorn_httptools.HTTPToolsProtocol", "hypercorn_httptools.missing_names"}
    assert not any(one.uses("httptools") for one in read_modules().values())
