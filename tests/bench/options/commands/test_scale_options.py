"""What `feedbench scale` is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.options.commands.scale_options import ScaleOptions, options_of_scaling
from feedbench.pipelines.errors import RequestError


def given(**typed: Any) -> dict[str, Any]:
    return {option.name: None for option in options_of_scaling()} | typed


def refusal(**typed: Any) -> str:
    with pytest.raises(RequestError) as refused:
        ScaleOptions.of(given(**typed)).of_run(given(**typed), Path("photos"), begun=0.0)
    return refused.value.sentence


def test_numbers_are_read_in_ascending_order() -> None:
    asked = ScaleOptions.of(given(workers="4,1,2", cores="1, 2"))
    assert (asked.workers, asked.cores) == ((1, 2, 4), (1, 2))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0,1", "--workers 0,1: expected numbers from 1 to 64 such as 1,2,4; found '0'"),
        ("1,65", "--workers 1,65: expected numbers from 1 to 64 such as 1,2,4; found '65'"),
        ("1;2", "--workers 1;2: expected numbers from 1 to 64 such as 1,2,4; found '1;2'"),
        ("1,-2", "--workers 1,-2: expected numbers from 1 to 64 such as 1,2,4; found '-2'"),
        ("", "--workers : expected numbers from 1 to 64 such as 1,2,4; found ''"),
        (
            "2",
            "--workers 2: expected two different numbers at least, since one shows no growth",
        ),
        (
            "3,3",
            "--workers 3,3: expected two different numbers at least, since one shows no growth",
        ),
        (
            "1,2,3,4,5,6,7,8,9",
            (
                "--workers 1,2,3,4,5,6,7,8,9: expected 8 numbers at most, since each is a trial of"
                " every block; found 9"
            ),
        ),
    ],
)
def test_numbers_that_show_no_curve_are_refused(text: str, sentence: str) -> None:
    assert refusal(workers=text) == sentence


def test_without_numbers_there_is_nothing_to_measure() -> None:
    assert refusal() == (
        "expected numbers of workers or cores; there is neither --workers nor --cores"
    )


def test_one_pipeline_is_measured_at_a_time() -> None:
    sentence = refusal(cores="1,2", pipeline=["threads", "tfdata_naive"])
    assert sentence == "expected one pipeline, whose workers or cores vary; found 2"


def test_the_usual_pipeline_is_the_service_if_workers_are_counted() -> None:
    of_run = [
        ScaleOptions.of(typed).of_run(typed, Path("photos"), begun=0.0)
        for typed in (given(workers="1,2"), given(cores="1,2"))
    ]
    assert [each.specs for each in of_run] == [("tfdata_service",), ("tfdata_tuned:cache=none",)]
    assert (of_run[0].seconds, of_run[0].limit) == (600.0, 512)
