"""The code of a pipeline trains a model as it is, and with both parts of a split."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.images.index import index_folder
from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.images.split.by_folder import with_other_part
from feedbench.pipelines.images.split.by_seed import split
from tests.reports.code.test_training_code_delivery import (
    BFLOAT16,
    BYTES,
    CAFFE,
    CATEGORICAL,
    CENTRE,
    FIRST,
    FLOAT16,
    FOLDER,
    GREY_BYTES,
    IMAGENET,
    PAD,
    SOURCES,
    as_arrays,
    assert_same,
    built_in,
    each_image,
    in_this_one,
    over,
)
from tests.support.pipelines.scripts import Batches, code_of, feeding

pytestmark = pytest.mark.tensorflow


GRAIN = "image_dataset_from_directory_grain"
NEEDED = {GRAIN: ("grain",), "threads": ("cv2", "simplejpeg")}


def skip_without_packages(spec: str) -> None:
    for package in NEEDED.get(spec, ()):
        pytest.importorskip(package, reason="needs a package that is not always there")


FITTED: list[tuple[str, dict[str, Any]]] = [
    ("image_data_generator", {}),
    ("py_dataset:workers=2", GREY_BYTES | CATEGORICAL),
    ("tfdata_tuned", {}),
]
MORE_FITTED: list[tuple[str, dict[str, Any]]] = [
    *((spec, {}) for spec in (FOLDER, GRAIN, "py_dataset:workers=2", "tfrecord_gzip")),
    ("image_data_generator", GREY_BYTES | CATEGORICAL),
    ("tfdata_tuned", GREY_BYTES | CATEGORICAL),
    *((spec, FIRST | BYTES) for spec in (FOLDER, "image_data_generator", "tfrecord_sharded")),
    *((spec, FLOAT16 | CAFFE) for spec in (FOLDER, "image_data_generator", "tfdata_naive")),
    ("tfdata_tuned", BFLOAT16 | IMAGENET | CATEGORICAL),
    ("image_data_generator", CENTRE | CATEGORICAL),
    ("threads", {}),
]


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")  # Keras', to whoever calls fit()
@pytest.mark.parametrize(
    ("spec", "form"),
    [*FITTED, *(pytest.param(*each, marks=pytest.mark.thorough) for each in MORE_FITTED)],
    ids=str,
)
def test_the_code_fits_its_model_as_it_is(
    spec: str, form: dict[str, Any], photos: Path, here: Path
) -> None:
    skip_without_packages(spec)
    model = fitted(code_of(spec, over(photos, **form)))
    assert len(model.history.history["loss"]) == 3
    assert int(model.optimizer.iterations) == 15


def fitted(text: str) -> Any:
    """The model of the code, after the code was run as it is."""
    names: dict[str, Any] = {}
    exec(compile(text, "train.py", "exec"), names)
    return names["model"]


def in_parts(folder: Path, share: float | None, **form: Any) -> Workload:
    """The images of a folder for training, and those for validation."""
    if share is not None:
        return over(folder, split(index_folder(folder), share, seed=3), **form)
    return over(folder, with_other_part(index_images(folder, Layout()), folder, Layout()), **form)


@pytest.fixture
def halves(photos: Path, tmp_path: Path) -> Path:
    """A folder with the parts train and val, of 20 images and 19."""
    for name in ("cats", "dogs", "owls"):
        for number, file in enumerate(sorted((photos / name).iterdir())):
            part_ = "train" if number % 2 == 0 else "val"
            place = tmp_path / "halves" / part_ / name / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    return tmp_path / "halves"


SPLIT: list[tuple[str, dict[str, Any]]] = [
    *((spec, {}) for spec in catalog.DEFAULT_SPECS),
    *((spec, {"label_mode": "categorical"}) for spec in (*SOURCES, FOLDER, "tfrecord_gzip")),
    *((spec, GREY_BYTES | CATEGORICAL) for spec in (*SOURCES, FOLDER, "tfrecord_sharded")),
    (GRAIN, {"value_range": (0, 255)}),
    ("image_data_generator", PAD),
    ("threads", {}),
    ("threads", {"label_mode": "categorical"}),
    ("tfrecord_gzip:store=raw", {}),
    ("tfrecord_sharded:store=resized", {}),
    ("tfdata_saved", {}),
    ("tfdata_tuned:cache_at=decoded", {}),
    ("tfdata_tuned:cache_at=batched,cache=file", CATEGORICAL),
    ("tfdata_tuned:cache=file,prefetch=2,parallel_calls=2", {}),
]


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed", "ignore:shuffle=batches instead")
@pytest.mark.parametrize("share", [0.2, None])
@pytest.mark.parametrize(("spec", "form"), SPLIT, ids=str)
def test_of_a_split_the_code_delivers_both_parts_and_fits_with_them(
    spec: str,
    form: dict[str, Any],
    share: float | None,
    photos: Path,
    halves: Path,
    tmp_path: Path,
    here: Path,
) -> None:
    skip_without_packages(spec)
    work = in_parts(photos if share else halves, share, **form)
    text = code_of(spec, work, share=share)
    expected = built_in(spec, work, tmp_path)
    assert_same(in_this_one(text, work.images), expected)
    other = replace(work, files=work.validation_files, labels=work.validation_labels)
    (tmp_path / "other").mkdir()
    assert each_image(validation_by(text, other)) == each_image(
        built_in(spec, other, tmp_path / "other")[0]
    )
    history = fitted(text).history.history
    assert len(history["loss"]) == len(history["val_loss"]) == 3


def validation_by(text: str, other: Workload) -> Batches:
    """An epoch of the images for validation, by the code."""
    names: dict[str, Any] = {}
    exec(compile(feeding(text), "train.py", "exec"), names)
    return as_arrays(islice(iter(names["validation"]), -(-other.images // 8)))
