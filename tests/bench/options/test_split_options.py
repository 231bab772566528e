"""--validation and --subset, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError


def of(**given: str) -> RunOptions:
    return RunOptions.of(given, Path())


@pytest.mark.parametrize("text", ["20%", "0.2", ".2", "20 %", "20.0%"])
def test_a_share_may_be_in_percent_or_a_fraction(text: str) -> None:
    assert of(validation=text).validation == 0.2


@pytest.mark.parametrize("text", ["0%", "100%", "0", "1", "1.5", "120%", "-20%", "some", ""])
def test_nothing_and_all_are_no_share(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        of(validation=text)
    assert str(refused.value) == (
        f"--validation {text}: expected a share of more than 0% and less than 100%, such as 20% or"
        " 0.2"
    )


def test_a_number_of_percent_without_its_sign_gets_a_hint() -> None:
    with pytest.raises(RequestError, match=r"\nhint: write --validation 20%$"):
        of(validation="20")


def test_without_a_share_there_is_no_split() -> None:
    assert (of().validation, of().subset) == (None, None)
    assert of(validation="20%", subset="validation").subset == "validation"


def test_a_part_is_named_once() -> None:
    with pytest.raises(RequestError, match="--subset training: expected no --part test"):
        of(subset="training", part="test")
    both = of(subset="training", part="test", validation="20%")  # the part test is split
    assert (both.part, both.subset) == ("test", "training")
