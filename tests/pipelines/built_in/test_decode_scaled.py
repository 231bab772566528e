"""JPEGs decoded at 1/2, 1/4 or 1/8 of their size, by real TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.fitting import may_reduce
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.images.decoding import decoded
from tests.support.builders import natural_photos
from tests.support.images.odd import encoded, jpeg, noise, png
from tests.support.pipelines.feeds import proof_of

pytestmark = [pytest.mark.tensorflow, pytest.mark.thorough]


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of 200 to 640 pixels a side, to 64x48."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


@pytest.mark.parametrize(
    ("size", "fit", "ratio"),
    [
        ((333, 500), Fit(), 4),
        ((65, 500), Fit(), 1),
        ((129, 500), Fit(), 2),
        ((336, 504), Fit("pad"), 8),
        ((332, 500), Fit("pad"), 4),  # at 1/8 it would be a row more
        ((336, 504), Fit("crop", 0.5), 2),
        ((333, 500), Fit("crop", 0.5), 1),  # at 1/2 it would be a column less
    ],
)
@pytest.mark.parametrize("formats", [("JPEG",), ("JPEG", "PNG"), ()], ids=str)
def test_each_image_is_decoded_at_its_own_scale(
    natural: Workload,
    size: tuple[int, int],
    fit: Fit,
    ratio: int,
    formats: tuple[str, ...],
) -> None:
    import tensorflow as tf

    work = replace(natural, fit=fit)
    reduce = partial(may_reduce, workload=work)
    decode = tf.function(lambda data: decoded(data, formats, "integer_accurate", reduce))
    data = jpeg(*size)
    whole = tf.io.decode_jpeg(data, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")
    assert np.array_equal(decode(data), whole)


@pytest.mark.parametrize("formats", [("JPEG", "PNG"), ()], ids=str)
def test_what_is_no_jpeg_is_decoded_in_full(natural: Workload, formats: tuple[str, ...]) -> None:
    reduce = partial(may_reduce, workload=replace(natural, height=8, width=8))
    assert decoded(png(40, 60), formats, "integer_accurate", reduce).shape == (40, 60, 3)
    if not formats:
        bitmap = encoded(Image.fromarray(noise(40, 60, 3)), "BMP")
        assert decoded(bitmap, formats, "integer_accurate", reduce).shape == (40, 60, 3)


@pytest.mark.parametrize("fit", [Fit(), Fit("crop"), Fit("crop", 0.875), Fit("pad")], ids=str)
@pytest.mark.parametrize("spec", ["tfdata_tuned:decode=scaled", "tfrecord_sharded:decode=scaled"])
def test_it_is_near_and_its_reason_is_named(
    spec: str, fit: Fit, natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, fit=fit)
    proof = proof_of(tmp_path, opened(spec, work, tmp_path), work)
    assert proof.work == "near", proof.reason
    assert proof.reason is not None
    assert proof.reason.startswith(
        "its pixels match JPEGs decoded at a reduced scale (decode=scaled): "
    )
    assert proof.from_filtered is not None
    assert 1.0 < proof.from_filtered.mean < proof.between


def test_where_no_photo_is_large_enough_nothing_changes(natural: Workload, tmp_path: Path) -> None:
    work = replace(natural, height=400, width=400)
    proof = proof_of(tmp_path, opened("tfdata_tuned:decode=scaled", work, tmp_path), work)
    assert (proof.work, proof.reason) == ("same", None)


def opened(spec: str, workload: Workload, folder: Path) -> Any:
    pipeline: Any = catalog.load(catalog.parse(spec))
    for name in ("prepared", "scratch"):
        (folder / name).mkdir()
    if hasattr(pipeline, "prepare"):
        pipeline.prepare(workload, folder / "prepared")
    return pipeline.open(workload, folder / "prepared", folder / "scratch")
