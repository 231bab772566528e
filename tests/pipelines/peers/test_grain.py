"""Grain's MapDataset, where the extra `grain` is installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.peers.grain import Grain
from tests.support.builders import natural_photos, workload_over
from tests.support.extras import needs_extra
from tests.support.images.odd import jpeg
from tests.support.pipelines.feeds import proof_of
from tests.support.pipelines.peers import (
    BYTES,
    CAFFE,
    IMAGENET,
    STRETCHED,
    assert_epochs,
    assert_held,
)

pytestmark = needs_extra("grain", "grain", "simplejpeg", "cv2")


def opened(workload: Workload, folder: Path, **knobs: Any) -> Any:
    return Grain(**knobs).open(workload, folder, folder)


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "form",
    [
        *STRETCHED,
        BYTES | {"fit": Fit("crop"), "channels": 1},
        CAFFE | {"fit": Fit("crop", 0.875)},
        IMAGENET | {"fit": Fit("pad")},
    ],
    ids=str,
)
def test_it_delivers_the_same_in_every_form(
    form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(work, tmp_path), work)
    assert proof.work == "same", proof.reason
    assert proof.shuffle.kind in ("full", "unknown")
    assert proof.shuffle.fixed_in is None


@pytest.mark.thorough
def test_a_reduced_scale_is_near(natural: Workload, tmp_path: Path) -> None:
    proof = proof_of(tmp_path, opened(natural, tmp_path, decode="scaled"), natural)
    assert (proof.work, proof.likeness is not None) == ("near", True), proof.reason


def test_every_epoch_has_each_image_once_in_a_new_order_and_a_short_last_batch(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    assert_epochs(opened(work, tmp_path, threads=3, prefetch=4), work)


@pytest.mark.thorough
def test_worker_processes_deliver_the_same_epochs_as_threads(photos: Path, tmp_path: Path) -> None:
    work = replace(workload_over(photos), batch_size=16)
    feed = opened(work, tmp_path, workers=2, threads=1, prefetch=1)
    assert_epochs(feed, work)
    feeds = (opened(work, tmp_path, workers=workers) for workers in (0, 2))
    for (images, labels), (others, other_labels) in zip(*feeds, strict=True):
        assert np.array_equal(images, others)
        assert np.array_equal(labels, other_labels)


def test_a_batch_that_the_consumer_holds_is_never_overwritten(photos: Path, tmp_path: Path) -> None:
    assert_held(opened(replace(workload_over(photos), batch_size=16), tmp_path))


def test_a_file_that_nothing_decodes_raises_in_the_consumer(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "a" / "1.jpg").write_bytes(jpeg())
    work = workload_over(tmp_path / "photos")
    Path(work.files[0]).write_bytes(b"no image")
    with pytest.raises(Exception, match="cannot identify image file"):
        list(opened(work, tmp_path))


def test_workers_whose_batches_do_not_fit_into_the_shared_memory_are_refused(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), height=10**5, width=10**5, batch_size=10**4)
    with pytest.raises(RequestError) as refused:
        opened(work, tmp_path, workers=2)
    assert refused.value.hint.endswith("use fewer workers, or workers=0 for threads alone")
