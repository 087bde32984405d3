"""The unit of systemd is valid, and its sandbox is tight. No test runs it under systemd."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cruddur.settings import declared_variables

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "cruddur.service"

EXPOSURE = 15
"""The highest exposure, in tenths. A service without a sandbox has 96."""

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_unit_is_valid(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    programs = str(Path(sys.executable).parent)
    unit.write_text(UNIT.read_text().replace("/opt/cruddur/bin", programs))
    found = analyze("verify", "--man=no", str(unit))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_sandbox_is_tight() -> None:
    found = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", str(UNIT))
    assert found.returncode == 0, found.stdout


def test_the_unit_sets_variables_of_the_service() -> None:
    names = re.findall(r"(?:^Environment=| )([A-Z_]+)=", UNIT.read_text(), re.MULTILINE)
    assert "CONNECTION_URL_FILE" in names
    assert {name.removesuffix("_FILE") for name in names} <= set(declared_variables())
