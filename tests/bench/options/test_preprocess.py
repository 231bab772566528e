"""--preprocess: the values and the size that a network takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.run_options import RunOptions
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES
from feedbench.pipelines.preprocessing import PREPROCESSINGS


def of(**given: str) -> RunOptions:
    return RunOptions.of({name.replace("_", "-"): text for name, text in given.items()}, Path())


@pytest.mark.parametrize(
    ("name", "values", "size"),
    [
        ("mobilenet", "tf", 224),
        ("mobilenet_v2", "tf", 224),
        ("resnet50", "caffe", 224),
        ("vgg16", "caffe", 224),
        ("densenet121", "torch", 224),
        ("inception_v3", "tf", 299),
        ("efficientnet", "0..255", 224),
        ("efficientnet_b3", "0..255", 300),
        ("EfficientNetB3", "0..255", 300),
        ("nasnet_large", "tf", 331),
    ],
)
def test_a_network_gives_the_values_and_the_size(name: str, values: str, size: int) -> None:
    options = of(preprocess=name)
    assert options.value_range == RANGES[values]
    assert options.image_size == (size, size)


def test_another_size_can_be_given_with_it() -> None:
    assert of(preprocess="inception_v3", image_size="96").image_size == (96, 96)
    assert of(preprocess="inception_v3", range="tf").value_range == RANGES["tf"]  # the same values


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            {"preprocess": "mobilnet_v2"},
            (
                "--preprocess 'mobilnet_v2': expected a network of keras.applications, such as"
                " mobilenet_v2, resnet50 or vgg16\nhint: did you mean mobilenet_v2?"
            ),
        ),
        (
            {"preprocess": "vgg16", "range": "0..1"},
            (
                "--range 0..1: expected no --range with --preprocess vgg16, whose values are"
                " caffe\nhint: leave one of the two out"
            ),
        ),
        (
            {"preprocess": "mobilenet", "dtype": "uint8"},
            (
                "--preprocess mobilenet: expected 0..255 with --dtype uint8; its values are -1..1\n"
                "hint: leave --preprocess out, or use --dtype float32"
            ),
        ),
        (
            {"preprocess": "vgg16", "channels": "1"},
            (
                "--preprocess vgg16: its mean is of red, green and blue, and --channels is 1\n"
                "hint: use --channels 3, or leave --preprocess out"
            ),
        ),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, str], error: str) -> None:
    with pytest.raises(RequestError) as refused:
        of(**given)
    assert str(refused.value) == error


def test_bytes_are_what_a_network_with_its_own_rescaling_takes() -> None:
    assert of(preprocess="efficientnet", dtype="uint8").value_range == RANGES["0..255"]


def test_every_network_has_a_size_that_can_be_delivered() -> None:
    for name in PREPROCESSINGS:
        assert of(preprocess=name).image_size == PREPROCESSINGS[name].image_size
