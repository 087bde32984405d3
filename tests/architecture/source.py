"""Read the source for the architecture tests: modules with their imports, not executed."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "backend" / "cruddur"


@dataclass(frozen=True)
class Module:
    """A module of the package. `imports` has the full names that the module imports anywhere."""

    name: str
    path: Path
    tree: ast.Module
    imports: frozenset[str]

    def lies_in(self, *places: str) -> bool:
        """Return whether it is one of these modules, or in one of these packages."""
        return lies_in(self.name, *places)

    def uses(self, *places: str) -> set[str]:
        """Return what it imports of these modules and packages."""
        return {name for name in self.imports if lies_in(name, *places)}


def read_arrows(document: Path = ROOT / "docs" / "architecture.md") -> dict[str, list[str]]:
    """Return the drawn rooms in their order, each with the rooms that its arrow points to."""
    _, found, rest = document.read_text("utf-8").partition("<!-- rooms -->\n```text\n")
    assert found, "docs/architecture.md has no drawing of the rooms"
    arrows = {}
    for line in rest.partition("```")[0].splitlines():
        room, _, targets = line.partition("→")
        if "→" in line:
            names = re.split(r"\s{2,}", targets.strip())[0].split()
            arrows[f"cruddur.{room.strip()}"] = [f"cruddur.{name}" for name in names]
    return arrows


def lies_in(name: str, *places: str) -> bool:
    """Return whether a module is one of these modules, or in one of these packages."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


@cache
def read_modules(package: Path = PACKAGE) -> dict[str, Module]:
    """Return every module of a package by its name."""
    paths = {_name(package, path): path for path in sorted(package.rglob("*.py"))}
    modules = {}
    for name, path in paths.items():
        tree = ast.parse(path.read_text("utf-8"), filename=str(path))
        found = {one for node in ast.walk(tree) for one in _imported(node, set(paths))}
        modules[name] = Module(name, path, tree, frozenset(found))
    return modules


def _name(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(node: ast.AST, known: set[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute, so that they can be read here"
        base = node.module or ""
        # `from package import module` imports the module, `from module import name` its module.
        return [
            full if (full := f"{base}.{alias.name}") in known or "cruddur" not in base else base
            for alias in node.names
        ]
    return []
