"""Every list of settings in the repository is the one that follows from their declaration."""

import ast

import pytest
from settings_documents import CHART_SCHEMA, FILES, ROOT, written
from source import read_modules

from cruddur.settings import GROUPS, Settings, declared_variables


@pytest.mark.parametrize("name", [*FILES, CHART_SCHEMA])
def test_a_file_lists_the_settings_as_they_are_declared(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == written(name), "run `make settings`"


def test_every_setting_is_declared_once() -> None:
    names = [name for group in GROUPS.values() for name in group.__dataclass_fields__]
    assert sorted(names) == sorted(Settings.__dataclass_fields__)
    assert len(declared_variables()) == len(names)


def test_every_default_satisfies_its_declaration() -> None:
    assert Settings.from_env({}) == Settings()


def test_modules_do_not_pass_settings_to_each_other_through_the_environment() -> None:
    names = set(declared_variables())
    written_names = [
        f"{module.name}, line {node.lineno}: {node.slice.value}"
        for module in read_modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in names
        and ast.unparse(node.value) in {"os.environ", "environ"}
    ]
    assert written_names == []
