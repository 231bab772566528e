"""What it would take until a model no longer waits, by pipelines of known work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feedbench.bench.records.demand.demand import ModelRecord
from feedbench.bench.records.diagnosis import Fixed
from feedbench.bench.records.run import RunRecord
from feedbench.bench.verdicts.demand.remedies import Remedy, cores_for, remedies
from tests.support.runs.demands import APPETITE, MARGIN, a_demand_run, slow_row

SECONDS = st.floats(0.0001, 0.01)
"""Of CPU time for an image."""


def remedies_of(run: RunRecord) -> dict[str, Remedy]:
    assert run.demand is not None
    rows = {row.label: row for row in run.rows}
    found = remedies(
        run.demand, rows, run.diagnosis, 2.0, margin=run.margin, delivered_pixels=180 * 240
    )
    return {each.label: each for each in found}


@given(serial=SECONDS, spread=SECONDS, now=st.integers(2, 16), room=st.floats(0.02, 0.98))
def test_a_pipeline_that_follows_amdahls_law_is_fast_enough_on_the_cores_that_are_named(
    serial: float, spread: float, now: int, room: float
) -> None:
    rate = 1 / (serial + spread / now)
    needed = 1 / (serial + room * spread / now)
    row = slow_row("a", rate, cpu_seconds_per_1000_images=1000 * (serial + spread))
    cores = cores_for(row, needed, now)
    assert cores.estimate is not None
    assert 1 / (serial + spread / cores.estimate) == pytest.approx(needed, rel=1e-6)
    assert cores.least <= cores.estimate * (1 + 1e-9)
    assert cores.most is None or cores.most >= cores.estimate * (1 - 1e-9)


@given(serial=SECONDS, spread=SECONDS, now=st.integers(2, 16))
def test_no_number_of_cores_is_named_beyond_what_the_part_in_sequence_allows(
    serial: float, spread: float, now: int
) -> None:
    row = slow_row(
        "a",
        1 / (serial + spread / now),
        cpu_seconds_per_1000_images=1000 * (serial + spread),
    )
    assert cores_for(row, 1.01 / serial, now).estimate is None


def test_only_pipelines_for_which_the_model_waits_have_remedies_the_fastest_first() -> None:
    found = remedies_of(a_demand_run())
    assert [*found] == ["tfdata_naive", "image_data_generator"]
    naive = found["tfdata_naive"]
    assert naive.needed == pytest.approx(APPETITE * (1 - MARGIN))
    assert naive.times == pytest.approx(APPETITE * (1 - MARGIN) / 640)


def test_smaller_stored_images_make_the_pipeline_as_fast_as_needed() -> None:
    run = a_demand_run()
    stored = remedies_of(run)["tfdata_naive"].stored
    assert stored is not None
    spent, decoding = 1.9 / 640, 0.002  # CPU seconds for an image
    faster = 640 * spent / (spent - decoding * (1 - stored.share))
    assert faster == pytest.approx(APPETITE * (1 - MARGIN))
    assert stored.pixels == pytest.approx(600_000 * stored.share)
    assert stored.low is not None
    assert stored.low < stored.share


def test_no_size_is_named_that_is_smaller_than_what_is_delivered() -> None:
    run = a_demand_run()
    assert run.diagnosis is not None
    small = replace(run, diagnosis=replace(run.diagnosis, source_pixels=50_000.0))
    assert remedies_of(small)["tfdata_naive"].stored is None


@pytest.mark.parametrize(
    ("given_row", "words"),
    [
        ({"cpu_utilisation": 0.4}, "it keeps only 40% of the cores busy"),
        ({"cpu_utilisation": None}, "its CPU time is not known"),
    ],
)
def test_cores_that_are_not_the_limit_are_no_remedy(
    given_row: dict[str, float | None], words: str
) -> None:
    run = a_demand_run()
    rows = [slow_row(row.label, row.rate or 0.0, **given_row) for row in run.rows]
    found = remedies_of(replace(run, rows=rows))["tfdata_naive"]
    assert found.cores is None
    assert found.stored is None
    assert found.no_cores == words


def test_cores_are_no_remedy_where_the_model_itself_takes_them() -> None:
    run = a_demand_run(model=ModelRecord(name="mnist_cnn", is_emulated=False))
    found = remedies_of(run)["tfdata_naive"]
    assert found.cores is None
    assert "the model runs on the same cores" in found.no_cores


def test_fixed_values_are_a_remedy_only_if_they_were_measured_as_fast_enough() -> None:
    run = a_demand_run()
    assert run.diagnosis is not None
    for rate, is_enough in ((900.0, True), (700.0, False)):
        fixed = Fixed(label="tfdata_naive", spec="x", rate=rate, own_rate=640.0)
        changed = replace(run, diagnosis=replace(run.diagnosis, fixed=[fixed]))
        assert (remedies_of(changed)["tfdata_naive"].fixed is not None) == is_enough
