"""What tests ask for, and the plugin's options: what its hooks and its runs share."""

from __future__ import annotations

from pathlib import Path

import pytest

OPTIONS: tuple[tuple[str, str, str | None, str], ...] = (
    ("data", "FOLDER", None, "photos, for tests that name none; without it: 512 sample photos"),
    ("time", "TIME", None, "for each run, all included: 90s, 5m, 1h (default: 5m)"),
    ("blocks", "N", None, "exactly so many blocks (verdicts need 4), with no limit on time"),
    ("margin", "SHARE", "5%", "what counts as equivalent"),
    ("limit", "N|all", None, "images to measure (default: as many as the time allows)"),
    ("image-size", "N|HxW", "224", "pixels that are delivered"),
    ("channels", "1|3", "3", "grey or RGB"),
    ("dtype", "float32|uint8", "float32", "of the images"),
    ("range", "0..1|-1..1|0..255", None, "black and white (default: 0..1, or 0..255 for uint8)"),
    ("label-mode", "int|categorical|binary", "int", "of the labels"),
    ("batch-size", "N", "32", "images in a batch"),
    ("labels", "CSV|REGEX", None, "where the labels stand if not in sub-folders"),
    ("classes", "A,B", None, "the classes to take (default: all)"),
    ("part", "train|validation|test", None, "of a folder that has these inside (default: train)"),
    ("check", "none|header|decode", "decode", "how images are looked at beforehand"),
    ("bad-images", "error|skip", "error", "refuse a folder with bad images, or leave them out"),
    ("max-pixels", "N", None, "above which an image is bad (default: Pillow's own limit)"),
    ("page-cache", "warm|cold", "warm", "as the first epochs find their files"),
    ("seed", "N", "0", "what every random choice follows from"),
    ("prepared", "DIR", None, "where what pipelines write beforehand is kept"),
    ("against", "PYTHON", None, "another environment's: measured too, for `feedbench compare RUN`"),
    ("out", "DIR", None, "a new folder for the run (default: among pytest's temporary ones)"),
)
FLAGS = (
    ("trace", "look for the reasons as well, within a fifth of the time"),
    ("fresh-interpreter", "a whole new Python a trial, not a forked one"),
)


class BlockTimer:
    """A clock that shows the seconds per image that have been handed over."""

    __name__ = "seconds per image"

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._now += seconds


class Wanted:
    """What a test asks for: a pipeline over a folder."""

    def __init__(self, label: str, spec: str, folder: Path | None) -> None:
        self.label = label
        self.spec = spec
        self.text = spec if label == spec else f"{label}={spec}"
        self.folder = folder  # None: the sample photos
        self.timer = BlockTimer()


WANTED: pytest.StashKey[Wanted] = pytest.StashKey()
