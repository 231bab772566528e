"""The colours of pipelines: a pipeline keeps its own in every chart and table. Pure."""

from __future__ import annotations

from collections.abc import Sequence

# Told apart with any colour vision, and by at least 3:1 from a white and from a dark page.
BASELINE = "#7a8088"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b5618f", "#a67c00", "#5d7fd6")


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return each label's colour; the first one's, the baseline's, is grey.

    There are as few as people can tell apart: from the eighth label on they come again.
    """
    others = {label: nth(place) for place, label in enumerate(labels[1:])}
    return dict.fromkeys(labels[:1], BASELINE) | others


def nth(place: int) -> str:
    """Return the colour of what comes in this place, from 0, where nothing is the baseline."""
    return COLOURS[place % len(COLOURS)]
