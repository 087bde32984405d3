"""Texts that no file of the repository may hold, and the reason that every exception needs."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from source import PACKAGE, ROOT

# Written so that no expression matches itself.
FORBIDDEN = {
    "a package registry's address": re.compile(
        r"https?://[\w.:@/-]*(?:pypi\.|pythonhosted\.|npmjs\.|yarnpkg\.|jsr\.io|registry[.:-]"
        r"|artifactory|nexus[.:/])"
        r"|--(?:extra-)?index-url[ =]|--find-links[ =]|^\s*(?:index-url|registry)\s*=",
        re.IGNORECASE | re.MULTILINE,
    ),
    "a document of another place": re.compile(
        r"\b(?:contract|decision|item|issue),? (?:[AB]\.)?[0-9]{1,3}\b|\bthe issu[e]'s\b",
        re.IGNORECASE,
    ),
    "a path of one machine": re.compile(r"(?<![\w.$}])/(?:home|Users)/\w+/"),
    "what looks like a secret": re.compile(
        r"BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]"
        r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
        r"|\bgh[pousr]_[A-Za-z0-9]{36}"
        r"|\bxox[abprs]-[\w-]{10}"
        r"|\bpypi-AgE[\w-]{20}"
        r"|\bsk-[A-Za-z0-9-]{20}"
        r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"
    ),
}
EXCEPTION = re.compile(r"#\s*(?:noqa|type: ignore|pragma)\b")
BARE_IMPORT = re.compile(r"^(?:from|import) (\w+)\b(?!\.)", re.MULTILINE)
EXPLAINED = re.compile(r"#\s*(?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[\w, -]+\])  # \w")


def _files() -> list[Path]:
    """Return every text file that is tracked or not ignored."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("without git nobody knows which files belong to the repository")
    listed = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    return [
        path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()
    ]


def _text(path: Path) -> str:
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _files()
        for match in FORBIDDEN[what].finditer(_text(path))
    ]
    assert found == []


def test_every_document_that_a_file_names_exists() -> None:
    files = _files()
    known = {path.name for path in files}
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        if path.name != "package-lock.json"
        for name in re.findall(r"\b[\w-]+\.md\b", _text(path))
        if name not in known
    ]
    assert missing == []


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for path in _files():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", _text(path)):
            name, _, anchor = target.partition("#")
            document = path.parent / name if name else path
            headings = re.findall(r"^#+ (.+)$", _text(document), re.M) if document.is_file() else []
            slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            if not document.exists() or (anchor and anchor not in slugs):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def test_no_file_contains_the_path_of_the_repository() -> None:
    if len(ROOT.parts) <= 2:
        pytest.skip("a short place, as an image has, is also an ordinary word in its files")
    assert [path for path in _files() if str(ROOT) in _text(path)] == []


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(PACKAGE.parent.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if EXCEPTION.search(line) and not EXPLAINED.search(line)
    ]
    assert bare == []


def test_no_two_folders_of_tests_have_a_module_of_the_same_name() -> None:
    """pytest puts the folder of each test on the path, so the folder that is first would win."""
    tests = list((ROOT / "tests").rglob("test_*.py"))
    folders = {path.parent for path in tests}
    names = Counter(path.name for path in tests) + Counter(
        f"{name}.py"
        for name in {
            name
            for path in (ROOT / "tests").rglob("*.py")
            for name in BARE_IMPORT.findall(path.read_text("utf-8"))
        }
        for folder in folders
        if (folder / f"{name}.py").is_file()
    )
    assert [name for name, count in names.items() if count > 1] == []
