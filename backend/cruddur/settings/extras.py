"""Name the command that installs an optional dependency."""

from pathlib import Path


def install_hint(*extras: str) -> str:
    """Return the command that installs extras of this package: in a clone, or elsewhere."""
    clone = Path(__file__).parents[3]
    if (clone / "Makefile").is_file() and (clone / "requirements").is_dir():
        names = " ".join(extra for extra in extras if extra != "embedded")
        return f'make run EXTRAS="{names}"' if names else "make run"
    names = ",".join(extras)
    return f"pip install 'cruddur[{names}]', or build the image with them in EXTRAS"
