"""How the interpreter of `cruddur` is tuned for its start and its exit."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc
from cruddur.process.runtime import exit_without_collection, importing

class Cycle:
    def __init__(self):
        self.itself = self

    def __del__(self):
        print("collected")

"""


def _run(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("program", "printed"), [("", ["collected"]), ("exit_without_collection()", [])]
)
def test_garbage_is_not_collected_at_the_exit(program: str, printed: list[str]) -> None:
    assert _run(f"{program}\nCycle()") == printed


def test_garbage_is_not_collected_while_modules_are_imported() -> None:
    printed = _run(
        "with importing():\n"
        "    print(gc.isenabled())\n"
        "    module = [[] for _ in range(1000)]\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 1000)\n"
    )
    assert printed == ["False", "True True"]
