"""What it takes to read labels of 200,000 images from a CSV file, however it names them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from feedbench.pipelines.images.layouts import Layout, index_images
from feedbench.pipelines.images.listing import walk

pytestmark = pytest.mark.study

FILES, FOLDERS = 200_000, 200


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200,000 empty files in 200 folders: the index reads names, not photos."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(FILES):
        path = folder / f"{number % FOLDERS:03d}" / f"image_{number:06d}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize("kind", ["path", "absolute", "backslash", "bare", "id"])
def test_labels_of_200_000_images(many: Path, kind: str, tmp_path: Path) -> None:
    """The target is under 2 s, the listing of the folder apart."""
    begun = time.monotonic()
    files = walk(many).images
    listing = time.monotonic() - begun
    names = {
        "path": lambda file: file,
        "absolute": lambda file: f"{many}/{file}",
        "backslash": lambda file: file.replace("/", "\\"),
        "bare": os.path.basename,
        "id": lambda file: Path(file).stem,
    }
    table = tmp_path / "labels.csv"
    lines = (f"{names[kind](file)},class_{len(file) % 7}{file[2]}" for file in files)
    table.write_text("\n".join(["image,label", *lines]))
    begun = time.monotonic()
    index = index_images(many, Layout(labels=str(table)))
    seconds = time.monotonic() - begun
    assert len(index.files) == FILES
    print(f"\n{kind}: {FILES:,} lines {seconds:.2f} s, of it listing {listing:.2f} s")
