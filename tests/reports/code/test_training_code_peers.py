"""The code of a loader of another library delivers what its pipeline does."""

from __future__ import annotations

import gc
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.peers.test_spdl import needs_ffmpeg
from tests.reports.code.test_training_code_delivery import (
    BFLOAT16,
    BINARY_AROUND_0,
    BYTES,
    CAFFE,
    CATEGORICAL,
    CENTRE,
    CROP,
    FIRST,
    FLOAT16,
    GREY,
    GREY_BYTES,
    IMAGENET,
    PAD,
    as_arrays,
    assert_same,
    built_in,
    each_image,
    over,
)
from tests.support.extras import needs_extra
from tests.support.pipelines.scripts import Batches, code_of, feeding, saved_epochs

pytestmark = [
    pytest.mark.thorough,
    # From torchvision 0.29 on, of decoder=torchvision.
    pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning"),
]

GRAIN = needs_extra("grain", "grain", "simplejpeg", "cv2")
DALI = needs_extra("dali", "nvidia.dali")
SPDL = (needs_extra("spdl", "spdl.io", "spdl.pipeline"), needs_ffmpeg)
TORCH = needs_extra("torch", "torch", "torchvision", "simplejpeg")
WEBDATASET = needs_extra("webdataset", "webdataset", "torch", "torchvision", "simplejpeg")
IN_PROCESS = "workers=0,persistent_workers=false"  # a function of `exec` is in no module

SAVE = """
    import itertools, sys

    for epoch in range(2):
        parts = [part for batch in itertools.islice(batches, {batches}) for part in batch]
        np.savez(f"{{epoch}}.npz", *parts)
    assert not [name for name in sys.modules if name.startswith("feedbench")]
"""


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        *(
            pytest.param(f"torch_dataloader:{IN_PROCESS}", form, marks=TORCH)
            for form in (
                {},
                GREY_BYTES | PAD | CATEGORICAL,
                FIRST | BFLOAT16 | CENTRE | IMAGENET,
                CAFFE | FLOAT16 | CROP,
                GREY | BINARY_AROUND_0,
                BYTES | CENTRE,
                {"value_range": (0, 255)},
            )
        ),
        *(
            pytest.param(f"torch_dataloader:{IN_PROCESS},{knobs}", {}, marks=TORCH)
            for knobs in ("antialias=false", "decoder=simplejpeg", "decoder=torchvision")
        ),
        *(
            pytest.param("grain", form, marks=GRAIN)
            for form in ({}, GREY_BYTES | PAD, FIRST | BFLOAT16 | CENTRE | IMAGENET)
        ),
        pytest.param("grain:threads=2,prefetch=2,decode=scaled", BINARY_AROUND_0, marks=GRAIN),
        *(
            pytest.param("dali_cpu", form, marks=DALI)
            for form in ({}, BYTES | CATEGORICAL, GREY_BYTES | FIRST, FIRST | BFLOAT16 | IMAGENET)
        ),
        pytest.param("dali_cpu:workers=1", CAFFE | FLOAT16, marks=DALI),
        pytest.param("dali_cpu:prefetch=1", BINARY_AROUND_0, marks=DALI),
        *(
            pytest.param("spdl", form, marks=SPDL)
            for form in ({}, BYTES | CATEGORICAL, GREY_BYTES | FIRST, FIRST | BFLOAT16 | IMAGENET)
        ),
        pytest.param("spdl:workers=1,resize=area", CAFFE | FLOAT16, marks=SPDL),
        pytest.param("spdl:prefetch=1", BINARY_AROUND_0, marks=SPDL),
    ],
    ids=str,
)
def test_the_code_delivers_the_epochs_of_its_pipeline(
    spec: str, form: dict[str, Any], photos: Path, tmp_path: Path
) -> None:
    work, names = over(photos, **form), dict[str, Any]()
    exec(compile(feeding(code_of(spec, work)), "train.py", "exec"), names)
    per_epoch = -(-work.images // 8)
    found = [as_arrays(islice(names["batches"], per_epoch)) for _ in range(2)]
    names["batches"].close()
    expected = built_in(spec, work, tmp_path)
    assert_same(found[:1], expected[:1])
    if spec.startswith("dali"):  # its later orders differ between `repeat` and new iterators
        assert each_image(found[1]) == each_image(expected[1])
    else:
        assert_same(found, expected)


@WEBDATASET
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # WebDataset closes none
@pytest.mark.parametrize(
    ("knobs", "form"),
    [
        ("shards=3", {}),
        ("mix=0,shuffle=0,decoder=simplejpeg", BYTES | CATEGORICAL | PAD),
        ("shuffle=4,antialias=false", FIRST | BFLOAT16 | IMAGENET | CROP),
    ],
)
def test_the_code_of_shards_delivers_each_image_of_its_pipeline(
    knobs: str, form: dict[str, Any], photos: Path, tmp_path: Path, here: Path
) -> None:
    spec = f"webdataset:{IN_PROCESS},{knobs}"
    work, names = over(photos, **form), dict[str, Any]()
    exec(compile(feeding(code_of(spec, work)), "train.py", "exec"), names)
    per_epoch = -(-work.images // 8)
    found = [as_arrays(islice(names["batches"], per_epoch)) for _ in range(2)]
    for epoch, expected in zip(found, built_in(spec, work, tmp_path), strict=True):
        assert [part.dtype for part in epoch[0]] == [part.dtype for part in expected[0]]
        assert [len(labels) for _, labels in epoch] == [len(labels) for _, labels in expected]
        assert each_image(epoch) == each_image(expected)
    names.clear()
    gc.collect()  # the files that it left open, while their warnings are ignored


def epochs_of_a_script(text: str, images: int, folder: Path) -> list[Batches]:
    """Two epochs of code with worker processes, which import it from its file."""
    feeds, model, _ = text.partition("\n    model = ")
    assert model
    return saved_epochs(feeds + SAVE.format(batches=-(-images // 8)), folder)


@TORCH
def test_the_code_of_torchs_workers_delivers_the_epochs_of_its_pipeline(
    photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos)
    found = epochs_of_a_script(code_of("torch_dataloader:workers=2", work), work.images, here)
    assert_same(found, built_in("torch_dataloader:workers=2", work, tmp_path))


@WEBDATASET
def test_the_code_of_webdatasets_workers_delivers_each_image_of_its_pipeline(
    photos: Path, tmp_path: Path, here: Path
) -> None:
    work = over(photos)
    found = epochs_of_a_script(code_of("webdataset:workers=2", work), work.images, here)
    for epoch, expected in zip(found, built_in("webdataset", work, tmp_path), strict=True):
        assert each_image(epoch) == each_image(expected)
    assert each_image(found[0][:1]) != each_image(found[1][:1])  # in another order


@GRAIN
def test_the_code_of_worker_processes_is_a_script_that_they_can_import(
    photos: Path, tmp_path: Path
) -> None:
    code = code_of("grain:workers=2", over(photos))
    head, _, tail = code.partition('if __name__ == "__main__":')
    assert "endless(files, labels)\n" not in head.replace("def endless(files, labels):\n", "")
    assert all(line.startswith("    ") for line in tail.splitlines()[1:] if line)
    compile(code, "train.py", "exec")
