"""Pictures of what pipelines deliver: `feedbench show`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.pipelines import loaders
from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

SIDE, GAP, CAPTION, LEFT, TOP = 128, 8, 20, 28, 28 + 34  # of images of 32x32 pixels


def tiles(file: Path, count: int, columns: int) -> list[np.ndarray]:
    with Image.open(file) as opened:
        picture = np.asarray(opened.convert("RGB")).astype(int)
    return [
        picture[
            TOP + number // columns * (SIDE + CAPTION) :,
            LEFT + number % columns * (SIDE + GAP) :,
        ][:SIDE, :SIDE]
        for number in range(count)
    ]


def test_an_image_is_augmented_anew_in_each_of_20_epochs(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("show", photos, *SMALL, "--image", photos / "dogs" / "03.jpg", "--out", "one.png"),
        *("-p", "tfdata_tuned", "--augment", "flip,rotate=40", "--quiet"),
    )
    assert (done.returncode, done.stdout) == (0, "one.png\n"), done.stderr
    original, *epochs = tiles(feedbench.folder / "one.png", 21, 7)
    different = {tile.tobytes() for tile in epochs}
    assert len(different) == 20
    colours = [tile.mean(axis=(0, 1)) for tile in epochs]
    assert np.abs(np.mean(colours, axis=0) - original.mean(axis=(0, 1))).max() < 25
    assert {file.name for file in feedbench.folder.glob("*.*")} == {"one.png"}
    assert feedbench.left_in_scratch() == []


def test_a_pipeline_that_fails_is_named_and_the_others_are_in_the_picture(
    feedbench: Feedbench, photos: Path
) -> None:
    raises = feedbench.loader(loaders.RAISES)
    done = feedbench.run(
        *("show", photos, *SMALL, "--range", "-1..1", "--out", "both.webp"),
        *("-p", "tfrecord_gzip", "-p", f"mine={raises}", "-p", "tfdata_tuned:shuffle=none"),
    )
    assert done.returncode == 1
    assert "mine: it raised" in done.stderr
    first = tiles(feedbench.folder / "both.webp", 1, 5)
    with Image.open(feedbench.folder / "both.webp") as picture:
        assert picture.width == 3 * LEFT + 2 * (5 * (SIDE + GAP) - GAP)
    assert first[0].std() > 5  # it is no plain field
    assert feedbench.left_in_scratch() == []


def test_without_any_pipeline_that_delivers_there_is_no_picture(
    feedbench: Feedbench, photos: Path
) -> None:
    done = feedbench.run(
        *("show", photos, *SMALL, "--out", "none.png", "-p", feedbench.loader(loaders.RAISES))
    )
    assert done.returncode == 1
    assert "no pipeline delivered images" in done.stderr
    assert not (feedbench.folder / "none.png").exists()
