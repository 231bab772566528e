"""From ops to stages, with figures that a trace of tfdata_naive on flowers had."""

from __future__ import annotations

import pytest

from feedbench.bench.records.diagnosis import KNOWN_STAGES, PYTHON, REST
from feedbench.bench.why.stages import stage_of, stages

NAIVE = [
    ("IDLE", "IDLE", 4_299_980.0),
    ("DecodeJpeg", "DecodeJpeg", 2_365_133.0),
    ("Dataset", "Iterator::Root::Prefetch", 1_871_133.0),
    ("ResizeBilinear", "resize/ResizeBilinear", 806_363.0),
    ("Dataset", "Iterator::Root::Prefetch::ForeverRepeat[9]::MapAndBatch", 426_040.0),
    ("ReadFile", "ReadFile", 317_117.0),
    ("RealDiv", "truediv", 49_559.0),
    ("Dataset", "Iterator::Root::Prefetch::ForeverRepeat[6]::MapAndBatch::Shuffle", 4_235.0),
    ("Dataset", "Iterator::Root::ForeverRepeat[6]::MapAndBatch::Shuffle::TensorSlice", 384.0),
]


def test_stages_are_milliseconds_an_image_the_largest_first_and_what_is_left_is_the_rest() -> None:
    found = stages(NAIVE, 2808, cpu_ms=1.38, is_tf_data=True)
    assert [stage.name for stage in found] == [
        *("decode", "resize", REST, "read", "scale", "shuffle", "list")
    ]
    by_name = {stage.name: stage.ms for stage in found}
    assert by_name["decode"] == pytest.approx(0.8423, abs=1e-4)
    assert sum(by_name.values()) == pytest.approx(1.38)


def test_iterators_that_wait_for_a_thread_of_their_own_are_no_work() -> None:
    for name in ("Prefetch", "MapAndBatch", "ParallelMapV2", "ParallelInterleaveV4", "Root"):
        assert stage_of("Dataset", f"Iterator::Root::{name}") is None


@pytest.mark.parametrize(
    ("kind", "name", "stage"),
    [
        ("Dataset", "Iterator::Root::ParallelInterleaveV4::FlatMap[0]::TFRecord", "read"),
        ("Dataset", "Iterator::Root::Load::InterleaveV2[1]::SnapshotDatasetReader/_1", "read"),
        ("Dataset", "Iterator::Root::Prefetch::BatchV2", "batch"),
        ("Dataset", "Iterator::Root::BatchV2::Shuffle::MemoryCache", "cache"),
        ("Dataset", "Iterator::Root::Shuffle[3]", "shuffle"),
        ("DecodeImage", "decode_image", "decode"),
        ("DecodePng", "x", "decode"),
        ("ResizeBicubic", "x", "resize"),
        ("ParseExampleV2", "x", "parse"),
        ("EagerPyFunc", "x", PYTHON),
        ("MatMul", "heavy/MatMul", "MatMul"),
        ("_MklMatMul", "heavy/MatMul", "MatMul"),
    ],
)
def test_each_op_has_its_stage_and_one_of_a_persons_own_is_named_by_its_type(
    kind: str, name: str, stage: str
) -> None:
    assert stage_of(kind, name) == stage
    assert (stage in KNOWN_STAGES) == (stage != "MatMul")


def test_what_a_person_added_is_no_known_stage() -> None:
    assert "MatMul" not in KNOWN_STAGES
    assert {"decode", "read", PYTHON, REST} <= KNOWN_STAGES


def test_without_a_dataset_what_is_left_is_pythons() -> None:
    found = stages([], 100, cpu_ms=2.0, is_tf_data=False)
    assert [(stage.name, stage.ms) for stage in found] == [(PYTHON, 2.0)]
    assert stages([], 100, cpu_ms=None, is_tf_data=False) == []


def test_ops_that_took_more_than_the_process_waited_for_a_core_and_are_scaled_down() -> None:
    found = stages(NAIVE, 2808, cpu_ms=0.5, is_tf_data=True)
    assert REST not in [stage.name for stage in found]
    assert sum(stage.ms for stage in found) == pytest.approx(0.5)
    assert found[0].name == "decode"
