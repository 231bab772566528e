"""The code of a pipeline that augments draws and delivers what the pipeline does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.records.row import Row
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.augmentation.reading import augmentation
from feedbench.pipelines.forms import Fit
from feedbench.reports.code.training_code import training_code
from tests.reports.code.test_training_code_delivery import (
    assert_same,
    built_in,
    each_image,
    in_this_one,
    over,
)
from tests.reports.code.test_training_code_fit import fitted, in_parts, validation_by
from tests.support.pipelines.scripts import code_of

EVERYTHING = "flip,vertical_flip,rotate=20,width_shift=0.1,height_shift=0.2,zoom=0.2,brightness=0.2"
PLAIN = "tfdata_naive:graph_rewrites=off"  # one thing at a time, so that draws come in order

thorough = [
    pytest.mark.tensorflow,
    pytest.mark.thorough,
    # Keras' ImageDataGenerator imports it from there.
    pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning"),
]


def augmented(photos: Path, text: str = EVERYTHING, **form: Any) -> Any:
    return over(photos, augmentation=read(text), **form)


def read(text: str) -> Augmentation:
    return augmentation("--augment", text)


class TestCode:
    """Of code that is run by real TensorFlow."""

    pytestmark = thorough

    @pytest.mark.parametrize(
        ("spec", "form"),
        [
            (PLAIN, {}),
            (f"{PLAIN},augment=image", {}),
            (f"{PLAIN},cache=memory,cache_at=encoded,augment=image", {}),
            (f"{PLAIN},cache=memory,cache_at=delivered,shuffle=none", {"normalization": "caffe"}),
            (f"{PLAIN},cache=memory,cache_at=batched,shuffle=none", {"label_mode": "categorical"}),
            (PLAIN, {"dtype": "uint8", "value_range": (0.0, 255.0)}),
            (PLAIN, {"data_format": "channels_first", "dtype": "float16"}),
            (f"{PLAIN},augment=image", {"data_format": "channels_first", "channels": 1}),
            ("image_data_generator", {}),
            ("image_data_generator", {"dtype": "uint8", "value_range": (0.0, 255.0)}),
            ("image_data_generator", {"data_format": "channels_first"}),
            ("image_data_generator", {"label_mode": "categorical", "channels": 1}),
            ("image_data_generator", {"fit": Fit("pad"), "dtype": "float16"}),
        ],
    )
    def test_it_delivers_the_images_of_its_pipeline(
        self, spec: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
    ) -> None:
        work = augmented(photos, **form)
        theirs = in_this_one(code_of(spec, work), work.images)
        ours = built_in(spec, work, tmp_path)
        low, high = work.values.bounds
        for epoch, other in zip(theirs, ours, strict=True):
            for (images, labels), (others, other_labels) in zip(epoch, other, strict=True):
                assert images.dtype == others.dtype
                assert images.shape == others.shape
                assert np.array_equal(labels, other_labels)
                distance = np.abs(images.astype("float64") - others.astype("float64"))
                assert distance.max() <= (high - low) / 250  # a rounded grey level

    @pytest.mark.parametrize("part", ["flip", "brightness=0.3", "zoom=0.2", "shift=0.1"])
    def test_so_does_the_code_of_a_single_part(
        self, part: str, photos: Path, tmp_path: Path, here: Path
    ) -> None:
        work = augmented(photos, part)
        theirs, ours = (
            in_this_one(code_of(PLAIN, work), work.images),
            built_in(PLAIN, work, tmp_path),
        )
        for epoch, other in zip(theirs, ours, strict=True):
            for (images, _), (others, _) in zip(epoch, other, strict=True):
                np.testing.assert_allclose(images, others, atol=0.004)

    @pytest.mark.parametrize(
        ("text", "form"),
        [
            (EVERYTHING, {}),
            (EVERYTHING, {"dtype": "uint8", "value_range": (0.0, 255.0)}),
            ("shift=0.1,brightness=0.3", {"normalization": "caffe", "fit": Fit("crop", 0.875)}),
            ("flip,brightness=0.3", {"data_format": "channels_first", "dtype": "uint8"}),
            ("vertical_flip", {"channels": 1, "dtype": "float16"}),
        ],
    )
    def test_that_of_threads_delivers_the_same_epochs(
        self, text: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
    ) -> None:
        pytest.importorskip("cv2", reason="needs pip install 'feedbench[fast]'")
        pytest.importorskip("simplejpeg", reason="needs pip install 'feedbench[fast]'")
        if form.get("dtype") == "uint8":
            form = form | {"value_range": (0.0, 255.0)}
        work = augmented(photos, text, **form)
        theirs = in_this_one(code_of("threads", work), work.images)
        assert_same(theirs, built_in("threads", work, tmp_path))

    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")  # Keras', to whoever calls fit
    @pytest.mark.parametrize(
        ("spec", "form"),
        [
            ("tfdata_tuned", {}),
            ("tfdata_tuned:augment=image", {"data_format": "channels_first", "dtype": "uint8"}),
            ("tfrecord_sharded:store=raw", {"label_mode": "categorical"}),
            ("tfdata_tuned:cache_at=decoded", {"normalization": "imagenet"}),
            ("image_data_generator", {}),
            ("image_data_generator", {"fit": Fit("pad"), "dtype": "uint8"}),
        ],
    )
    def test_images_for_validation_are_not_augmented_and_fit_runs(
        self, spec: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
    ) -> None:
        if form.get("dtype") == "uint8":
            form = form | {"value_range": (0.0, 255.0)}
        work = replace(in_parts(photos, 0.2, **form), augmentation=read(EVERYTHING))
        text = code_of(spec, work, share=0.2)
        plain = replace(
            work,
            augmentation=None,
            files=work.validation_files,
            labels=work.validation_labels,
        )
        expected = built_in(spec, plain, tmp_path)[0]
        assert each_image(validation_by(text, plain)) == each_image(expected)
        assert len(fitted(text).history.history["val_loss"]) == 3

    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
    def test_a_model_that_augments_has_the_layers(self, photos: Path, here: Path) -> None:
        work = augmented(photos, "flip,rotate=20")
        model = fitted(code_of("tfdata_tuned:augment_in=model", work))
        assert [type(layer).__name__ for layer in model.layers[:2]] == [
            "RandomRotation",
            "RandomFlip",
        ]


@pytest.mark.parametrize("spec", ["py_dataset", "tfdata_tuned:augment_in=model"])
def test_where_the_code_would_not_brighten_there_is_none(spec: str, photos: Path) -> None:
    in_effect = knobs.values(catalog.load(catalog.parse(spec)))
    row = Row(label="a label", spec=spec, blocks=1, knobs=in_effect)
    assert training_code(row, augmented(photos)) is None


def test_arguments_and_layers_stand_in_the_code_as_they_are_typed(photos: Path) -> None:
    work = augmented(photos, "flip,rotate=20,shift=0.1")
    keras = code_of("image_data_generator", work)
    assert "    horizontal_flip=True,\n    rotation_range=20,\n    width_shift_range=0.1," in keras
    tfdata = code_of("tfdata_tuned", work)
    assert 'tf.keras.layers.RandomRotation(20 / 360, fill_mode="nearest", seed=SEED),' in tfdata
    assert tfdata.index(".cache(") < tfdata.index("dataset = dataset.map(augmented")
