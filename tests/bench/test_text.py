from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.bench.text import counted, digits, duration, listed, size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (0.4, "0 s"),
        (-3.0, "0 s"),
        (45.4, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (245.0, "4 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3600.0, "1 h 0 min"),
        (13712.0, "3 h 48 min"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.234, "1.23"),
        (1.0, "1.00"),
        (12.34, "12.3"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (1_234_567.0, "1,234,567"),
        (-12.34, "-12.3"),
        (0.0, "0.00"),
        (0.99996, "1.00"),
    ],
)
def test_a_figure_is_said_with_three_digits_that_count(value: float, said: str) -> None:
    assert digits(value) == said


@pytest.mark.parametrize(("value", "said"), [(0.0123, "0.0123"), (0.523, "0.523")])
def test_a_figure_under_one_has_as_many_digits_that_count(value: float, said: str) -> None:
    assert digits(value) == said


def test_the_number_of_digits_can_be_chosen() -> None:
    assert [digits(1.2345, count) for count in (1, 2, 4)] == ["1", "1.2", "1.234"]


@given(st.floats(1.0, 1e9))
def test_a_figure_as_said_is_within_half_a_percent_of_it(value: float) -> None:
    assert float(digits(value).replace(",", "")) == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 blocks"), (1, "1 block"), (2, "2 blocks"), (1200, "1,200 blocks")]
)
def test_a_count_agrees_with_its_noun(count: int, said: str) -> None:
    assert counted(count, "block") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert counted(1, "class", "classes") == "1 class"
    assert counted(3, "class", "classes") == "3 classes"


@pytest.mark.parametrize(
    ("labels", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_names_are_listed_as_people_list_them(labels: list[str], text: str) -> None:
    assert listed(labels) == text
    assert listed(labels, "or") == text.replace("and", "or")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.00 kB"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (999_999, "1.00 MB"),
        (1_000_000, "1.00 MB"),
        (37_100_000, "37.1 MB"),
        (1_000_000_000, "1.00 GB"),
        (10**12, "1.00 TB"),
        (1.02e9, "1.02 GB"),
        (5e12, "5.00 TB"),
        (5e15, "5,000 TB"),
    ],
)
def test_bytes_are_shown_in_the_largest_unit_that_fits(count: float, said: str) -> None:
    assert size(count) == said


@given(st.integers(0, 10**15 - 10**12) | st.floats(0.0, 9.9e14))
def test_a_size_stands_in_the_unit_that_leaves_it_from_1_to_999(count: float) -> None:
    number, unit = size(count).split()
    assert float(number) <= 999
    assert float(number) >= 1 or unit == "B"


@given(st.floats(1.0, 1e18))
def test_a_size_as_shown_is_within_a_percent_of_it(count: float) -> None:
    number, unit = size(count).split()
    power = ["B", "kB", "MB", "GB", "TB"].index(unit)
    assert float(number.replace(",", "")) * 1000.0**power == pytest.approx(count, rel=0.01, abs=0.5)
