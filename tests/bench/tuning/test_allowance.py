"""What the user does not allow is left out, before it is measured if that is sure."""

from __future__ import annotations

import dataclasses
from typing import Any

from msgspec.structs import replace

from feedbench.bench.records.tuning.tuning import Allowance
from feedbench.bench.tuning.allowance import Amounts, needs, why_not, why_out
from feedbench.pipelines import catalog
from tests.support.builders import a_preparation, a_proof, a_row

AMOUNTS = Amounts(images=1000, file_bytes=50_000_000, image_values=224 * 224 * 3, value_bytes=4)
DELIVERED = 1000 * 224 * 224 * 3 * 4


def refusal(spec: str, **allowed: Any) -> str:
    return why_not(catalog.parse(spec), AMOUNTS, Allowance(**allowed))


def test_a_cache_takes_memory_or_disk() -> None:
    assert needs(catalog.parse("tfdata_tuned"), AMOUNTS) == (0, DELIVERED)
    assert needs(catalog.parse("tfdata_tuned:cache=file"), AMOUNTS) == (DELIVERED, 0)
    assert needs(catalog.parse("tfdata_tuned:cache=none"), AMOUNTS) == (0, 0)


def test_raw_records_take_a_byte_a_value_on_the_disk_and_in_a_cache_of_them() -> None:
    spec = catalog.parse("tfrecord_sharded:store=raw,cache=memory,cache_at=encoded")
    assert needs(spec, AMOUNTS) == (DELIVERED // 4, DELIVERED // 4)
    assert needs(catalog.parse("tfdata_saved"), AMOUNTS) == (DELIVERED // 4, 0)


def test_smaller_images_need_an_accepted_distance() -> None:
    assert "--pixels" in refusal("tfrecord_sharded:store=resized")
    assert not refusal("tfrecord_sharded:store=resized", pixels=3.0)


def test_what_would_take_more_than_allowed_is_refused_with_both_figures() -> None:
    assert refusal("tfdata_tuned", memory_bytes=500_000_000) == (
        "it would take 602 MB of memory, and --memory allows 500 MB"
    )
    assert "--disk" in refusal("tfrecord_sharded:store=raw", disk_bytes=1_000_000)
    assert not refusal("tfdata_tuned:cache=none", memory_bytes=1, disk_bytes=0)


def measured(**given: Any) -> Any:
    fields: dict[str, Any] = {"label": "tfdata_naive", "spec": "tfdata_naive", "rate": 100.0}
    return a_row(**fields | {"proof": a_proof("same"), "preparation": None, "failures": []} | given)


def out(row: Any, **allowed: Any) -> str:
    return why_out(row, AMOUNTS, 100, Allowance(**allowed))


def test_other_pixels_are_out_with_their_distance() -> None:
    assert not out(measured())
    assert out(measured(proof=a_proof("different")))
    assert "grey levels" in out(measured(proof=a_proof("different", is_wrong=False)))


def test_bytes_that_were_written_are_scaled_to_the_whole_folder() -> None:
    made = replace(a_preparation(), images=100, bytes=2_000_000)
    row = measured(preparation=made)
    assert not out(row, disk_bytes=20_000_000)
    assert "20.0 MB on the disk" in out(row, disk_bytes=19_000_000)


def test_what_has_no_room_on_the_disk_is_out_without_a_limit_too() -> None:
    full = dataclasses.replace(AMOUNTS, free_bytes=20_000_000)
    spec = catalog.parse("tfrecord_sharded:store=raw")
    assert why_not(spec, full, Allowance()) == (
        "it would take 151 MB on the disk for all images, and 20.0 MB are free"
    )
    assert not why_not(spec, AMOUNTS, Allowance())
    assert not why_not(catalog.parse("tfdata_tuned"), full, Allowance())
    made = replace(a_preparation(), images=100, bytes=2_000_000)
    assert not why_out(measured(preparation=made), full, 100, Allowance())
    made = replace(made, bytes=2_100_000)
    assert why_out(measured(preparation=made), full, 100, Allowance()) == (
        "it takes 21.0 MB on the disk for all images, and 20.0 MB are free"
    )


def test_the_time_of_a_preparation_is_scaled_to_the_whole_folder() -> None:
    row = measured(preparation=replace(a_preparation(), images=100, seconds=60.0))
    assert not out(row, preparation_seconds=600.0)
    assert out(row, preparation_seconds=590.0) == (
        "it takes 10 min 0 s to prepare, and --preparation allows 9 min 50 s"
    )
    assert not out(measured(), preparation_seconds=0.0)


def test_the_memory_is_that_of_the_process_with_a_cache_of_all_images() -> None:
    row = measured(label="tfdata_tuned", spec="tfdata_tuned", peak_memory_bytes=400_000_000)
    all_memory = 400_000_000 + DELIVERED * 9 // 10
    assert not out(row, memory_bytes=all_memory)
    assert "of memory" in out(row, memory_bytes=all_memory - 1)


def test_a_pipeline_that_failed_is_out_with_its_reason() -> None:
    assert out(measured(rate=None, failures=["it raised OSError"])) == (
        "it failed: it raised OSError"
    )
