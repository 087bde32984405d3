"""The table of settings in the documentation is the settings."""

import re
from dataclasses import fields
from pathlib import Path

from cruddur.settings import Settings

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_table_lists_every_setting_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\| (.*) \|$", OPERATIONS.read_text(), re.M)
    expected = [
        (item.metadata["variable"], item.metadata["default"], item.metadata["meaning"])
        for item in fields(Settings)
    ]
    assert rows == expected
