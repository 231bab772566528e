"""PyTorch's DataLoader, where the extra `torch` is installed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.contract import KnobOverruledWarning, Workload
from feedbench.pipelines.errors import FeedbenchError, RequestError
from feedbench.pipelines.forms import RANGES, Fit
from feedbench.pipelines.peers.torch_dataloader import TorchDataloader
from tests.support.builders import natural_photos, workload_over
from tests.support.extras import needs_extra
from tests.support.images.odd import encoded, noise
from tests.support.pipelines.feeds import proof_of

pytestmark = needs_extra("torch", "torch", "torchvision")

BYTES: dict[str, Any] = {"dtype": "uint8", "value_range": (0.0, 255.0)}
CAFFE: dict[str, Any] = {"value_range": RANGES["caffe"].bounds, "normalization": "caffe"}
IMAGENET: dict[str, Any] = {"value_range": RANGES["imagenet"].bounds, "normalization": "imagenet"}


def opened(workload: Workload, folder: Path, **knobs: Any) -> Any:
    return TorchDataloader(**knobs).open(workload, folder, folder)


def in_process(workload: Workload, folder: Path, **knobs: Any) -> Any:
    """A feed without workers, which needs no seconds to start."""
    return opened(workload, folder, workers=0, persistent_workers=False, **knobs)


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """40 natural-looking photos of several proportions, to 64x48 in batches of 16."""
    folder = tmp_path_factory.mktemp("natural") / "photos"
    return replace(natural_photos(folder, 40, side=64, batch_size=16), width=48)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "form",
    [
        {},
        BYTES,
        BYTES | {"fit": Fit("crop"), "channels": 1},
        CAFFE | {"fit": Fit("crop", 0.875)},
        IMAGENET | {"fit": Fit("pad")},
        {"dtype": "bfloat16", "data_format": "channels_first", "channels": 1},
        {"dtype": "float16", "value_range": (-1.0, 1.0), "fit": Fit("pad")},
        {"value_range": (0.0, 255.0)},
        BYTES | {"data_format": "channels_first", "label_mode": "categorical"},
    ],
    ids=str,
)
def test_it_delivers_the_same_in_every_form_without_antialiasing(
    form: dict[str, Any], natural: Workload, tmp_path: Path
) -> None:
    work = replace(natural, **form)
    proof = proof_of(tmp_path, in_process(work, tmp_path, antialias=False), work)
    assert proof.work == "same", proof.reason
    assert proof.shuffle.kind in ("full", "unknown")
    assert proof.shuffle.fixed_in is None


# From torchvision 0.29 on.
@pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning")
@pytest.mark.thorough
@pytest.mark.parametrize("decoder", ["pil", "torchvision"])
def test_its_default_resize_is_near(decoder: str, natural: Workload, tmp_path: Path) -> None:
    proof = proof_of(tmp_path, in_process(natural, tmp_path, decoder=decoder), natural)
    assert proof.work == "near", proof.reason


@needs_extra("torch", "simplejpeg")
def test_simplejpeg_decodes_what_pillow_does(natural: Workload, tmp_path: Path) -> None:
    feeds = (in_process(natural, tmp_path, decoder=name) for name in ("pil", "simplejpeg"))
    for (expected, _), (images, _) in zip(*feeds, strict=True):
        assert np.abs(images - expected).max() < 3 / 255


def test_every_epoch_has_each_image_once_in_a_new_order_and_a_short_last_batch(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    feed = opened(work, tmp_path, workers=2)
    epochs = [[(images.copy(), labels) for images, labels in feed] for _ in range(3)]
    for epoch in epochs:
        assert [len(labels) for _, labels in epoch] == [16, 16, 7]
        assert sorted(np.concatenate([labels for _, labels in epoch])) == sorted(work.labels)
    assert len({b"".join(images.tobytes() for images, _ in epoch) for epoch in epochs}) == 3
    whole = [sorted(each.tobytes() for images, _ in epoch for each in images) for epoch in epochs]
    assert whole[0] == whole[1] == whole[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_epochs_without_end_do_not_mix_and_end_with_a_short_batch(
    workers: int, photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=16)
    feed = opened(work, tmp_path, workers=workers, persistent_workers=bool(workers))
    batches = feed.repeat()
    epochs = [[next(batches) for _ in range(3)] for _ in range(3)]
    orders = [[each.tobytes() for images, _ in epoch for each in images] for epoch in epochs]
    assert [[len(labels) for _, labels in epoch] for epoch in epochs] == [[16, 16, 7]] * 3
    assert orders[0] != orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    batches.close()
    assert sum(len(labels) for _, labels in feed) == 39  # an epoch ends


def test_workers_that_do_not_stay_cannot_go_on_between_epochs(photos: Path, tmp_path: Path) -> None:
    feed = opened(workload_over(photos), tmp_path, workers=1, persistent_workers=False)
    assert not hasattr(feed, "repeat")


def test_a_worker_that_is_killed_ends_the_epoch_with_its_reason(
    photos: Path, tmp_path: Path
) -> None:
    work = replace(workload_over(photos), batch_size=2)
    batches = iter(opened(work, tmp_path, workers=2, prefetch_factor=1))
    next(batches)
    for worker in multiprocessing.active_children():
        os.kill(worker.pid or 0, signal.SIGKILL)
    with pytest.raises(FeedbenchError) as failed:
        list(batches)
    assert failed.value.sentence.startswith("2 of the DataLoader's 2 worker processes ended: ")
    assert "fewer workers" in failed.value.hint


def test_what_a_worker_raises_is_raised_in_the_consumer(tmp_path: Path) -> None:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "photos" / "a" / "1.png").write_bytes(encoded_png())
    work = workload_over(tmp_path / "photos")
    Path(work.files[0]).write_bytes(b"no image")
    with pytest.raises(Exception, match="cannot identify image file"):
        list(opened(work, tmp_path, workers=1))


def test_a_format_that_the_decoder_does_not_have_is_refused(photos: Path, tmp_path: Path) -> None:
    work = replace(workload_over(photos), formats=("BMP", "JPEG"))
    with pytest.raises(RequestError) as refused:
        in_process(work, tmp_path, decoder="torchvision")
    assert str(refused.value) == (
        "decoder=torchvision: expected JPEG, PNG, GIF or WebP; found BMP\nhint: use decoder=pil"
    )


def test_augmentation_is_refused() -> None:
    with pytest.raises(RequestError, match="it does not augment; found --augment flip"):
        TorchDataloader().refuse(Fit(), (224, 224), Augmentation(flip=True))


def test_persistent_workers_are_reported_as_off_where_there_are_no_workers(
    photos: Path, tmp_path: Path
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        opened(workload_over(photos), tmp_path, workers=0)
    remarks = [each.message for each in caught]
    assert [
        (each.knob, each.used) for each in remarks if isinstance(each, KnobOverruledWarning)
    ] == [("persistent_workers", False)]


WITHOUT_TENSORFLOW = """
import sys
from pathlib import Path
from feedbench.pipelines.peers.torch_dataloader import TorchDataloader
from tests.support.builders import workload_over

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    feed = TorchDataloader(workers=1).open(workload_over(folder), folder, folder)
    assert sum(len(labels) for _, labels in feed) == 39
    assert "tensorflow" not in sys.modules
    assert "libtensorflow" not in Path("/proc/self/maps").read_text()
"""


@pytest.mark.thorough
def test_a_process_that_delivers_its_images_has_no_tensorflow(photos: Path, tmp_path: Path) -> None:
    script = tmp_path / "deliver.py"
    script.write_text(WITHOUT_TENSORFLOW)
    root = Path(__file__).parents[3]
    subprocess.run(
        [sys.executable, script, photos],
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


AFTER_TENSORFLOW = """
from feedbench.bench.forkserver import server

server._preload(("tensorflow",))
import torchvision.transforms.v2
import triton
"""


@pytest.mark.thorough
@needs_extra("torch", "triton")
def test_pytorch_with_triton_can_be_imported_where_trials_have_tensorflow() -> None:
    subprocess.run([sys.executable, "-c", AFTER_TENSORFLOW], check=True)


def encoded_png() -> bytes:
    from PIL import Image

    return encoded(Image.fromarray(noise(8, 8, 3)), "PNG")
