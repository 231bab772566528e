"""The split by a seed: which images are for validation, and what that depends on."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines.contract import Records
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import Index, part, take
from feedbench.pipelines.images.split.by_seed import split
from tests.pipelines.images.test_index import index_of

RECORDS = Records(
    files=("a",),
    compressions=("",),
    counts=(4,),
    image_key="image",
    label_key="label",
    label_values=(0,),
    places=((0, 3), (0, 2), (0, 1), (0, 0)),
)


def validation_of(index: Index, share: float = 0.2, seed: int = 0) -> set[str]:
    parts = split(index, share, seed).split
    assert parts is not None
    return set(parts.other.files)


@given(
    st.lists(st.integers(2, 40) | st.just(0), min_size=1, max_size=5),
    st.floats(0.001, 0.999),
    st.integers(0, 2**31 - 1),
)
def test_every_image_is_in_one_part_and_each_class_gives_its_rounded_share(
    sizes: list[int], share: float, seed: int
) -> None:
    whole = index_of(*sizes)
    training = split(whole, share, seed)
    assert training.split is not None
    validation = training.split.other
    assert sorted([*training.files, *validation.files]) == sorted(whole.files)
    label_of = dict(zip(whole.files, whole.labels, strict=True))
    for each in (training, validation):
        assert [label_of[file] for file in each.files] == list(each.labels)
        assert list(each.files) == sorted(each.files)  # in the order of the index
    given_ = Counter(validation.labels)
    for label, size in enumerate(sizes):
        assert given_[label] == (min(max(round(share * size), 1), size - 1) if size else 0)


def test_the_same_images_are_for_validation_in_every_version_of_feedbench_and_python() -> None:
    assert sorted(validation_of(index_of(10, 5))) == PINNED


PINNED = ["class0/00003.jpg", "class0/00007.jpg", "class1/00013.jpg"]


def test_another_seed_draws_other_images() -> None:
    whole = index_of(100)
    assert validation_of(whole) != validation_of(whole, seed=1)


def test_the_order_of_the_list_and_the_other_classes_do_not_matter() -> None:
    whole = index_of(30, 20, 10)
    places = list(range(60))
    random.Random(3).shuffle(places)
    assert validation_of(part(whole, places)) == validation_of(whole)
    one = [at for at in range(60) if whole.labels[at] == 1]
    of_one = {file for file in validation_of(whole) if file.startswith("class1/")}
    assert validation_of(part(whole, one)) == of_one


def test_the_seed_of_the_program_around_it_has_no_say() -> None:
    random.seed(1)
    before = validation_of(index_of(50))
    random.seed(2)
    assert validation_of(index_of(50)) == before


def test_either_part_can_be_the_measured_one() -> None:
    whole = index_of(10, 20)
    training, validation = split(whole, 0.2, 0), split(whole, 0.2, 0, "validation")
    assert training.split is not None
    assert validation.split is not None
    assert (training.split.subset, validation.split.subset) == ("training", "validation")
    assert (validation.files, validation.split.other.files) == (
        training.split.other.files,
        training.files,
    )
    assert training.split.by == "seed 0"
    assert training.split.share == 0.2


def test_a_class_of_one_image_is_refused_by_its_name() -> None:
    with pytest.raises(RequestError) as refused:
        split(index_of(5, 1), 0.2, 0)
    assert str(refused.value) == (
        "--validation 0.2: expected 2 or more images in each class, one for each part; class"
        " class1 has only class1/00005.jpg\nhint: add images to this class, choose other classes"
        " with --classes, or leave --validation out"
    )


def test_a_limit_makes_both_parts_smaller_by_the_same_factor_and_mixes_none() -> None:
    whole = split(index_of(100, 100, 100), 0.2, 0)
    some = take(whole, 60, seed=4)
    assert whole.split is not None
    assert some.split is not None
    assert (len(whole.files), len(whole.split.other.files)) == (240, 60)
    assert (len(some.files), len(some.split.other.files)) == (60, 15)
    assert set(some.files) <= set(whole.files)
    assert set(some.split.other.files) <= set(whole.split.other.files)


def test_of_record_files_each_part_has_the_places_of_its_own_records() -> None:
    files = tuple(f"a/{number}.jpg" for number in range(4))
    whole = replace(index_of(4), files=files, folder=Path("/records"), records=RECORDS)
    training = split(whole, 0.5, 0)
    assert training.split is not None
    place_of = dict(zip(files, RECORDS.places, strict=True))
    for each in (training, training.split.other):
        assert each.records is not None
        assert each.records.places == tuple(place_of[file] for file in each.files)
