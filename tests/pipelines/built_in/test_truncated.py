"""Pipelines that are cut off after a step: that and no more is done, image for image."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.truncated import is_truncatable, truncate
from feedbench.pipelines.contract import Preparing, Until, Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.loader_file import FunctionPipeline
from tests.support.builders import workload_over

pytestmark = pytest.mark.tensorflow

SPECS = ["tfdata_naive", "tfdata_tuned:cache=none", "tfrecord_sharded", "image_data_generator"]


def delivered(
    spec: str, until: Until, work: Workload, folder: Path
) -> tuple[list[int], list[float]]:
    """Return the labels and the stand-ins of an epoch."""
    whole = catalog.load(catalog.parse(spec))
    prepared = folder / "prepared"
    prepared.mkdir(exist_ok=True)
    if isinstance(whole, Preparing) and not any(prepared.iterdir()):
        whole.prepare(work, prepared)
    feed: Any = truncate(whole, until).open(work, prepared, folder)
    batches = list(islice(iter(feed.repeat()), -(-work.images // work.batch_size)))
    labels = np.concatenate([np.asarray(labels) for _, labels in batches])
    images = np.concatenate([np.asarray(images) for images, _ in batches])
    assert images.shape == (work.images, 1)
    return labels.tolist(), images[:, 0].tolist()


@pytest.mark.parametrize("spec", SPECS)
def test_cut_off_after_reading_it_delivers_how_many_bytes_each_file_has(
    photos: Path, tmp_path: Path, spec: str
) -> None:
    work = workload_over(photos)
    labels, sizes = delivered(spec, "read", work, tmp_path)
    assert sorted(sizes) == sorted(Path(file).stat().st_size for file in work.files)
    assert sorted(labels) == sorted(work.labels)


@pytest.mark.parametrize("until", ["decode", "resize"])
@pytest.mark.parametrize("spec", SPECS)
def test_cut_off_later_it_delivers_a_value_of_each_image_decoded_or_resized(
    photos: Path, tmp_path: Path, spec: str, until: Until
) -> None:
    work = workload_over(photos)
    labels, values = delivered(spec, until, work, tmp_path)
    assert sorted(labels) == sorted(work.labels)
    assert len(set(values)) > 3
    assert 0 <= min(values) <= max(values) <= 255


@pytest.mark.parametrize("spec", catalog.DEFAULT_SPECS)
def test_the_pipelines_of_a_run_that_names_none_can_be_cut_off(spec: str) -> None:
    whole = catalog.load(catalog.parse(spec))
    assert is_truncatable(type(whole))
    assert truncate(whole, "read") is not whole


def test_a_persons_own_cannot_be_cut_off() -> None:
    assert not is_truncatable(FunctionPipeline)
    own = FunctionPipeline(lambda _: [], "loader.py:photos")
    with pytest.raises(RequestError, match="it has no steps that can be cut off"):
        truncate(own, "read")
