"""Models that suit a workload, and what is refused of those that do not. With real Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.networks.fitted import fitted_model
from feedbench.pipelines.networks.spec import parse_model

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]
# Keras' own, where it reads a weight.
WARNS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CLASSES = {1: ("a",), 2: ("a", "b"), 3: ("a", "b", "c")}


def a_workload(side: int = 32, classes: int = 3, **given: Any) -> Workload:
    fields: dict[str, Any] = {"files": (), "labels": (), "class_names": CLASSES[classes]}
    return Workload(**fields | {"height": side, "width": side, "folder_images": 1} | given)


def refusal(text: str, workload: Workload) -> tuple[str, str]:
    with pytest.raises(RequestError) as caught:
        fitted_model(parse_model(text), workload, 0)
    return caught.value.sentence, caught.value.hint


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes a file with a function `build` of this body."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    numbers = iter(range(100))

    def written(body: str, head: str = "def build():") -> str:
        file = Path(f"model_{next(numbers)}.py")
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        file.write_text(f"import keras\nfrom keras import layers\n{head}\n{lines}\n")
        return f"{file}:build"

    return written


@pytest.mark.parametrize(
    ("name", "side", "channels", "mode", "shape"),
    [
        ("flowers_cnn", 180, 3, "int", (1, 3)),
        ("flowers_cnn", 96, 3, "categorical", (1, 3)),
        ("cats_dogs_cnn", 150, 3, "binary", (1, 1)),
        ("mnist_cnn", 28, 1, "int", (1, 3)),
        ("cifar_cnn", 32, 3, "int", (1, 3)),
        ("mobilenet_v2", 64, 3, "int", (1, 3)),
        ("efficientnet_b0", 64, 3, "categorical", (1, 3)),
        ("resnet50", 32, 1, "binary", (1, 1)),
    ],
)
def test_a_built_in_network_suits_images_and_labels(
    name: str, side: int, channels: int, mode: str, shape: tuple[int, int]
) -> None:
    workload = a_workload(side, 2 if mode == "binary" else 3, channels=channels, label_mode=mode)
    fitted = fitted_model(parse_model(name), workload, 0)
    answers = fitted.model(np.zeros((1, *workload.shape), np.float32))
    assert tuple(answers.shape) == shape
    assert fitted.model.compiled
    assert fitted.parameters == fitted.model.count_params() > 1000


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("flowers_cnn", "SparseCategoricalCrossentropy of logits"),
        ("mnist_cnn", "SparseCategoricalCrossentropy of probabilities"),
        ("mobilenet_v2", "SparseCategoricalCrossentropy of probabilities"),
    ],
)
def test_the_loss_reads_logits_or_probabilities(name: str, loss: str) -> None:
    fitted = fitted_model(parse_model(name), a_workload(64), 0)
    assert fitted.compiled_with == f"Adam and {loss}"
    assert fitted.model.loss.get_config()["from_logits"] == ("logits" in loss)


@pytest.mark.parametrize("name", ["flowers_cnn", "mobilenet_v2"])
def test_a_network_takes_channels_first_and_values_to_255(name: str) -> None:
    workload = a_workload(32, data_format="channels_first", value_range=(0.0, 255.0))
    fitted = fitted_model(parse_model(name), workload, 0)
    assert tuple(fitted.model(np.zeros((2, 3, 32, 32), np.float32)).shape) == (2, 3)


def test_the_seed_decides_on_the_first_weights() -> None:
    spec, workload = parse_model("cifar_cnn"), a_workload()
    first, again, other = (fitted_model(spec, workload, seed).weights for seed in (1, 1, 2))
    assert first == again != other


def test_small_images_are_refused_with_the_option() -> None:
    sentence, hint = refusal("cats_dogs_cnn", a_workload(16))
    assert "takes images of 22 pixels a side or more; found 16x16" in sentence
    assert "--image-size" in hint
    sentence, hint = refusal("inception_v3", a_workload(32))
    assert "75" in sentence
    assert "--image-size" in hint


def test_the_least_side_of_each_course_network_is_the_least_that_keras_builds() -> None:
    from feedbench.pipelines.networks.course import COURSE_NETWORKS, CourseNetwork, course_network

    for name, network in COURSE_NETWORKS.items():
        course_network(network, name, a_workload(network.least_side))
        smaller = CourseNetwork(**vars(network) | {"least_side": 1})
        with pytest.raises(ValueError, match=r"negative|zero|must be"):
            course_network(smaller, name, a_workload(network.least_side - 1))


DENSE = "return keras.Sequential([keras.Input({shape}), layers.Flatten(), layers.Dense({units})])"


def test_a_function_is_given_the_workload_if_it_takes_one(build: Any) -> None:
    body = (
        "model = keras.Sequential([keras.Input(workload.shape), layers.Flatten(),"
        " layers.Dense(len(workload.class_names), activation='softmax')])\n"
        "return model"
    )
    fitted = fitted_model(parse_model(build(body, "def build(workload):")), a_workload(), 0)
    assert fitted.compiled_with == "Adam and SparseCategoricalCrossentropy of probabilities"
    none = build(DENSE.format(shape=(32, 32, 3), units=3), "def build(units=3, *more):")
    assert fitted_model(parse_model(none), a_workload(), 0).parameters == 32 * 32 * 3 * 3 + 3


@pytest.mark.parametrize(
    ("shape", "given", "hint"),
    [
        ((48, 48, 3), {}, "use --image-size 48"),
        ((48, 64, 3), {}, "use --image-size 48x64"),
        ((32, 32, 1), {}, "use --channels 1"),
        ((28, 28, 1), {}, "use --image-size 28 --channels 1"),
        ((3, 32, 32), {}, "use --layout channels_first"),
        ((32, 32, 4), {}, "begin the model with keras.Input((32, 32, 3))"),
        ((3072,), {}, "begin the model with keras.Input((32, 32, 3))"),
        ((32, 32, 3), {"data_format": "channels_first"}, "use --layout channels_last"),
    ],
)
def test_other_images_are_refused_with_the_option_that_mends_it(
    shape: tuple[int, ...], given: dict[str, Any], hint: str, build: Any
) -> None:
    text = build(DENSE.format(shape=shape, units=3))
    sentence, found = refusal(text, a_workload(**given))
    assert found == hint
    assert f"takes images of [{', '.join(map(str, shape))}]" in sentence


@pytest.mark.parametrize(
    ("units", "classes", "mode", "hint"),
    [
        (1, 2, "int", "use --label-mode binary"),
        (2, 2, "binary", "use --label-mode int"),
        (10, 3, "int", "end the model with Dense(3), or choose classes with --classes"),
    ],
)
def test_other_answers_are_refused_with_the_option_that_mends_it(
    units: int, classes: int, mode: str, hint: str, build: Any
) -> None:
    text = build(DENSE.format(shape=(32, 32, 3), units=units))
    sentence, found = refusal(text, a_workload(classes=classes, label_mode=mode))
    assert found == hint
    assert f"ends in [B, {units}]" in sentence


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("pass", "returned None; expected a Keras model"),
        ("return 3", "returned an object of type int"),
        ("raise ValueError('no GPU here')", "raised ValueError: no GPU here (model_"),
        ("return 1 / 0", "ZeroDivisionError"),
        (
            "return keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(4, 3)])",
            "ends in [B, 30, 30, 4]; expected [B, 3]",
        ),
        (
            (
                "one, two = keras.Input((32, 32, 3)), keras.Input((2,))\n"
                "both = layers.Concatenate()([layers.Flatten()(one), two])\n"
                "return keras.Model([one, two], layers.Dense(3)(both))"
            ),
            "expected a model with one input, the images; it has 2",
        ),
        (
            (
                "images = keras.Input((32, 32, 3))\n"
                "flat = layers.Flatten()(images)\n"
                "return keras.Model(images, [layers.Dense(3)(flat), layers.Dense(3)(flat)])"
            ),
            "expected a model with one output; it has 2 outputs",
        ),
        (
            (
                "model = keras.Sequential([layers.Flatten(), layers.Dense(3)])\n"
                "model.compile('adam', 'categorical_crossentropy')\n"
                "return model"
            ),
            (
                "compiled with categorical_crossentropy, which takes categorical labels; found"
                " --label-mode int"
            ),
        ),
    ],
)
def test_what_is_no_model_for_these_images_is_refused(body: str, words: str, build: Any) -> None:
    sentence, _ = refusal(build(body), a_workload())
    assert words in sentence


def test_a_missing_function_is_named_with_those_that_are_there(build: Any) -> None:
    text = build("pass").replace(":build", ":create")
    sentence, _ = refusal(text, a_workload())
    assert "has no function 'create'; its functions are: build" in sentence


def test_a_model_without_a_declared_input_is_tried_on_an_image(build: Any) -> None:
    fine = build("return keras.Sequential([layers.Flatten(), layers.Dense(3)])")
    assert fitted_model(parse_model(fine), a_workload(), 0).parameters == 32 * 32 * 3 * 3 + 3
    sentence, hint = refusal(
        build("return keras.Sequential([layers.Reshape((7,)), layers.Dense(3)])"), a_workload()
    )
    assert "cannot take an image of [32, 32, 3]: it raised" in sentence
    assert "--image-size" in hint


def test_a_compiled_model_stays_as_it_is(build: Any) -> None:
    text = build(
        "model = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(3)])\n"
        "model.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "return model"
    )
    fitted = fitted_model(parse_model(text), a_workload(), 0)
    assert fitted.compiled_with == ""
    assert fitted.model.optimizer.name.startswith("sgd")  # Keras counts them


@WARNS
@pytest.mark.filterwarnings("ignore:Skipping variable loading")  # Adam has not trained yet
def test_a_saved_model_keeps_its_weights_whatever_the_seed(tmp_path: Path) -> None:
    made = fitted_model(parse_model("cifar_cnn"), a_workload(), 5)
    file = tmp_path / "cifar.keras"
    made.model.save(file)
    spec = parse_model(str(file))
    assert (spec.image_size, spec.channels) == ((32, 32), 3)
    assert fitted_model(spec, a_workload(), 9).weights == made.weights
    sentence, hint = refusal(str(file), a_workload(40))
    assert "takes images of [32, 32, 3]; the workload has [40, 40, 3]" in sentence
    assert hint == "use --image-size 32"


@WARNS
def test_weights_of_a_file_replace_those_of_the_seed(tmp_path: Path) -> None:
    made = fitted_model(parse_model("cifar_cnn"), a_workload(), 5)
    file = str(tmp_path / "cifar.weights.h5")
    made.model.save_weights(file)
    again = fitted_model(parse_model("cifar_cnn", file), a_workload(), 9)
    assert again.weights == made.weights
    assert again.note == f"5 of 5 layers have weights from {file}."


@WARNS
def test_a_last_layer_for_other_classes_keeps_the_weights_of_the_seed(tmp_path: Path) -> None:
    made = fitted_model(parse_model("cifar_cnn"), a_workload(), 5)
    file = str(tmp_path / "cifar.weights.h5")
    made.model.save_weights(file)
    fresh = fitted_model(parse_model("cifar_cnn"), a_workload(classes=2), 9).model.get_weights()
    other = fitted_model(parse_model("cifar_cnn", file), a_workload(classes=2), 9)
    assert other.note.startswith("4 of 5 layers have weights from")
    loaded = other.model.get_weights()
    assert np.array_equal(loaded[0], made.model.get_weights()[0])
    assert np.array_equal(loaded[-2], fresh[-2])


@WARNS
def test_weights_of_no_layer_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.weights.h5"
    file.write_text("no weights")
    with pytest.raises(RequestError, match="cannot be loaded into cifar_cnn"):
        fitted_model(parse_model("cifar_cnn", str(file)), a_workload(), 0)
