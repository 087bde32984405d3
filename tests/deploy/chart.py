"""Lint the Helm chart, and validate what it renders: `python tests/deploy/chart.py`.

The files in the chart's folder `ci` are the variants: what has to be given, and every option. Each
is validated against the schemas of the oldest and the newest supported version of Kubernetes.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "cruddur"
VARIANTS = {path.stem: path for path in sorted((CHART / "ci").glob("*.yaml"))}
VERSIONS = ("1.30", "1.37")
"""The `kubeVersion` of the chart, and the newest version whose schemas are installed."""

Manifest = dict[str, Any]


def find_helm() -> str | None:
    """Return the path of the program that `make check` has found or unpacked."""
    unpacked = ROOT / ".local" / "helm" / "helm"
    return str(unpacked) if unpacked.exists() else shutil.which("helm")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm, without the configuration of the user."""
    program = find_helm()
    assert program is not None
    environment = {"HOME": str(ROOT / ".local" / "helm")}
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, env=environment
    )


def lint(values: Path) -> subprocess.CompletedProcess[str]:
    """Lint the chart with these values; warnings count as errors."""
    return helm("lint", "--strict", "--quiet", str(CHART), "--values", str(values))


def template(values: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Render the chart for a release named `demo`."""
    return helm("template", "demo", str(CHART), "--values", str(values), *options)


def render(values: Path, *options: str) -> list[Manifest]:
    """Return the manifests that the chart renders, hooks included.

    Raises:
        AssertionError: the chart cannot be rendered with these values.
    """
    rendered = template(values, *options)
    assert rendered.returncode == 0, rendered.stderr
    return [document for document in yaml.safe_load_all(rendered.stdout) if document]


def errors(manifest: Manifest) -> Iterator[str]:
    """Yield where a manifest differs from Kubernetes' schemas; unknown fields are errors.

    A kind of another API group, which an operator defines, has no schema there.
    """
    if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            yield f"{manifest['kind']} (Kubernetes {version}): {path}: {error.message}"


def main() -> int:
    """Check every variant; return the exit code."""
    if find_helm() is None:
        print("helm was not found: the chart is not checked")
        return 0
    found: list[str] = []
    for values in VARIANTS.values():
        linted = lint(values)
        if linted.returncode:
            found.append(linted.stdout + linted.stderr)
            continue
        found += [error for manifest in render(values) for error in errors(manifest)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
