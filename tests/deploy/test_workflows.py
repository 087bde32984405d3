"""The workflows of GitHub are pinned, have few rights, and call targets that exist.

`make check` also lints them with zizmor. No test runs them on GitHub.
"""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SIGNING = {"id-token": "write", "attestations": "write"}

# Jobs with rights beyond reading, and all that they may do.
RIGHTS = {
    "release.yml": {
        "distributions": {"contents": "read", **SIGNING},
        "images": {"contents": "read", "packages": "write", **SIGNING},
        "chart": {"contents": "read", "packages": "write", **SIGNING},
        "pypi": {"id-token": "write"},
        "release": {"contents": "write"},
    }
}

each_workflow = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def read(path: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return workflow


RELEASE = read(ROOT / ".github" / "workflows" / "release.yml")


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def script(job: str, name: str) -> str:
    [found] = [step for step in RELEASE["jobs"][job]["steps"] if step.get("name") == name]
    assert found["shell"] == "bash", "only then a failure within a pipe is one"
    return str(found["run"])


def run(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does, in the root of the repository."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=environment.pop("cwd", str(ROOT)), env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@each_workflow
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text("utf-8"))
    assert used
    assert [each for each in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d[\d.]*", each)] == []


def test_an_action_has_the_same_commit_everywhere() -> None:
    used = {one for path in FILES for one in re.findall(r"uses: (.+)", path.read_text("utf-8"))}
    names = [one.partition("@")[0] for one in used]
    assert sorted(names) == sorted(set(names))


@each_workflow
def test_a_job_has_only_the_rights_that_it_needs(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    granted = {
        name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job
    }
    assert granted == RIGHTS.get(path.name, {})
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_only_a_tag_can_publish() -> None:
    # YAML reads the key `on` as true.
    triggers = {path.name: read(path)[True] for path in FILES}
    assert triggers["release.yml"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    assert not [name for name, one in triggers.items() if "pull_request_target" in one]


@each_workflow
def test_every_job_ends(path: Path) -> None:
    assert all(job["timeout-minutes"] <= 90 for job in read(path)["jobs"].values())


@each_workflow
def test_every_target_of_make_exists(path: Path) -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    called = re.findall(
        r"\bmake ([a-z-]+)", "\n".join(one.get("run", "") for one in steps(read(path)))
    )
    assert set(called) <= set(targets)


def test_the_release_is_published_when_everything_has_been_built() -> None:
    jobs = RELEASE["jobs"]
    builds = {"distributions", "images", "chart"}
    assert builds <= set(jobs["pypi"]["needs"])
    assert builds | {"pypi"} <= set(jobs["release"]["needs"])
    assert jobs["pypi"]["environment"] == "pypi"
    [publish] = [step for step in jobs["pypi"]["steps"] if "pypi-publish" in step["uses"]]
    assert "password" not in publish.get("with", {}), "trusted publishing has no token"
    assert {"run": "make dist"} in jobs["distributions"]["steps"]


def test_images_are_for_two_platforms_and_have_provenance_and_a_list_of_parts() -> None:
    used = {
        step["uses"].partition("@")[0]: step["with"]
        for step in RELEASE["jobs"]["images"]["steps"]
        if "with" in step
    }
    build = used["docker/build-push-action"]
    assert build["file"] == "Dockerfile.prod"
    assert build["platforms"].split(",") == ["linux/amd64", "linux/arm64"]
    assert build["provenance"] == "mode=max"
    assert build["build-contexts"] == "${{ steps.bases.outputs.contexts }}"
    arguments = set(re.findall(r"^(\w+)=", build["build-args"], re.MULTILINE))
    declared = re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile.prod").read_text(), re.MULTILINE)
    assert arguments == set(declared)
    assert used["anchore/sbom-action"]["format"] == "cyclonedx-json"
    assert "actions/attest" in used


def test_a_tag_that_is_not_the_version_is_refused() -> None:
    text = script("distributions", "Compare the tag with the version")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert run(text, GITHUB_REF_NAME=f"v{version}").returncode == 0
    refused = run(text, GITHUB_REF_NAME=f"v{version}.1")
    assert refused.returncode == 1
    assert f"the tag is v{version}.1" in refused.stderr


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A client of a registry that has a digest for each image, and none for `node:unknown`."""
    program = tmp_path / "docker"
    program.write_text(
        "#!/bin/sh\n"
        'for last; do :; done; case "$last" in node:unknown) exit 1;; esac\n'
        'printf "sha256:%064d\\n" "$(printf %s "$last" | wc -c)"\n'
    )
    program.chmod(0o755)
    return tmp_path


def test_a_release_builds_on_the_digest_of_each_base(docker: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    (tmp_path / "Dockerfile.prod").write_text((ROOT / "Dockerfile.prod").read_text("utf-8"))
    ran = _resolve(docker, tmp_path, output)
    assert ran.returncode == 0, ran.stderr
    first, *contexts, last = output.read_text().splitlines()
    assert (first, last) == ("contexts<<END", "END")
    bases = re.findall(r"^FROM .*?(\w+:\S+)", (ROOT / "Dockerfile.prod").read_text(), re.MULTILINE)
    assert len(bases) == 2
    for base, context in zip(bases, contexts, strict=True):
        assert re.fullmatch(rf"{base}=docker-image://{base}@sha256:[0-9a-f]{{64}}", context)


def test_a_base_without_a_digest_stops_the_release(docker: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.prod").write_text("FROM node:unknown AS page\nFROM python:3.14\n")
    assert _resolve(docker, tmp_path, tmp_path / "output").returncode != 0
    assert not (tmp_path / "output").exists()


def test_the_audits_read_every_lock_and_only_warn() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "audit.yml")["jobs"]
    assert all(job["continue-on-error"] for job in jobs.values())
    [audit] = [one["with"] for one in jobs["python"]["steps"] if "pip-audit" in one.get("uses", "")]
    pinned = {
        path.name: set(re.findall(r"^(\S+==\S+)", path.read_text("utf-8"), re.MULTILINE))
        for path in (ROOT / "requirements").glob("*.txt")
        # The peers of benchmarks, and the package that is used for the program in it.
        if path.name not in {"bench.txt", "bench-overrides.txt", "helm.txt"}
    }
    read_by_it = {Path(name).name for name in audit["inputs"].split()}
    assert set().union(*pinned.values()) == set().union(*(pinned[name] for name in read_by_it))
    template = ROOT / "deploy" / "template" / "requirements"
    for path in template.glob("*.txt"):
        versions = set(re.findall(r"^(\S+==\S+)", path.read_text("utf-8"), re.MULTILINE))
        assert versions <= pinned["dev.txt"], "make lock writes both with the same versions"
    locks = {
        str(path.parent.relative_to(ROOT))
        for path in ROOT.rglob("package-lock.json")
        if not {"node_modules", ".local"} & set(path.parts)
    }
    assert set(jobs["npm"]["strategy"]["matrix"]["directory"]) == locks


def test_the_bot_updates_every_kind_of_lock() -> None:
    updates = read(ROOT / ".github" / "dependabot.yml")["updates"]
    kinds = {one["package-ecosystem"] for one in updates}
    assert kinds == {"docker", "docker-compose", "github-actions", "npm", "pip"}
    for one in updates:
        for directory in one.get("directories", [one.get("directory")]):
            assert (ROOT / directory.strip("/")).is_dir()


def _resolve(docker: Path, cwd: Path, output: Path) -> subprocess.CompletedProcess[str]:
    path = f"{docker}:{os.environ['PATH']}"
    text = script("images", "Resolve the base images to digests")
    return run(text, PATH=path, GITHUB_OUTPUT=str(output), cwd=str(cwd))
