from __future__ import annotations

import math

from msgspec.structs import replace

from feedbench.bench.records.diagnosis import Autotune
from feedbench.reports.sentences.autotune import by_stage, without_it
from feedbench.reports.text.figures import MISSING
from tests.support.builders import a_row, a_run
from tests.support.runs.diagnoses import AUTOTUNE, FIXED


def test_each_stage_has_its_calls_its_buffer_and_its_time_and_the_consumer_is_none() -> None:
    ((label, budgets, stages),) = by_stage(a_run(a_row("a", autotune=AUTOTUNE), a_row("b")))
    assert (label, budgets) == ("a", "budget: 2 cores, 11.5 GB of memory")
    assert stages == [
        ("Prefetch", MISSING, "8", "0.0896"),
        ("MapAndBatch", "1 of 2", MISSING, "46.5"),
        ("Shuffle", MISSING, MISSING, MISSING),
    ]


def test_a_pipeline_of_which_no_stage_is_known_has_no_table() -> None:
    none = Autotune(cpu_budget=2, ram_budget=1, choices=AUTOTUNE.choices[:1])
    assert by_stage(a_run(a_row("a", autotune=none), a_row("b"))) == []


def test_without_autotune_it_is_said_how_much_faster_and_what_a_restart_took() -> None:
    assert without_it(FIXED) == (
        "with 2 parallel calls and AUTOTUNE off: +3% (1,030 images/s instead of 1,000); a restart"
        " took 0.020 s instead of 0.640 s. Each is one trial; two trials may differ by a few"
        " percent."
    )


def test_that_autotune_costs_nothing_or_pays_is_said_too() -> None:
    same = replace(FIXED, rate=996.0, turnover_seconds=None)
    assert without_it(same) == (
        "with 2 parallel calls and AUTOTUNE off: as fast (996 images/s instead of 1,000). Each is"
        " one trial; two trials may differ by a few percent."
    )
    assert "AUTOTUNE off: -9% (910 images/s" in str(without_it(replace(FIXED, rate=910.0)))


def test_of_rates_that_are_none_nothing_is_said() -> None:
    for odd in (math.nan, 0.0):
        assert without_it(replace(FIXED, own_rate=odd)) is None
