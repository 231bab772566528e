"""Which features hold the image and the label. No TensorFlow."""

from __future__ import annotations

import pytest

from feedbench.bench.tfrecords.features import (
    Feature,
    image_in,
    image_key,
    label_in,
    label_key,
    refuse_not_encoded,
)
from feedbench.pipelines.errors import RequestError

JPEG = Feature("bytes", [b"\xff\xd8\xff and more"])
TIFF = Feature("bytes", [b"II*\x00 and more"])
RAW = Feature("bytes", [bytes(784)])
TEXT = Feature("bytes", [b"daisy"])
ONE = Feature("int64", [1])
TWO = Feature("int64", [1, 2])
HALF = Feature("float", [0.5])

TF_SLIM = {
    "image/encoded": JPEG,
    "image/class/label": ONE,
    "image/class/text": TEXT,
    "image/height": ONE,
    "image/format": TEXT,
}


@pytest.mark.parametrize(
    ("features", "image", "label"),
    [
        ({"image_raw": JPEG, "label": ONE}, "image_raw", "label"),
        ({"image": JPEG, "label": ONE, "file": TEXT, "height": ONE}, "image", "label"),
        ({"x": JPEG, "y": ONE}, "x", "y"),
        ({"x": JPEG, "y": TEXT}, "x", "y"),
        ({"x": JPEG, "y": TEXT, "weights": HALF, "mask": TWO}, "x", "y"),
        (TF_SLIM, "image/encoded", "image/class/label"),
    ],
)
def test_the_only_candidate_or_the_usual_name_is_taken(
    features: dict[str, Feature], image: str, label: str
) -> None:
    assert image_key(features, None) == image
    assert label_key(features, None, image) == label


def test_a_name_that_is_given_wins() -> None:
    assert image_key({"a": JPEG, "b": JPEG}, "b") == "b"
    assert label_key(TF_SLIM, "image/class/text", "image/encoded") == "image/class/text"


@pytest.mark.parametrize(
    ("features", "sentence", "hint"),
    [
        ({"a": JPEG, "b": JPEG}, "several features with an image: a, b", "--image-key a"),
        (
            {"a": RAW, "y": ONE},
            "found a (one bytes value), y (one int64 value)",
            "tf.io.encode_png",
        ),
        ({"a": HALF}, "found a (one float value)", "tf.io.encode_png"),
        ({}, "found no features", "tf.io.encode_png"),
    ],
)
def test_without_one_candidate_for_the_image_a_sentence_lists_the_features(
    features: dict[str, Feature], sentence: str, hint: str
) -> None:
    with pytest.raises(RequestError) as refused:
        image_key(features, None)
    assert sentence in refused.value.sentence
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        ({"x": JPEG, "y": ONE, "z": ONE}, "several features that may be the label; found"),
        ({"x": JPEG, "y": HALF, "z": TWO}, "no label of one value; found"),
    ],
)
def test_without_one_candidate_for_the_label_the_hint_names_the_option(
    features: dict[str, Feature], sentence: str
) -> None:
    with pytest.raises(RequestError) as refused:
        label_key(features, None, "x")
    assert sentence in refused.value.sentence
    assert "z (" in refused.value.sentence
    assert "--label-key" in refused.value.hint


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (HALF, "expected one label, an int64 or a text; found one float value"),
        (TWO, "found 2 int64 values"),
        (Feature("int64", []), "found nothing"),
        (Feature("bytes", [b""]), "expected a label of 1 to 200 bytes; found 0"),
        (RAW, "expected a label of 1 to 200 bytes; found 784"),
    ],
)
def test_labels_that_are_not_one_number_or_text_are_refused(label: Feature, words: str) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        label_in({"y": label}, "y")
    assert refused.value.hint


def test_a_record_without_the_label_is_refused() -> None:
    with pytest.raises(RequestError, match=r"y: expected one label.*found nothing"):
        label_in({"x": JPEG}, "y")


def test_a_wrong_key_lists_the_features() -> None:
    with pytest.raises(RequestError, match=r"--image-key img: .* found image \(one bytes value\)"):
        image_key({"image": JPEG}, "img")


@pytest.mark.parametrize(
    ("feature", "words"),
    [(RAW, "784 bytes that begin like no image"), (TIFF, "TIFF, which TensorFlow does not decode")],
)
def test_bytes_that_no_pipeline_decodes_are_refused(feature: Feature, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        refuse_not_encoded(image_in({"x": feature}, "x"), "x")


@pytest.mark.parametrize("feature", [ONE, HALF, Feature("bytes", [b"a", b"b"])])
def test_an_image_is_one_bytes_value(feature: Feature) -> None:
    with pytest.raises(RequestError, match="expected an encoded image"):
        image_in({"x": feature}, "x")
