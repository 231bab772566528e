"""Which candidates a tuning measures, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.records.tuning.tuning import Allowance
from feedbench.bench.tuning.allowance import Amounts
from feedbench.bench.tuning.schedule import schedule_of
from feedbench.bench.tuning.tuning import amounts_of, search_of
from feedbench.pipelines import catalog
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.images.index import index_folder

AMOUNTS = Amounts(images=1000, file_bytes=50_000_000, image_values=150_528, value_bytes=4)
SPECS = catalog.parse_all(("tfdata_tuned", "tfrecord_sharded"))


def test_what_there_is_no_time_for_is_named() -> None:
    schedule = schedule_of(120)
    search = search_of(SPECS, AMOUNTS, Allowance(pixels=3.0), schedule)
    assert len(search.candidates) == schedule.most_candidates
    assert {each.why for each in search.excluded} == {"no time; a longer --time measures more"}


def test_the_default_is_measured_even_if_it_is_not_allowed() -> None:
    search = search_of(SPECS, AMOUNTS, Allowance(memory_bytes=1_000_000), schedule_of(3600))
    assert search.candidates[0].label == "tfdata_tuned"
    assert "tfdata_tuned:decode=scaled" in {each.spec for each in search.excluded}


def test_a_request_that_allows_no_candidate_is_refused_with_the_reason() -> None:
    records = catalog.parse_all(("tfrecord_sharded:store=raw",))
    with pytest.raises(RequestError, match=r"no candidate is allowed.*--disk allows 1.00 kB"):
        search_of(records, AMOUNTS, Allowance(disk_bytes=1000), schedule_of(900))


def test_what_is_free_is_known_before_the_folder_of_prepared_files_is_made(
    photos: Path, tmp_path: Path
) -> None:
    prepared = tmp_path / "cache" / "prepared"
    options = RunOptions.of({"prepared": str(prepared), "time": "5m"}, photos, begun=0.0)
    free = amounts_of(index_folder(photos), options).free_bytes
    assert free is not None
    assert free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    assert not prepared.parent.exists()
