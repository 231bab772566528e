from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from feedbench.bench.options import values
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES


def test_a_folder_to_write_is_on_this_machine() -> None:
    assert values.path("--out", "runs/1") == Path("runs/1")
    with pytest.raises(RequestError, match="--out s3://b/r/: expected a name on this") as caught:
        values.path("--out", "s3://b/r/")
    assert caught.value.hint == "name a folder such as --out r"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1h1m1s", 3661),
        ("2m30s", 150),
        ("1h5s", 3605),
        ("0.5h", 1800),
        ("1.5m", 90),
        ("0s", 0),
    ],
)
def test_a_time_is_read_in_seconds(text: str, seconds: float) -> None:
    assert values.seconds("--time", text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "-1", "-5m", "5x", "m", "30m1h", "1h30", "5 m", "5M", ".5h", "1e3s"]
)
def test_what_is_no_time_is_refused_with_the_option_and_an_example(text: str) -> None:
    sentence = f"--time {text!r}: expected a time such as 90s, 5m or 1h"
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        values.seconds("--time", text)


@pytest.mark.parametrize("text", ["0", "5", "300", "1.5"])
def test_a_time_without_a_unit_is_asked_back_with_both_answers(text: str) -> None:
    question = f"--time {text}: {text}s or {text}m?"
    hint = f"hint: write --time {text}s for seconds, or --time {text}m for minutes"
    with pytest.raises(RequestError, match=f"^{re.escape(question)}\n{re.escape(hint)}$"):
        values.seconds("--time", text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("224", (224, 224)), ("180x240", (180, 240)), ("180X240", (180, 240)), ("1", (1, 1))],
)
def test_an_image_size_is_one_side_or_height_and_width(text: str, size: tuple[int, int]) -> None:
    assert values.image_size("--image-size", text) == size


@pytest.mark.parametrize(
    "text", ["", "224x", "x224", "-1", "224x224x3", "224 x 224", "224.5", "5%", "all"]
)
def test_what_is_no_image_size_is_refused_with_the_option_and_an_example(text: str) -> None:
    sentence = f"--image-size {text!r}: expected pixels such as 224, or HEIGHTxWIDTH"
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}"):
        values.image_size("--image-size", text)


@pytest.mark.parametrize(
    ("option", "choices", "expected"),
    [
        ("--channels", values.CHANNELS, [1, 3]),
        ("--dtype", values.DTYPES, ["float32", "float16", "bfloat16", "uint8"]),
        ("--layout", values.DATA_FORMATS, ["channels_last", "channels_first"]),
        ("--label-mode", values.LABEL_MODES, ["int", "categorical", "binary"]),
        ("--check", values.CHECKS, ["none", "header", "decode"]),
        ("--bad-images", values.BAD_IMAGES, ["error", "skip"]),
    ],
)
def test_one_of_a_few_words_is_read_and_another_is_refused_with_them_all(
    option: str, choices: Mapping[str, Any], expected: list[Any]
) -> None:
    assert [values.one_of(choices)(option, text) for text in choices] == expected
    for wrong in ("", "2", "float64", "INT", " int", "1.0"):
        with pytest.raises(
            RequestError, match=f"^{option} '{wrong}': expected .* or {expected[-1]}(\nhint: .+)?$"
        ):
            values.one_of(choices)(option, wrong)


def test_a_misspelt_word_gets_the_nearest_as_a_hint() -> None:
    with pytest.raises(RequestError) as refusal:
        values.one_of(values.DTYPES)("--dtype", "Float")
    assert refusal.value.hint == "did you mean float32?"


@pytest.mark.parametrize(
    ("text", "dtype", "value_range"),
    [
        (None, "float32", (0, 1)),
        (None, "uint8", (0, 255)),
        ("0..1", "float32", (0, 1)),
        ("-1..1", "float32", (-1, 1)),
        ("0..255", "float32", (0, 255)),
        ("0..255", "uint8", (0, 255)),
        ("tf", "float32", (-1, 1)),
    ],
)
def test_a_range_is_its_two_ends_and_0_to_255_for_uint8_if_nothing_is_said(
    text: str | None, dtype: str, value_range: tuple[float, float]
) -> None:
    asked = RunOptions.of({"range": text, "dtype": dtype}, Path("photos"))
    assert asked.value_range.bounds == value_range


@pytest.mark.parametrize(
    ("text", "name"), [("imagenet", "imagenet"), ("torch", "imagenet"), ("caffe", "caffe")]
)
def test_a_range_may_be_that_of_a_pretrained_model(text: str, name: str) -> None:
    asked = RunOptions.of({"range": text}, Path("photos"))
    assert asked.value_range.normalization == name


@pytest.mark.parametrize("text", ["", "0", "0..2", "1..0", "0-1", "0...1", "0..1.0", "[0, 1]"])
def test_what_is_no_range_is_refused_with_those_that_there_are(text: str) -> None:
    sentence = f"--range {text!r}: expected 0..1, -1..1, 0..255, imagenet, tf, caffe or torch"
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        values.one_of(RANGES)("--range", text)


@pytest.mark.parametrize("text", ["stretch", "crop", "crop=0.875", "crop=1", "pad"])
def test_a_fit_is_read_as_it_is_written(text: str) -> None:
    assert str(values.fit("--fit", text)) == text


@pytest.mark.parametrize(
    "text", ["", "Crop", "crop=", "crop=0", "crop=1.1", "crop=-1", "crop=nan", "pad=1", "pad=", "x"]
)
def test_what_is_no_fit_is_refused_with_those_that_there_are(text: str) -> None:
    sentence = (
        f"--fit {text!r}: expected stretch, crop, pad, or crop=SHARE with a share from 0.1 to 1"
    )
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}\nhint: crop=0.875 is "):
        values.fit("--fit", text)


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), ("2.5%", 0.025), ("5 %", 0.05), ("100%", 1.0), ("0%", 0.0)]
)
def test_a_share_is_read_from_percent(text: str, share: float) -> None:
    assert values.share("--margin", text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "5", "0.05", "%", "-5%", "5%%", "five%", "5x"])
@pytest.mark.parametrize("option", ["--margin", "--other"])
def test_what_is_no_share_is_refused_with_the_option_and_an_example(text: str, option: str) -> None:
    sentence = f"{option} {text!r}: expected a share such as 5%"
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        values.share(option, text)


@pytest.mark.parametrize(("text", "limit"), [("all", "all"), ("5", 5), ("0", 0)])
def test_a_limit_is_a_number_or_all(text: str, limit: int | Literal["all"]) -> None:
    assert values.limit("--limit", text) == limit


@pytest.mark.parametrize("text", ["", "-1", "5x", "5%", "1.5", "ALL", "1,000", "²"])
def test_what_is_no_limit_is_refused_with_the_option(text: str) -> None:
    sentence = f"--limit {text!r}: expected a number of images, or all"
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        values.limit("--limit", text)


@pytest.mark.parametrize(("text", "number"), [("4", 4), ("0", 0), ("-4", -4)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert values.whole_number("--blocks", text) == number


@pytest.mark.parametrize("text", ["", "many", "1.5", "5%", "1,000", "²"])
def test_what_is_no_whole_number_is_refused_with_the_option_as_it_was_typed(text: str) -> None:
    sentence = f"--feedbench-blocks {text!r}: expected a whole number"
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        values.whole_number("--feedbench-blocks", text)


def test_classes_are_read_as_names_between_commas() -> None:
    assert values.names("--classes", "cats,two words") == ("cats", "two words")
    assert values.names("--classes", '"a,b",c') == ("a,b", "c")
