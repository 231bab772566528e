"""Pipelines that are cut off after a step: that and no more is done, image for image."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.measured.diagnostic_trial import cut_off
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.truncated import Until
from feedbench.pipelines.contract import Preparing, Workload
from feedbench.pipelines.errors import RequestError
from tests.support.builders import workload_over

pytestmark = pytest.mark.tensorflow

SPECS = ["tfdata_naive", "tfdata_tuned:cache=none", "tfrecord_sharded", "image_data_generator"]


def delivered(spec: str, until: str, work: Workload, folder: Path) -> tuple[list[int], list[float]]:
    """Return the labels and the stand-ins of an epoch."""
    whole = catalog.load(catalog.parse(spec))
    prepared = folder / "prepared"
    prepared.mkdir(exist_ok=True)
    if isinstance(whole, Preparing) and not any(prepared.iterdir()):
        whole.prepare(work, prepared)
    feed: Any = cut_off(whole, until).open(work, prepared, folder)
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


def test_what_is_not_cut_off_is_the_pipeline_itself_and_a_persons_own_cannot_be() -> None:
    whole = catalog.load(catalog.parse("tfdata_naive"))
    assert cut_off(whole, "all") is whole
    assert cut_off(whole, "") is whole
    with pytest.raises(RequestError, match="it has no steps that could be cut off"):
        cut_off(object(), "read")  # type: ignore[arg-type]
