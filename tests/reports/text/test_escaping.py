from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.reports.text.escaping import no_formula, visible


@pytest.mark.parametrize("text", ["", "a label", "한국어 🐈", "tfdata_tuned:cache=none", "é"])
def test_a_text_without_control_characters_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_control_character_is_shown_by_its_number_and_a_line_break_as_a_space() -> None:
    assert visible("a\x1b[31m\x00\x7f\x9bz") == r"a\x1b[31m\x00\x7f\x9bz"
    assert visible("a\nb\r\nc\td") == "a b  c d"


def test_half_a_pair_which_no_file_could_hold_is_shown_by_its_number() -> None:
    assert visible("a\udc80") == r"a\udc80"


@given(st.text(st.characters(codec=None)))
def test_whatever_is_shown_can_be_written_and_holds_no_line_break(text: str) -> None:
    assert not {chr(code) for code in (*range(32), *range(127, 160))} & set(visible(text))
    visible(text).encode()


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(text: str) -> None:
    assert no_formula(text) == f"'{visible(text)}"
    assert no_formula(f"a{text}") == visible(f"a{text}")
