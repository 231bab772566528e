"""NVIDIA's DALI on the CPU, where the extra `dali` is installed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from feedbench.pipelines.contract import Workload
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import Fit
from feedbench.pipelines.peers import dali
from feedbench.pipelines.peers.dali import DaliCpu, DaliGpu
from tests.support.builders import natural_photos, workload_over
from tests.support.extras import needs_extra
from tests.support.images.odd import encoded, jpeg, noise
from tests.support.pipelines.feeds import proof_of
from tests.support.pipelines.peers import STRETCHED, assert_epochs, assert_held

needs_dali = needs_extra("dali", "nvidia.dali")


def opened(workload: Workload, folder: Path, **knobs: Any) -> Any:
    return DaliCpu(**knobs).open(workload, folder, folder)


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


@needs_dali
@pytest.mark.thorough
@pytest.mark.parametrize("form", STRETCHED, ids=str)
def test_it_delivers_the_same_in_every_form(
    form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, opened(work, tmp_path), work)
    assert proof.work == "same", proof.reason
    assert proof.shuffle.kind in ("full", "unknown")
    assert proof.shuffle.fixed_in is None


@needs_dali
def test_every_epoch_has_each_image_once_in_a_new_order_and_a_short_last_batch(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    assert_epochs(opened(work, tmp_path, workers=2, prefetch=3), work)


@needs_dali
def test_a_batch_that_the_consumer_holds_is_never_overwritten(photos: Path, tmp_path: Path) -> None:
    assert_held(opened(replace(workload_over(photos), batch_size=16), tmp_path))


@needs_dali
def test_a_gif_and_a_name_that_dali_cannot_open_are_refused(photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "a"
    folder.mkdir(parents=True)
    (folder / "1.gif").write_bytes(encoded(Image.fromarray(noise(9, 9, 3)), "GIF"))
    work = replace(workload_over(tmp_path / "photos"), formats=("GIF",))
    with pytest.raises(RequestError, match=r"DALI decodes no GIF; found .*1\.gif"):
        opened(work, tmp_path)
    (folder / "1.gif").unlink()
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(jpeg())
    with pytest.raises(RequestError, match="DALI opens only files whose names are valid UTF-8"):
        opened(workload_over(tmp_path / "photos"), tmp_path)


@pytest.mark.parametrize("fit", [Fit("crop"), Fit("pad"), Fit("crop", 0.875)], ids=str)
def test_another_fit_is_refused(fit: Fit) -> None:
    with pytest.raises(RequestError, match=f"it resizes by --fit stretch only; found --fit {fit}"):
        DaliCpu().refuse(fit, (224, 224))


@needs_dali
def test_without_a_gpu_dali_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dali, "_gpus", lambda: 0)
    with pytest.raises(RequestError) as refused:
        DaliGpu().refuse(Fit(), (224, 224))
    assert str(refused.value) == (
        "it needs an NVIDIA GPU; this machine has none that its driver reports\nhint: use dali_cpu"
    )


@needs_dali
@pytest.mark.skipif(not dali._gpus(), reason="needs an NVIDIA GPU")
def test_with_a_gpu_the_images_are_the_same_or_near(natural: Workload, tmp_path: Path) -> None:
    proof = proof_of(tmp_path, DaliGpu().open(natural, tmp_path, tmp_path), natural)
    assert proof.work in ("same", "near"), proof.reason
