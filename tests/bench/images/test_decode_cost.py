"""What decoding costs, by a few files, of which any may be bad."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from feedbench.bench.images.decode_cost import decode_seconds
from tests.support.images.odd import encoded, jpeg, write_odd_files

NONE_COULD_BE = 0.01  # seconds


def test_files_that_cannot_be_decoded_are_passed_over_without_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_odd_files(tmp_path)
    palette = Image.fromarray(np.zeros((30, 30), np.uint8), "P")
    palette.putpalette([255, 255, 255, *[0] * 765])
    (tmp_path / "warned of.png").write_bytes(encoded(palette, "PNG", transparency=b"\x00\x80"))
    files = [str(file) for file in sorted(tmp_path.iterdir())]
    assert decode_seconds(files, (20, 30)) != NONE_COULD_BE
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("error", [EOFError(), IndexError(), MemoryError(), struct.error()])
def test_whatever_pillow_raises_is_no_matter_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: object) -> None:
        raise error

    (tmp_path / "1.jpg").write_bytes(jpeg())
    monkeypatch.setattr(Image.Image, "convert", failing)
    assert decode_seconds([str(tmp_path / "1.jpg")], (20, 30)) == NONE_COULD_BE


def test_what_is_too_large_is_not_decoded(tmp_path: Path) -> None:
    file = tmp_path / "1.jpg"
    file.write_bytes(jpeg(40, 60))
    assert decode_seconds([str(file)], (20, 30), most_pixels=2399) == NONE_COULD_BE
    assert decode_seconds([str(file)], (20, 30), most_pixels=2400) != NONE_COULD_BE
