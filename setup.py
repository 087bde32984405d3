"""Add the built page to the wheel: `make dist` builds the page first."""

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PAGE = Path(__file__).parent / "frontend-react-js" / "dist"


class BuildWithPage(build_py):
    """Build the packages, with the page in `cruddur/page`."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        if (PAGE / "index.html").is_file():
            target = Path(self.build_lib, "cruddur", "page")
            shutil.copytree(PAGE, target, dirs_exist_ok=True)
        else:
            print(
                f"{PAGE.relative_to(Path(__file__).parent)} has not been built, so this wheel has"
                " the API without the page: run `make dist`",
                file=sys.stderr,
            )


setup(cmdclass={"build_py": BuildWithPage})
