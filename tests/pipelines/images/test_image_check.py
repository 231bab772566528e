"""Which files are bad, and why: what needs no TensorFlow. The decoding is in test_checking.py."""

import errno
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from feedbench.pipelines.images.image_check import (
    MOST_MOST_PIXELS,
    MOST_PIXELS,
    Finding,
    check,
    header,
    judged,
    limit_memory,
    worker_bytes,
)
from feedbench.pipelines.system.workers import each
from tests.pipelines.images.test_index import barred
from tests.support.images.odd import encoded, jpeg, noise, png, png_of, write_odd_files


def header_of(tmp_path: Path, content: bytes) -> Finding:
    file = tmp_path / "file"
    file.write_bytes(content)
    return header(str(file))


def test_a_header_tells_format_mode_and_size_by_content(tmp_path: Path) -> None:
    assert header_of(tmp_path, jpeg(40, 60)) == Finding(None, "JPEG", "RGB", 60, 40)
    assert header_of(tmp_path, png(2, 3)) == Finding(None, "PNG", "RGB", 3, 2)
    grey = encoded(Image.fromarray(noise(5, 7)), "WEBP")
    assert header_of(tmp_path, grey).format == "WebP"


@pytest.mark.parametrize(
    ("kind", "name"), [("TIFF", "TIFF"), ("ICO", "ICO"), ("JPEG2000", "JPEG 2000"), ("PPM", "PPM")]
)
def test_a_header_tells_a_format_that_tensorflow_does_not_decode(
    tmp_path: Path, kind: str, name: str
) -> None:
    seen = header_of(tmp_path, encoded(Image.fromarray(noise(32, 32, 3)), kind))
    assert (seen.reason, seen.format) == (f"TensorFlow does not decode {name}", name)
    assert seen.pixels == 32 * 32


def test_the_orientation_is_read_from_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(Image.fromarray(noise(5, 7, 3)), "JPEG", exif=exif)
    assert header_of(tmp_path, turned).orientation == 6


def test_broken_exif_data_make_no_bad_image(tmp_path: Path) -> None:
    broken = encoded(Image.fromarray(noise(5, 7, 3)), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert header_of(tmp_path, broken).reason is None


def test_what_no_header_can_be_read_of_has_a_reason(tmp_path: Path) -> None:
    reasons = write_odd_files(tmp_path)
    for name in ("empty.jpg", "page.jpg", "drawing.svg", "text.jpg", "round.jpg", "gone.jpg"):
        assert header(str(tmp_path / name)).reason == reasons[name]
    assert header(str(tmp_path / "folder.jpg")).reason == "not a regular file"


def test_metadata_of_macos_next_to_an_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "._1.jpg").write_bytes(bytes.fromhex("00051607 00020000") + b"Mac OS X        ")
    assert header(str(tmp_path / "._1.jpg")).reason == (
        "AppleDouble: metadata that macOS keeps of another file, not an image"
    )


def test_what_only_its_surroundings_decide_is_not_remembered(tmp_path: Path) -> None:
    write_odd_files(tmp_path)
    assert not header(str(tmp_path / "gone.jpg")).lasts
    assert header(str(tmp_path / "empty.jpg")).lasts


def test_a_file_that_may_not_be_read_is_bad_until_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(jpeg())
    with barred(Path("photo.jpg")):
        finding = header("photo.jpg")
    assert (finding.reason, finding.lasts) == ("it cannot be read: Permission denied", False)
    assert header("photo.jpg").reason is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EIO, "Input/output error"), "it cannot be read: Input/output error"),
        (FileNotFoundError(errno.ENOENT, "no"), "no such file, or a link to nothing"),
        (MemoryError(), "it needs more memory than the check may use"),
    ],
)
def test_what_the_system_says_while_a_header_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", failing)
    seen = header_of(tmp_path, jpeg())
    assert (seen.reason or "").startswith(reason)
    assert not seen.lasts


def test_a_file_that_goes_away_while_it_is_looked_at_is_bad_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanishing(_: object) -> None:
        for file in tmp_path.iterdir():
            file.unlink()
        raise UnidentifiedImageError

    monkeypatch.setattr(Image, "open", vanishing)
    assert header_of(tmp_path, jpeg()).reason == "not an image that Pillow knows"


def test_an_image_over_the_limit_is_not_decoded(tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(png_of(20_000, 14_000))
    seen = check(str(tmp_path / "huge.png"), channels=3, most_pixels=MOST_PIXELS)
    assert (seen.channels, seen.reason) == (0, None)
    assert judged(seen, 3, MOST_PIXELS) == (
        "20,000 x 14,000 pixels: over the limit of 89,478,485 (--max-pixels)"
    )
    assert judged(seen, 0, 280_000_000) is None


def test_a_bomb_of_more_pixels_than_pillow_opens_is_told_by_its_size(tmp_path: Path) -> None:
    seen = header_of(tmp_path, png_of(60_000, 60_000))
    assert judged(seen, 3, MOST_PIXELS) == (
        "60,000 x 60,000 pixels: over the limit of 89,478,485 (--max-pixels)"
    )
    assert Image.MAX_IMAGE_PIXELS is not None


def test_what_only_decoding_shows_is_not_said_of_headers() -> None:
    seen = Finding("Pillow: image file is truncated", "JPEG", "RGB", 6, 4, channels=3)
    assert judged(seen, 3, MOST_PIXELS) == "Pillow: image file is truncated"
    assert judged(seen, 0, MOST_PIXELS) is None


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_lower_limit_on_memory_that_is_set_already_stays(kind: str) -> None:
    lower = 3 * 2**30

    def limited() -> Callable[[int], bytes]:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (lower, lower if kind == "hard" else hard))
        limit_memory(MOST_MOST_PIXELS)
        return lambda _: b"%d" % resource.getrlimit(resource.RLIMIT_DATA)[0]

    assert list(each(limited, 1, 1, 60)) == [(0, b"%d" % lower)]


def test_the_memory_of_a_worker_follows_from_the_limit_on_pixels() -> None:
    assert worker_bytes(MOST_PIXELS) < 2 * 2**30
    assert worker_bytes(2 * MOST_PIXELS) - worker_bytes(MOST_PIXELS) == 16 * MOST_PIXELS
