"""What --model names, read without TensorFlow."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.networks.spec import network_names, parse_model


def test_a_course_network_brings_its_own_size_channels_and_label_mode() -> None:
    spec = parse_model("cats_dogs_cnn")
    assert (spec.kind, spec.image_size, spec.channels, spec.label_mode) == (
        "course",
        (150, 150),
        3,
        "binary",
    )
    assert parse_model("mnist_cnn").channels == 1
    assert parse_model("flowers_cnn").image_size == (180, 180)
    assert parse_model("cifar_cnn").image_size == (32, 32)


@pytest.mark.parametrize("text", ["mobilenet_v2", "MobileNetV2", "mobilenet-v2"])
def test_a_network_of_keras_has_its_name_in_either_spelling(text: str) -> None:
    spec = parse_model(text)
    assert (spec.name, spec.image_size) == ("mobilenet_v2", (224, 224))


def test_every_name_is_read_as_itself() -> None:
    assert [parse_model(name).name for name in network_names()] == [*network_names()]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("flower_cnn", "flowers_cnn"),
        ("MobileNetV4", "mobilenet"),
        ("resnet_50", "resnet50"),
        ("eficientnet_b0", "efficientnet_b0"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(text: str, near: str) -> None:
    if text == "resnet_50":
        assert parse_model(text).name == near
        return
    with pytest.raises(RequestError, match=f"--model {text}: there is no such network") as caught:
        parse_model(text)
    assert near in caught.value.hint


def test_a_name_like_no_other_gets_what_there_is() -> None:
    with pytest.raises(RequestError) as caught:
        parse_model("zzz")
    assert "flowers_cnn" in caught.value.hint
    assert "FILE.py:FUNCTION" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gone.py:build", "there is no file gone.py"),
        ("gone.keras", "there is no file gone.keras"),
        ("model.py", "expected FILE.py:FUNCTION"),
        ("model.py:two words", "found 'two words'"),
        ("model:build", "found 'model' before the colon"),
        ("model.h5", "expected a .keras file"),
        ("broken.keras", "cannot be read"),
    ],
)
def test_a_bad_model_is_refused_with_one_sentence(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text("")
    Path("broken.keras").write_text("no archive")
    with pytest.raises(RequestError) as caught:
        parse_model(text)
    assert sentence in caught.value.sentence


def test_a_file_next_to_here_is_what_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("")
    with pytest.raises(RequestError) as caught:
        parse_model("mine")
    assert caught.value.hint == "did you mean mine.py:build?"


@pytest.mark.parametrize(
    "config",
    [
        {"config": {"layers": [{"config": {"batch_shape": [None, 96, 120, 1]}}]}},
        {"build_config": {"input_shape": [None, 96, 120, 1]}},
    ],
)
def test_a_saved_model_brings_its_size(config: object, tmp_path: Path) -> None:
    file = tmp_path / "m.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    spec = parse_model(str(file))
    assert (spec.kind, spec.image_size, spec.channels) == ("saved", (96, 120), 1)


def test_weights_are_a_file_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"--weights gone.h5: there is no such file"):
        parse_model("mobilenet_v2", "gone.h5")
    text = tmp_path / "weights.txt"
    text.write_text("")
    with pytest.raises(RequestError, match="expected a file of Keras weights"):
        parse_model("mobilenet_v2", str(text))
    file = tmp_path / "mobilenet.h5"
    file.write_text("")
    assert parse_model("mobilenet_v2", str(file)).weights == str(file)
