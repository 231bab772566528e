"""The colours of pipelines: a pipeline keeps its own in every chart and table. Pure."""

from __future__ import annotations

from collections.abc import Sequence

# At least 3:1 from a white and from a dark page. Any two are at least 20 apart in CIELAB (ΔE*ab of
# 1976), to eyes that see all colours and to those with full protanopia, deuteranopia or tritanopia
# as Machado, Oliveira and Fernandes simulate them (2009, "A Physiologically-based Model for
# Simulation of Color Vision Deficiency", IEEE TVCG 15(6)). test_palette.py measures.
# They are seven in all: from the eighth pipeline on, and to those who see greys only, colours do
# not tell it; labels do, and dashes and letters where lines cross.
BASELINE = "#6f6c67"
COLOURS = ("#436fa1", "#b14f29", "#3da66c", "#b087a6", "#c18822", "#878be3")


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return each label's colour; the first one's, the baseline's, is grey.

    There are as few as people can tell apart: from the eighth label on they come again.
    """
    others = {label: COLOURS[place % len(COLOURS)] for place, label in enumerate(labels[1:])}
    return dict.fromkeys(labels[:1], BASELINE) | others
