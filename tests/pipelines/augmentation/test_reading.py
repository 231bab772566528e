"""What --augment takes, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.augmentation.reading import augmentation
from feedbench.pipelines.built_in.keras.image_dataset_from_directory_grain import (
    ImageDatasetFromDirectoryGrain,
)
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import STRETCH


def read(text: str) -> Augmentation:
    return augmentation("--augment", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flip", Augmentation(flip=True)),
        ("vertical_flip", Augmentation(vertical_flip=True)),
        ("flip,rotate=20", Augmentation(flip=True, rotate=20)),
        ("shift=0.1", Augmentation(width_shift=0.1, height_shift=0.1)),
        ("width_shift=0.1,height_shift=.2", Augmentation(width_shift=0.1, height_shift=0.2)),
        (" zoom = 0.2 , brightness=0.3 ", Augmentation(zoom=0.2, brightness=0.3)),
    ],
)
def test_parts_between_commas_set_their_ranges(text: str, expected: Augmentation) -> None:
    assert read(text) == expected


def test_the_names_of_imagedatagenerator_mean_the_same() -> None:
    theirs = (
        "horizontal_flip=True,vertical_flip=True,rotation_range=20,width_shift_range=0.1,"
        "height_shift_range=0.2,zoom_range=0.3,brightness_range=0.4"
    )
    ours = "flip,vertical_flip,rotate=20,width_shift=0.1,height_shift=0.2,zoom=0.3,brightness=0.4"
    assert read(theirs) == read(ours)


@given(
    st.builds(
        Augmentation,
        flip=st.booleans(),
        vertical_flip=st.booleans(),
        rotate=st.integers(0, 1800).map(lambda tenths: tenths / 10),
        width_shift=st.integers(0, 99).map(lambda percent: percent / 100),
        height_shift=st.integers(0, 99).map(lambda percent: percent / 100),
        zoom=st.integers(0, 99).map(lambda percent: percent / 100),
        brightness=st.integers(0, 99).map(lambda percent: percent / 100),
    ).filter(lambda each: each != Augmentation())
)
def test_an_augmentation_is_written_as_it_is_read(each: Augmentation) -> None:
    assert read(str(each)) == each


def test_a_pipeline_that_cannot_augment_refuses_it() -> None:
    with pytest.raises(RequestError, match="it does not augment; found --augment flip"):
        ImageDatasetFromDirectoryGrain().refuse(STRETCH, (8, 8), read("flip"))


def test_equal_shifts_are_written_as_one() -> None:
    assert str(read("rotate=20.0,shift=0.1,flip")) == "flip,rotate=20,shift=0.1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rotte=20", "there is no augmentation 'rotte'\nhint: did you mean rotate?"),
        ("horizontal-flip", "did you mean horizontal_flip?"),
        ("xyz", "there is no augmentation 'xyz'\nhint: such as --augment flip,rotate=20"),
        ("", "there is no augmentation ''"),
        ("flip,", "there is no augmentation ''"),
        ("rotate", "--augment rotate: expected degrees from 0 to 180\nhint: such as rotate=20"),
        ("rotate=181", "--augment rotate=181: expected degrees from 0 to 180"),
        ("rotate=-20", "expected degrees from 0 to 180"),
        ("rotate=nan", "expected degrees from 0 to 180"),
        ("zoom=1", "--augment zoom=1: expected a share from 0 to under 1\nhint: such as zoom=0.2"),
        ("shift=20%", "expected a share from 0 to under 1"),
        ("flip=0.5", "--augment flip=0.5: expected flip alone\nhint: write --augment flip"),
        ("flip=", "expected flip alone"),
        ("flip,horizontal_flip", "flip is given twice"),
        ("shift=0.1,width_shift=0.2", "width_shift is given twice"),
        ("rotate=0", "nothing is augmented by that\nhint: leave --augment out"),
    ],
)
def test_what_cannot_be_an_augmentation_is_refused(text: str, words: str) -> None:
    with pytest.raises(RequestError) as refused:
        read(text)
    assert words in str(refused.value)
