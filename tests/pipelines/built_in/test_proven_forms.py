"""Every built-in pipeline delivers the form that is asked for: proven as a run proves it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.forms import RANGES, Fit
from feedbench.pipelines.images.sample_photos import write_photos
from tests.support.builders import workload_over
from tests.support.pipelines.feeds import proof_of

pytestmark = pytest.mark.tensorflow

CROP, CENTRE, PAD = ({"fit": fit} for fit in (Fit("crop"), Fit("crop", 0.875), Fit("pad")))
IMAGENET, CAFFE = (
    {"value_range": values.bounds, "normalization": values.normalization}
    for values in (RANGES["imagenet"], RANGES["caffe"])
)
FLOAT16, BFLOAT16 = {"dtype": "float16"}, {"dtype": "bfloat16"}
FIRST = {"data_format": "channels_first"}
BYTES = {"dtype": "uint8", "value_range": (0.0, 255.0)}
FORMS: list[dict[str, Any]] = [
    *(CROP, CENTRE, PAD, IMAGENET, CAFFE, FLOAT16, BFLOAT16, FIRST),
    FIRST | CAFFE | FLOAT16,
    FIRST | BYTES | CENTRE,
    FIRST | BFLOAT16 | {"channels": 1, "value_range": (-1.0, 1.0)},
    BFLOAT16 | IMAGENET,
]
BY_PILLOW = {"image_data_generator", "py_dataset"}
QUICK = [
    ("tfdata_tuned", PAD | CAFFE | FIRST | BFLOAT16),
    ("image_data_generator", CENTRE | IMAGENET | FIRST | FLOAT16),
]


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """30 natural-looking photos of several proportions, to 64x48."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    write_photos(folder, 30)
    return replace(workload_over(folder), height=64, width=48)


def opened(spec: str, workload: Workload, folder: Path) -> Any:
    prepared, scratch = folder / "prepared", folder / "scratch"
    prepared.mkdir()
    scratch.mkdir()
    pipeline = catalog.load(catalog.parse(spec))
    if isinstance(pipeline, Preparing):
        pipeline.prepare(workload, prepared)
    return pipeline.open(workload, prepared, scratch)


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        pytest.param(spec, form, marks=[] if (spec, form) in QUICK else [pytest.mark.thorough])
        for spec in (*catalog.DEFAULT_SPECS, "py_dataset")
        for form in (*FORMS, *(form for name, form in QUICK if name == spec))
    ],
    ids=str,
)
def test_a_pipeline_delivers_the_form_that_is_asked_for(
    spec: str, form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    workload = replace(natural, **form)
    proof = proof_of(tmp_path, opened(spec, workload, tmp_path), workload)
    assert proof.work == ("near" if spec in BY_PILLOW else "same"), proof.reason
    assert proof.likeness is None
    nearer = proof.from_filtered if spec in BY_PILLOW else proof.from_sampled
    assert nearer is not None
    assert nearer.mean < 0.1  # bfloat16 alone is 0.2 away; the reference is rounded as it is


def test_half_precision_takes_half_the_memory_whatever_the_layout(natural: Workload) -> None:
    half = replace(natural, dtype="bfloat16", data_format="channels_first")
    assert half.shape == (3, 64, 48)
    assert half.image_bytes == natural.image_bytes // 2 == 3 * 64 * 48 * 2


@pytest.mark.parametrize(
    "form", [CROP, *(pytest.param(form, marks=pytest.mark.thorough) for form in (CENTRE, PAD))]
)
def test_images_that_are_fitted_otherwise_are_different(
    form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    feed = opened("tfdata_tuned", natural, tmp_path)
    assert proof_of(tmp_path, feed, replace(natural, **form)).work == "different"
