"""How well a colour stands out, as WCAG 2 defines it."""

from __future__ import annotations

from collections.abc import Sequence


def luminance(colour: Sequence[int]) -> float:
    """The relative luminance of red, green and blue from 0 to 255; 0 is black, 1 is white."""
    shares = [part / 255 for part in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(colour: Sequence[int], other: Sequence[int]) -> float:
    """The contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(colour), luminance(other)))
    return (high + 0.05) / (low + 0.05)
