"""What `feedbench train` reads of what is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.commands.fit_options import (
    DEFAULT_SPECS,
    FitOptions,
    options_of_training,
)
from feedbench.bench.options.option import Given
from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError


def of_run(**given: str) -> RunOptions:
    typed: Given = {name.replace("_", "-"): text for name, text in given.items()}
    return FitOptions.of(typed).of_run(typed, Path("photos"))


def test_what_was_not_typed_is_what_the_model_takes() -> None:
    options = of_run(model="mnist_cnn")
    assert (options.image_size, options.channels, options.label_mode) == ((28, 28), 1, "int")
    assert of_run(model="cats_dogs_cnn").label_mode == "binary"
    assert of_run(model="inception_v3").image_size == (299, 299)


def test_what_was_typed_counts_more() -> None:
    options = of_run(model="mnist_cnn", image_size="32x40", channels="3", label_mode="categorical")
    assert options.image_size == (32, 40)
    assert (options.channels, options.label_mode) == (3, "categorical")


def test_all_images_are_trained_on_without_a_limit_of_time() -> None:
    options = of_run(model="flowers_cnn")
    assert (options.limit, options.seconds, options.specs) == ("all", None, DEFAULT_SPECS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "there is no --model"),
        ({"model": "flower_cnn"}, "there is no such network"),
        ({"model": "flowers_cnn", "epochs": "0"}, "--epochs 0: expected 1 or more"),
        ({"model": "flowers_cnn", "repeats": "0"}, "--repeats 0: expected 1 or more"),
        ({"model": "flowers_cnn", "epochs": "many"}, "expected a whole number"),
        ({"model": "flowers_cnn", "seed": "2147483647", "repeats": "2"}, "expected seeds up to"),
    ],
)
def test_a_bad_request_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        of_run(**given)
    assert words in caught.value.sentence


def test_the_options_have_different_names_and_none_is_about_measuring() -> None:
    names = [option.name for option in options_of_training()]
    assert len(names) == len({*names})
    assert not {"time", "blocks", "margin", "page-cache", "trace", "against"} & {*names}
