from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbench.pipelines.forms import Fit
from feedbench.pipelines.images.placement import decode_ratio, least_of

SIDES = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("fit", "size", "ratio"),  # of images delivered at 224x224; sizes are (height, width)
    [
        (Fit(), (333, 500), 1),
        (Fit(), (447, 600), 2),  # 224 by 300: libjpeg rounds up
        (Fit(), (446, 600), 1),
        (Fit(), (1704, 2272), 4),  # 1/8 would be 213 high
        (Fit(), (1785, 2272), 8),
        (Fit("crop"), (1704, 2272), 4),
        (Fit("crop", 0.875), (1704, 2272), 4),
        (Fit("crop", 0.875), (1000, 1000), 2),  # 256 are covered: 1/4 would be 250
        (Fit("pad"), (1704, 2272), 8),  # the width is resized to 224, and rows are black
        (Fit("pad"), (100, 400), 1),
        (Fit("pad"), (100, 448), 2),
    ],
)
def test_a_jpeg_is_reduced_as_far_as_nothing_is_enlarged(
    fit: Fit, size: tuple[int, int], ratio: int
) -> None:
    assert decode_ratio(fit, size, (224, 224)) == ratio


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([Fit(), Fit("crop"), Fit("pad")]))
def test_an_image_that_is_large_enough_stays_so(
    height: int, width: int, high: int, wide: int, fit: Fit
) -> None:
    least = least_of(fit, (high, wide))
    ratio = decode_ratio(fit, (height, width), (high, wide))
    assert ratio in (1, 2, 4, 8)
    if ratio > 1 or least.is_in(height, width):
        assert least.is_in(-(-height // ratio), -(-width // ratio))
