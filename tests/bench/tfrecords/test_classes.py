"""The classes of the labels in records. Pure."""

from __future__ import annotations

import pytest

from feedbench.bench.tfrecords.classes import classes_of
from feedbench.pipelines.errors import RequestError


def test_numbers_are_names_whose_digits_sort() -> None:
    found = classes_of(range(11), {}, None)
    assert found.names == ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10")
    assert found.values == tuple(range(11))
    assert found.notes == ()


def test_numbers_that_are_not_0_1_2_are_delivered_so_and_a_note_says_it() -> None:
    found = classes_of([7, 3], {}, None)
    assert (found.names, found.values) == (("3", "7"), (3, 7))
    assert found.notes == (
        "The labels in the records are 3, 7. Pipelines deliver them as 0 to 1, in this order.",
    )


def test_numbers_have_the_texts_of_the_records_unless_two_have_the_same() -> None:
    assert classes_of([0, 1], {0: "rose", 1: "daisy"}, None).names == ("rose", "daisy")
    assert classes_of([0, 1], {0: "rose", 1: "rose"}, None).names == ("0", "1")
    assert classes_of([0, 1], {0: "rose"}, None).names == ("0", "1")


def test_classes_name_numbers_by_their_place_and_may_have_no_images() -> None:
    found = classes_of([0, 2], {}, ("daisy", "rose", "tulip"))
    assert (found.names, found.values) == (("daisy", "rose", "tulip"), (0, 1, 2))


def test_texts_are_classes_in_order_or_those_that_are_asked_for() -> None:
    assert classes_of(["b", "a"], {}, None).names == ("a", "b")
    found = classes_of(["c", "b", "a"], {}, ("c", "a"))
    assert found.names == found.values == ("c", "a")
    assert found.notes == ("Other classes (1) are left out: b.",)


@pytest.mark.parametrize(
    ("labels", "asked", "words"),
    [
        ([0, "a"], None, "found both, such as 0 and 'a'"),
        ([-1, 0], None, "expected numbers from 0; found -1"),
        ([0, 5], ("a", "b"), "expected a name for each label of the records, 0 to 5; found 2"),
        (["a"], ("b",), "there is no class b; found a"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    labels: list[int | str], asked: tuple[str, ...] | None, words: str
) -> None:
    with pytest.raises(RequestError, match=words) as refused:
        classes_of(labels, {}, asked)
    assert refused.value.hint
