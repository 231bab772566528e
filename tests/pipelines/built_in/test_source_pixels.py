from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from feedbench.pipelines.built_in.source_pixels import mean_pixels


def test_it_is_the_mean_of_width_times_height_and_what_cannot_be_read_is_passed_over(
    tmp_path: Path,
) -> None:
    files = [str(tmp_path / f"{number}.png") for number in range(3)]
    Image.new("RGB", (100, 50)).save(files[0])
    Image.new("RGB", (30, 100)).save(files[1])
    Path(files[2]).write_bytes(b"no image")
    assert mean_pixels(files) == 4000
    assert mean_pixels(files[2:]) is None


def test_a_photo_that_became_a_pipe_is_passed_over_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert mean_pixels([str(tmp_path / "pipe.png")]) is None
