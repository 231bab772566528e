"""The colours of pipelines, as people see them who see fewer."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from feedbench.reports.text import palette

LEAST = 20.0  # what the palette claims; 2.3 is just noticed

# On linear sRGB, at severity 1. Machado, Oliveira, Fernandes (2009), "A Physiologically-based Model
# for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), pages 1291 to 1298.
EYES = {
    "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}

# Linear sRGB to CIE XYZ under D65: IEC 61966-2-1.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    """The shares of red, green and blue light."""
    shares = np.array([*bytes.fromhex(colour.removeprefix("#"))]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB: ISO/CIE 11664-4."""
    of_white = XYZ @ np.clip(light, 0, 1) / (XYZ @ np.ones(3))
    edge = 6 / 29
    x, y, z = np.where(
        of_white > edge**3, np.cbrt(of_white), of_white / (3 * edge**2) + 4 / 29
    ).tolist()
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distance(colour: str, other: str, eyes: str) -> float:
    """ΔE*ab of 1976 between two colours as these eyes see them."""
    seen = [lab(np.array(EYES[eyes]) @ linear(each)) for each in (colour, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def test_a_distance_is_that_of_cielab() -> None:
    assert distance("#ffffff", "#000000", "all colours") == pytest.approx(100, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


def test_a_purple_is_as_grey_to_those_without_the_cones_that_tell_them_apart() -> None:
    purple, grey = "#b5618f", "#7a8088"
    assert distance(purple, grey, "all colours") > 40
    assert distance(purple, grey, "deuteranopia") < 2


@pytest.mark.parametrize("eyes", list(EYES))
def test_any_two_pipelines_of_seven_are_told_apart_by_colour(eyes: str) -> None:
    found = palette.colours([str(number) for number in range(7)]).values()
    for colour, other in combinations(found, 2):
        assert distance(colour, other, eyes) >= LEAST, (colour, other)


def test_from_the_eighth_pipeline_on_colours_come_again_and_the_baselines_does_not() -> None:
    found = [*palette.colours([str(number) for number in range(20)]).values()]
    assert len(set(found)) == 7
    assert found.count(found[0]) == 1
    assert found[7] == found[1]
