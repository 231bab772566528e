"""SPDL, where the extra `spdl` and the libraries of FFmpeg are installed."""

from __future__ import annotations

from ctypes.util import find_library
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.peers.spdl import Spdl
from tests.support.builders import natural_photos, workload_over
from tests.support.extras import needs_extra
from tests.support.images.odd import jpeg
from tests.support.pipelines.feeds import proof_of
from tests.support.pipelines.peers import STRETCHED, assert_epochs, assert_held

HAS_FFMPEG = find_library("avdevice") is not None
needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="needs the libraries of FFmpeg")


def needs_spdl(test: Any) -> Any:
    return needs_extra("spdl", "spdl.io", "spdl.pipeline")(needs_ffmpeg(test))


def opened(workload: Workload, folder: Path, **knobs: Any) -> Any:
    return Spdl(**knobs).open(workload, folder, folder)


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


@needs_spdl
@pytest.mark.thorough
@pytest.mark.parametrize("form", STRETCHED, ids=str)
def test_its_antialiased_filter_is_near_in_every_form(
    form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(work, tmp_path), work)
    assert proof.work == "near", proof.reason
    assert proof.shuffle.kind in ("full", "unknown")
    assert proof.shuffle.fixed_in is None


@needs_spdl
def test_every_epoch_has_each_image_once_in_a_new_order_and_a_short_last_batch(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    assert_epochs(opened(work, tmp_path, workers=3, prefetch=1), work)


@needs_spdl
def test_a_batch_that_the_consumer_holds_is_never_overwritten(photos: Path, tmp_path: Path) -> None:
    assert_held(opened(replace(workload_over(photos), batch_size=16), tmp_path))


@needs_spdl
def test_a_file_that_ffmpeg_does_not_decode_ends_the_epoch_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "a" / "1.jpg").write_bytes(jpeg())
    work = workload_over(tmp_path / "photos")
    Path(work.files[0]).write_bytes(b"no image")
    with pytest.raises(RuntimeError, match=r"1\.jpg"):
        list(opened(work, tmp_path))


@pytest.mark.parametrize("fit", [Fit("crop"), Fit("pad"), Fit("crop", 0.875)], ids=str)
def test_another_fit_is_refused(fit: Fit) -> None:
    with pytest.raises(RequestError, match=f"it resizes by --fit stretch only; found --fit {fit}"):
        Spdl().refuse(fit, (224, 224))
