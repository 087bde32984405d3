"""The grammar of texts and the characters that are not seen."""

import json
import re
import sys
from pathlib import Path

import pytest
import regex

from cruddur.services.text import fold_tag, pointers
from cruddur.wire import VISIBLE_PATTERN

CASES = Path(__file__).with_name("cases.json")
SIGNS = {"link": "", "tag": "#", "mention": "@"}


@pytest.mark.rule("C80", "C81", "C82")
def test_links_tags_and_mentions_are_those_of_the_cases() -> None:
    """Vitest checks the page's grammar with the same cases (tests/text/rich.test.ts there)."""
    rules = json.loads(CASES.read_text("utf-8"))
    expected = {text: words for cases in rules.values() for text, words in cases}
    found = {text: [SIGNS[kind] + word for kind, word in pointers(text)] for text in expected}
    assert found == expected


def test_a_folded_tag_is_the_same_for_every_form_of_it() -> None:
    for form in ("É", "é", "E\u0301", "e\u0301"):
        assert fold_tag(f"caf{form}") == "café"


def test_the_characters_that_are_not_seen_are_those_of_unicode() -> None:
    every = "".join(map(chr, range(1, sys.maxunicode + 1)))
    visible = VISIBLE_PATTERN.removeprefix(r"^[^\x00]*").removesuffix(r"[^\x00]*$")
    unseen = regex.findall(r"[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\u2800]", every)
    assert set(every) - set(re.findall(visible, every)) == set(unseen)
