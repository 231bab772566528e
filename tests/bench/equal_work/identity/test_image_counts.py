from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.equal_work.identity.fingerprints import UNKNOWN, Matcher
from feedbench.bench.equal_work.identity.image_counts import Tally, file_id
from feedbench.pipelines.contract import Workload

FILES = 12
CONTENTS = st.lists(st.integers(0, 5), min_size=FILES, max_size=FILES)
LABELS = st.lists(st.integers(0, 2), min_size=FILES, max_size=FILES)


def a_tally(contents: list[int], labels: list[int]) -> Tally:
    """Files whose contents and labels are these."""
    workload = Workload(
        folder="/photos",
        files=tuple(f"/photos/{place:02d}.jpg" for place in range(len(contents))),
        labels=tuple(labels),
        class_names=("cats", "dogs", "owls"),
        height=8,
        width=8,
        folder_images=len(contents),
    )
    first = np.random.default_rng(0).uniform(0, 255, (10, 64)).astype(np.float32)[contents]
    return Tally(workload, Matcher(np.stack([first, first])))


def deliver(tally: Tally, *images: tuple[int, int]) -> Tally:
    """Deliver a batch of images, each as (place of a file like it, label)."""
    places, labels = zip(*images, strict=True)
    tally.add(np.asarray(places, np.intp), np.asarray(labels, np.int32))
    return tally


@given(CONTENTS, LABELS, st.randoms(use_true_random=False))
def test_every_file_once_with_its_label_is_right_in_any_order(
    contents: list[int], labels: list[int], random: Any
) -> None:
    tally = a_tally(contents, labels)
    images = list(zip(range(FILES), labels, strict=True))
    random.shuffle(images)
    for start in range(0, FILES, 5):
        deliver(tally, *images[start : start + 5])
    assert tally.counts().is_right
    alone = [place for place in range(FILES) if contents.count(contents[place]) == 1]
    assert sorted(tally.order().tolist()) == list(range(len(alone)))
    assert tally.undelivered() == []
    assert tally.batch_sizes == [5, 5, 2]


@given(CONTENTS, LABELS, st.lists(st.integers(0, FILES - 1), min_size=FILES, max_size=FILES))
def test_what_is_missing_is_what_was_doubled_and_is_counted_by_content(
    contents: list[int], labels: list[int], delivered: list[int]
) -> None:
    tally = deliver(a_tally(contents, labels), *((place, labels[place]) for place in delivered))
    missing = Counter(contents) - Counter(contents[place] for place in delivered)
    counts = tally.counts()
    assert counts.missing == counts.doubled == sum(missing.values())
    assert (counts.first_missing is None) == (counts.missing == 0)


@given(LABELS, LABELS)
def test_labels_are_wrong_where_they_are_not_their_files(
    labels: list[int], delivered: list[int]
) -> None:
    tally = deliver(a_tally([*range(10), 0, 1], labels), *enumerate(delivered))
    wrong = 0
    for group in ([0, 10], [1, 11], *([place] for place in range(2, 10))):
        theirs = Counter(labels[place] for place in group)
        wrong += sum((Counter(delivered[place] for place in group) - theirs).values())
    assert tally.counts().wrong_labels == wrong
    assert tally.counts().is_whole


def test_an_image_too_many_is_not_a_wrong_label_as_well() -> None:
    tally = a_tally([0, 1, 2], [0, 1, 2])
    counts = deliver(tally, (0, 0), (0, 0), (1, 1)).counts()
    assert (counts.doubled, counts.missing, counts.wrong_labels) == (1, 1, 0)
    assert (counts.first_doubled, counts.first_missing) == ("00.jpg", "02.jpg")


def test_the_first_wrong_label_is_named_with_what_it_was_taken_for() -> None:
    counts = deliver(a_tally([0, 1, 2], [0, 1, 2]), (0, 0), (2, 1), (1, 2)).counts()
    assert counts.first_wrong_label == "01.jpg as 'owls'"
    assert counts.are_classes_sorted


def test_an_image_of_no_file_is_unknown_and_the_file_missing() -> None:
    counts = deliver(a_tally([0, 1, 2], [0, 1, 2]), (0, 0), (UNKNOWN, 1), (2, 2)).counts()
    assert (counts.unknown, counts.missing, counts.wrong_labels) == (1, 1, 0)


def test_what_comes_of_a_file_that_pillow_does_not_decode_is_not_held_against_anybody() -> None:
    tally = a_tally([0, 1, 2], [0, 1, 2])
    references = np.full((2, 3, 64), np.nan, np.float32)
    references[:, :2] = np.random.default_rng(0).uniform(0, 255, (2, 64))
    tally = Tally(tally.workload, Matcher(references))
    counts = deliver(tally, (0, 0), (UNKNOWN, 1), (1, 1)).counts()
    assert counts.is_right


def test_a_file_is_named_below_its_folder_as_text_that_can_be_shown() -> None:
    workload = a_tally([0], [0]).workload
    assert file_id(workload, 0) == "00.jpg"
