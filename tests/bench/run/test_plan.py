"""What is refused before anything is written: labels that cannot be, and too short a time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.run.budget import Cost
from feedbench.bench.run.plan import refuse_label_mode, refuse_no_block, refuse_too_short
from feedbench.pipelines.errors import RequestError
from tests.support.plans import GUESS, an_index, options

COSTS = st.builds(Cost, st.floats(1e-5, 0.5), st.floats(0.0, 20.0), st.booleans())


def test_binary_labels_are_taken_for_two_classes_alone() -> None:
    binary = options(label_mode="binary")
    refuse_label_mode(binary, an_index(classes=2))
    for classes, words in ((1, "1 class"), (3, "3 classes")):
        sentence = (
            f"--label-mode binary: expected 2 classes; /photos has {words}\n"
            "hint: use --label-mode int or categorical"
        )
        with pytest.raises(RequestError, match=f"^{sentence}$"):
            refuse_label_mode(binary, an_index(classes=classes))


@pytest.mark.parametrize("mode", ["int", "categorical"])
def test_other_labels_are_taken_for_any_number_of_classes(mode: str) -> None:
    for classes in (1, 2, 3):
        refuse_label_mode(options(label_mode=mode), an_index(classes=classes))


@given(COSTS, st.integers(1, 5), st.sampled_from([None, "all", 50]))
def test_the_time_that_is_advised_is_accepted(guess: Cost, count: int, limit: Any) -> None:
    specs = tuple(map(str, range(count)))
    with pytest.raises(RequestError) as caught:
        refuse_too_short(options(seconds=1.0, specs=specs, limit=limit), an_index(), guess)
    sentence = re.search(
        r"expected at least (\d+)s, and (\d+)s for the 4 blocks", str(caught.value)
    )
    assert sentence is not None
    block, four = map(float, sentence.groups())
    for seconds in (block, four):
        refuse_too_short(options(seconds=seconds, specs=specs, limit=limit), an_index(), guess)
    with pytest.raises(RequestError):  # it was no more than needed
        refuse_too_short(options(seconds=block - 1, specs=specs, limit=limit), an_index(), guess)
    assert four > block


def test_no_time_is_too_short_where_there_is_no_limit_on_it() -> None:
    refuse_too_short(options(seconds=None), an_index(), Cost(1e6))
    refuse_no_block(options(seconds=None), an_index(), [Cost(1e6)], None)


def test_what_the_pilots_have_shown_may_make_the_time_too_short_after_all() -> None:
    refuse_no_block(options(seconds=60.0), an_index(), [GUESS] * 2, 40.0)
    with pytest.raises(RequestError, match="--time 60s is too short for one block of 2 pipelines"):
        refuse_no_block(options(seconds=60.0), an_index(), [Cost(0.5)] * 2, 40.0)
