"""A run that was killed, and photos that a test may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runs.killed import Killed


@pytest.fixture
def killed(tmp_path: Path, own_photos: Path) -> Killed:
    return Killed(tmp_path, own_photos)


@pytest.fixture
def own_photos(photos: Path, tmp_path: Path) -> Path:
    """Photos that the test may change."""
    folder = tmp_path / "photos"
    for file in photos.rglob("*.jpg"):
        copy = folder / file.relative_to(photos)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    return folder
