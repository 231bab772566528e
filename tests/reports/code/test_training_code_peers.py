"""The code of a loader of another library delivers what its pipeline does."""

from __future__ import annotations

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
    FIRST,
    FLOAT16,
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
from tests.support.scripts import code_of, feeding

pytestmark = pytest.mark.thorough

GRAIN = needs_extra("grain", "grain", "simplejpeg", "cv2")
DALI = needs_extra("dali", "nvidia.dali")
SPDL = (needs_extra("spdl", "spdl.io", "spdl.pipeline"), needs_ffmpeg)


@pytest.mark.parametrize(
    ("spec", "form"),
    [
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


@GRAIN
def test_the_code_of_worker_processes_is_a_script_that_they_can_import(
    photos: Path, tmp_path: Path
) -> None:
    code = code_of("grain:workers=2", over(photos))
    head, _, tail = code.partition('if __name__ == "__main__":')
    assert "endless(files, labels)\n" not in head.replace("def endless(files, labels):\n", "")
    assert all(line.startswith("    ") for line in tail.splitlines()[1:] if line)
    compile(code, "train.py", "exec")
