"""Bad images are found, with their reasons, in processes of their own: real TensorFlow."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from feedbench.bench.images.check import (
    Bad,
    Checker,
    Checks,
    bad_of,
    refuse,
    without,
    worker_count,
)
from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.progress import Listener, Quiet
from feedbench.bench.processes.workload_file import workload_of
from feedbench.pipelines.built_in.image_data_generator import ImageDataGenerator
from feedbench.pipelines.built_in.tfdata_tuned import TfdataTuned
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.images.image_check import MOST_PIXELS, Finding
from feedbench.pipelines.images.index import Index, index_folder
from tests.support.images.odd import encoded, jpeg, noise, write_odd_files

CHANNELS = get_args(get_type_hints(Workload)["channels"])


class Told(Quiet):
    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)


def checker(
    tmp_path: Path,
    processes: Processes | None,
    channels: int = 3,
    listener: Listener | None = None,
    **asked: Any,
) -> Checker:
    checks = Checks(**{"cache": tmp_path / "cache", **asked})
    return Checker(checks, channels, processes, tmp_path, listener or Told())


def reasons(index: Index, findings: list[Finding]) -> dict[str, str]:
    return {Path(bad.file).name: bad.reason for bad in bad_of(index, findings)}


def alike(expected: dict[str, str], actual: dict[str, str]) -> bool:
    """Compare as much of each reason as is expected."""
    begun = {name: reason[: len(expected.get(name, ""))] for name, reason in actual.items()}
    assert begun == expected
    return True


@pytest.mark.tensorflow
def test_every_bad_file_has_its_true_reason_and_no_other_file_has_one(
    processes: Processes, tmp_path: Path
) -> None:
    expected = write_odd_files(tmp_path / "photos" / "odd")
    index = index_folder(tmp_path / "photos")
    bad = reasons(index, checker(tmp_path, processes).findings(index))
    assert alike(expected, bad), bad


@pytest.mark.tensorflow
def test_a_second_check_decodes_only_what_has_changed(processes: Processes, tmp_path: Path) -> None:
    expected = write_odd_files(tmp_path / "photos" / "odd")
    index = index_folder(tmp_path / "photos")
    first = checker(tmp_path, processes)
    before = first.findings(index)
    (tmp_path / "photos/odd/empty.jpg").write_bytes(jpeg())
    told = Told()
    second = checker(tmp_path, processes, listener=told)
    after = second.findings(index)
    del expected["empty.jpg"]
    assert alike(expected, reasons(index, after))
    assert len(before) == len(after)
    # The one that changed, two links, which only the system around them makes bad, and what was
    # too large to be decoded.
    assert told.stages[0] == "checking 4 images"


def test_headers_are_looked_at_without_tensorflow(tmp_path: Path) -> None:
    expected = write_odd_files(tmp_path / "photos" / "odd")
    index = index_folder(tmp_path / "photos")
    bad = reasons(index, checker(tmp_path, None, how="header").findings(index))
    only_decoding = {"cut.jpg", "cut.png", "deep.png", "transparent.gif", "transparent.webp"}
    assert alike({k: v for k, v in expected.items() if k not in only_decoding}, bad), bad


def test_processes_that_cannot_begin_are_one_sentence(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "feedbench.pipelines.images.image_check.limit_memory", lambda _: os._exit(4)
    )
    with pytest.raises(FeedbenchError) as caught:
        checker(tmp_path, None, how="header").findings(index_folder(photos))
    assert str(caught.value) == (
        "the images could not be checked: a worker process ended at its start (exit code 4)"
    )


def test_without_a_check_names_alone_tell(tmp_path: Path) -> None:
    write_odd_files(tmp_path / "photos" / "odd")
    (tmp_path / "photos/odd/._1.jpg").touch()
    index = index_folder(tmp_path / "photos")
    bad = reasons(index, checker(tmp_path, None, how="none").findings(index))
    assert bad == {
        "drawing.svg": "not every pipeline decodes .svg (judged by its name)",
        "._1.jpg": "metadata of macOS, not an image (judged by its name)",
    }


@pytest.mark.tensorflow
def test_a_limit_on_pixels_is_asked_for_and_remembers_nothing_wrong(
    processes: Processes, tmp_path: Path
) -> None:
    (tmp_path / "photos" / "c").mkdir(parents=True)
    (tmp_path / "photos" / "c" / "1.jpg").write_bytes(jpeg(40, 60))
    index = index_folder(tmp_path / "photos")
    for most, reason in ((2399, "60 x 40 pixels: over the limit of 2,399 (--max-pixels)"),):
        findings = checker(tmp_path, processes, most_pixels=most).findings(index)
        assert reasons(index, findings) == {"1.jpg": reason}
    (found_now,) = checker(tmp_path, processes, most_pixels=2400).findings(index)
    assert (found_now.reason, found_now.channels) == (None, 3)


@pytest.mark.tensorflow
def test_a_check_that_is_cut_short_by_the_time_goes_on_from_there(
    processes: Processes, tmp_path: Path
) -> None:
    (tmp_path / "photos" / "c").mkdir(parents=True)
    (tmp_path / "photos" / "c" / "0.jpg").write_bytes(jpeg(1500, 1500))
    for number in range(1, 300):
        (tmp_path / "photos" / "c" / f"{number}.jpg").hardlink_to(tmp_path / "photos/c/0.jpg")
    index = index_folder(tmp_path / "photos")
    with pytest.raises(RequestError, match=r"time ran out after .* of 300 images were checked"):
        checker(tmp_path, processes).findings(index, limit_seconds=2.0)


def an_index(*files: str) -> Index:
    return Index(Path("/photos"), ("a", "b"), files, tuple("ab".index(f[0]) for f in files), 0)


def test_bad_files_are_an_error_that_lists_them_and_says_how_to_go_on() -> None:
    index = an_index("a/1.jpg", "a/2.jpg", "b/1.jpg")
    bad = [Bad("a/1.jpg", "an empty file"), Bad("b/1.jpg", "TensorFlow does not decode TIFF")]
    with pytest.raises(RequestError) as caught:
        refuse(index, bad, Checks())
    assert str(caught.value) == (
        "/photos: 2 of 3 images cannot be measured; expected images that TensorFlow and Pillow"
        " decode alike:\n"
        "  a/1.jpg: an empty file\n"
        "  b/1.jpg: TensorFlow does not decode TIFF\n"
        "hint: remove or repair them, or leave them out with --bad-images skip"
    )


def test_bad_files_may_be_left_out_and_the_others_keep_their_labels() -> None:
    index = an_index("a/1.jpg", "a/2.jpg", "b/1.jpg")
    bad = [Bad("a/1.jpg", "an empty file")]
    refuse(index, bad, Checks(bad_images="skip"))
    left = without(index, bad)
    assert (left.files, left.labels) == (("a/2.jpg", "b/1.jpg"), (0, 1))
    assert left.class_names == index.class_names


def test_a_folder_of_bad_files_only_is_refused_even_if_they_may_be_left_out() -> None:
    bad = [Bad("a/1.jpg", "an empty file")]
    with pytest.raises(RequestError, match="1 of 1 image cannot be measured, and none is left;"):
        refuse(an_index("a/1.jpg"), bad, Checks(bad_images="skip"))


def test_a_long_list_of_bad_files_ends() -> None:
    files = [f"a/{number}.jpg" for number in range(150)]
    with pytest.raises(RequestError) as caught:
        refuse(an_index(*files), [Bad(file, "an empty file") for file in files], Checks())
    assert len(str(caught.value).splitlines()) == 102
    assert str(caught.value).endswith("and 50 more, which feedbench inspect lists")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"how": "well"}, "--check 'well': expected none, header or decode"),
        ({"bad_images": "drop"}, "--bad-images 'drop': expected error or skip"),
        ({"most_pixels": 0}, "--max-pixels 0: expected 1 to 178,956,970; Pillow refuses"),
    ],
)
def test_checks_that_cannot_be_meant_are_refused(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        Checks(**asked)
    assert str(caught.value).startswith(sentence)


def test_as_many_files_are_decoded_at_once_as_memory_and_cores_allow() -> None:
    assert worker_count(MOST_PIXELS, cores=8.0, available=6 * 2**30) == 3
    assert worker_count(MOST_PIXELS, cores=2.5, available=600 * 2**30) == 2
    assert worker_count(MOST_PIXELS, cores=8.0, available=2**20) == 1


KINDS = st.sampled_from(
    [
        *(("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA")),
        *(("PNG", "L"), ("PNG", "LA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16")),
        *(("BMP", "RGB"), ("BMP", "L"), ("BMP", "P"), ("BMP", "1"), ("GIF", "P"), ("GIF", "L")),
        *(("WEBP", "RGB"), ("WEBP", "RGBA"), ("TIFF", "RGB"), ("TIFF", "CMYK"), ("ICO", "RGBA")),
    ]
)


def an_image(kind: str, mode: str, seed: int, side: int) -> bytes:
    if mode == "I;16":
        return encoded(Image.fromarray(noise(side, side, dtype=np.uint16, seed=seed)), kind)
    return encoded(Image.fromarray(noise(side, side, 3, seed=seed)).convert(mode), kind)


@pytest.mark.tensorflow
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(KINDS, st.integers(0, 9)), min_size=1, max_size=12), st.integers(1, 40))
def test_what_is_left_of_any_folder_is_delivered_alike(
    processes: Processes, kinds: list[tuple[tuple[str, str], int]], side: int
) -> None:
    """Each file is a class of its own, by which its image is known in whatever order it comes."""
    side = max(side, 16 if any(kind == "ICO" for (kind, _), _ in kinds) else 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place, ((kind, mode), seed) in enumerate(kinds):
            (folder / f"{place:02d}").mkdir()
            (folder / f"{place:02d}" / "image.jpg").write_bytes(an_image(kind, mode, seed, side))
        index = index_folder(folder)
        findings = checker(folder, processes, cache=None).findings(index)
        left = without(index, bad_of(index, findings))
        if not left.files:
            return
        workload = workload_of(
            left, folder_images=len(left.files), image_size=(side, side), batch_size=12, seed=0
        )
        ours, theirs = (
            dict(zip(labels.tolist(), 255 * images, strict=True))
            for images, labels in (
                batch_of(pipeline, workload, folder)
                for pipeline in (TfdataTuned(cache="none"), ImageDataGenerator())
            )
        )
        assert ours.keys() == theirs.keys() == set(left.labels)
        assert all(np.abs(ours[label] - theirs[label]).mean() <= 1.001 for label in ours)


@pytest.fixture(scope="module")
def odd_index(odd: Path) -> Index:
    files = tuple(sorted(file.name for file in odd.iterdir()))
    return Index(odd, ("odd",), files, (0,) * len(files), 0)


def batch_of(pipeline: Any, workload: Workload, tmp_path: Path) -> tuple[Any, Any]:
    """Return the images and labels of a workload of one batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow has its opinion of some palettes
        (batch,) = list(pipeline.open(workload, tmp_path, tmp_path))
    return np.asarray(batch[0]), np.asarray(batch[1])


@pytest.mark.tensorflow
@pytest.mark.parametrize("channels", [3, 1])
def test_every_odd_file_is_left_out_with_a_reason_or_delivered_alike(
    odd_index: Index, processes: Processes, tmp_path: Path, channels: int
) -> None:
    findings = checker(tmp_path, processes, channels).findings(odd_index)
    assert sum(finding.reason is not None for finding in findings) == 39
    if channels not in CHANNELS:
        return
    at_channels: dict[str, Any] = {"channels": channels}
    for path, finding in zip(odd_index.paths, findings, strict=True):
        if finding.reason is not None:
            continue
        workload = Workload(
            files=(path,),
            labels=(0,),
            class_names=("odd",),
            height=finding.height,
            width=finding.width,
            folder_images=1,
            **at_channels,
        )
        pipelines = (TfdataTuned(cache="none"), ImageDataGenerator())
        ours, theirs = (batch_of(pipeline, workload, tmp_path)[0][0] for pipeline in pipelines)
        assert ours.shape == theirs.shape == (finding.height, finding.width, channels)
        assert 255 * np.abs(ours - theirs).mean() <= 1, path
