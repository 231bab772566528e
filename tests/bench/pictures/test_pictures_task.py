"""Images as a pipeline delivers them, collected for a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.bench.equal_work.references import decoded, sampled
from feedbench.bench.pictures.delivered import Delivered
from feedbench.bench.pictures.pictures_task import first_images, same_image
from feedbench.pipelines.contract import Batch, Workload
from feedbench.pipelines.errors import WrongWorkError
from feedbench.pipelines.forms import NORMALIZED
from tests.support.builders import workload_over
from tests.support.pipelines.feeds import Feed


@pytest.fixture
def workload(photos: Path) -> Workload:
    return workload_over(photos)


def reference(file: str, workload: Workload) -> Any:
    return sampled(decoded(file), workload)


def first_of_each_class(workload: Workload) -> Workload:
    places = [workload.labels.index(label) for label in range(len(workload.class_names))]
    return replace(
        workload,
        files=tuple(workload.files[place] for place in places),
        labels=tuple(workload.labels[place] for place in places),
    )


def test_the_first_25_are_in_the_order_of_the_epoch(workload: Workload) -> None:
    images = first_images(Feed(workload, seed=None), workload)
    assert images.labels.tolist() == list(workload.labels[:25])
    for file, pixels in zip(workload.files, images.pixels, strict=False):
        assert np.abs(pixels - reference(file, workload)).max() <= 0.51
    assert images.notes == ()


def test_an_epoch_of_fewer_images_gives_those(workload: Workload) -> None:
    few = first_of_each_class(workload)
    assert len(first_images(Feed(few), few).labels) == 3


def test_values_become_colours_whatever_their_form_is(workload: Workload) -> None:
    caffe = NORMALIZED["caffe"]
    work = replace(workload, normalization="caffe", data_format="channels_first")
    mean = np.asarray(caffe.mean, np.float32)

    def as_caffe(images: Any, labels: Any, _: int) -> Any:
        blue_first = (images * 255)[..., ::-1] - mean
        return np.ascontiguousarray(np.moveaxis(blue_first, -1, 1)), labels

    plain = first_images(Feed(workload, seed=None), workload)
    turned = first_images(Feed(workload, seed=None, change=as_caffe), work)
    assert np.abs(plain.pixels.astype(int) - turned.pixels).max() <= 1


def test_values_out_of_their_range_are_shown_with_a_note(workload: Workload) -> None:
    feed = Feed(workload, change=lambda images, labels, _: (images * 255, labels))
    images = first_images(feed, workload)
    assert len(images.labels) == 25
    (note,) = images.notes
    assert "expected 0 to 1" in note


def test_another_shape_is_refused(workload: Workload) -> None:
    feed = Feed(workload, change=lambda images, labels, _: (images[:, 1:], labels))
    with pytest.raises(WrongWorkError, match="expected float32"):
        first_images(feed, workload)


def test_one_image_is_followed_through_20_epochs(workload: Workload) -> None:
    few = first_of_each_class(workload)
    darker = Feed(few, change=lambda images, labels, epoch: (images * (1 - epoch / 40), labels))
    images = same_image(darker, few, few.files[1])
    assert images.labels.tolist() == [1] * 20
    for epoch, pixels in enumerate(images.pixels, 1):
        expected = reference(few.files[1], few) * (1 - epoch / 40)
        assert np.abs(pixels - expected).max() <= 0.6


def test_an_image_that_does_not_arrive_is_named_by_its_class(workload: Workload) -> None:
    few = first_of_each_class(workload)
    feed = Feed(few, change=lambda images, labels, _: (images, np.zeros_like(labels)))
    with pytest.raises(WrongWorkError, match=f"0 images of the class '{few.class_names[2]}'"):
        same_image(feed, few, few.files[2])


def test_a_feed_without_a_batch_is_refused(workload: Workload) -> None:
    class Empty:
        def __iter__(self) -> Iterator[Batch]:
            return iter(())

    with pytest.raises(WrongWorkError, match="no batch"):
        first_images(Empty(), workload)


def test_images_are_the_same_after_they_were_written_and_read(tmp_path: Path) -> None:
    images = Delivered(np.full((2, 4, 4, 1), 7, np.uint8), np.asarray([1, 0]), ("too dark",))
    images.write(tmp_path / "images.npz")
    read = Delivered.read(tmp_path / "images.npz")
    assert (read.pixels == images.pixels).all()
    assert read.labels.tolist() == [1, 0]
    assert read.notes == ("too dark",)
