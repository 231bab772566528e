"""Runs whose pages hold as much, and as little, as a page can."""

from __future__ import annotations

import math

from feedbench.bench.records.conditions.usage import GpuUsage, Latency
from feedbench.bench.records.diagnosis import (
    Advice,
    Ceiling,
    Diagnosis,
    Stage,
    Step,
    Trace,
    Waterfall,
)
from feedbench.bench.records.proof import Counts, Shown
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import TrialRecord
from tests.support.builders import (
    KOREAN,
    SCRIPT,
    a_preparation,
    a_proof,
    a_row,
    a_run,
    a_shuffle,
    a_trial,
    compared,
    empty_row,
    trials_of,
)
from tests.support.runs.calms import PROBED

LONG = (
    "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=autotune,dct=x"
    + "y" * 20
)
NAMES = ["daisy", SCRIPT, KOREAN, "x" * 60, "a_class_of_many_words", "rose"]
SHEET = [
    *(Shown(file=f"{name}/1.jpg", class_name=name, delivered_as=name) for name in NAMES[:-1]),
    Shown(file=f"{SCRIPT}.jpg", class_name="rose", delivered_as=SCRIPT),
]
MISSED = [*SHEET[1:], Shown(file="daisy/2.jpg", class_name="daisy")]
WORST = a_proof(
    "different",
    counts=Counts(images=3600, missing=1234, doubled=1164, unknown=1200, wrong_labels=1100),
    shuffle=a_shuffle("partial", ahead=12_345, with_list=0.99),
    sheet=MISSED,
    reason=f"its pixels match {SCRIPT}{'y' * 80}",
)
LABELS = ["naive", SCRIPT, "$x_1$ & <b>", KOREAN, LONG, "x" * 100]


def full_run() -> tuple[RunRecord, list[TrialRecord]]:
    """Every table, with figures and labels as wide as they get."""
    used = {
        "latency": Latency(batches=90, p50=0.00131, p95=0.02, p99=0.03, longest=12.5),
        "cpu_seconds_per_1000_images": 1.056,
        "cpu_utilisation": 0.91,
        "peak_memory_bytes": 833_000_000,
        "read_bytes_per_image": 0.0,
        "gpus": [GpuUsage(name=SCRIPT, utilisation=0.34, memory_bytes=1e9, watts="not supported")],
        "preparation": a_preparation(**{LONG: 142.3, SCRIPT: None}),
        "knobs": {"cache": "none", "a_knob_of_ours": "y" * 90},
        "failures": [f"it raised {SCRIPT}"],
        "proof": WORST,
    }
    rows = [
        a_row("naive", proof=a_proof(sheet=SHEET)),
        *(compared(label, 1.5, "inconclusive", **used) for label in LABELS[1:]),
    ]
    trials = trials_of({label: [1000, 1100, 900, 1000] for label in LABELS})
    failed = a_trial(5, SCRIPT, ended="failed", why=SCRIPT, last_words="z" * 300, windows=[])
    return a_run(*rows, best=LABELS, calm=PROBED, diagnosis=WHY), [*trials, failed]


STAGES = [Stage(name=name, ms=0.01 * 2**place) for place, name in enumerate("abcdefgh")]
WHY = Diagnosis(
    traces={label: Trace(folder="", cpu_ms=1.2, stages=STAGES[::-1]) for label in LABELS},
    ceilings=[
        Ceiling(name="read", rate=9000.0),
        Ceiling(name="decode", rate=2400.0),
        Ceiling(name="ready", rate=2300.0),
    ],
    waterfalls=[
        Waterfall(
            label=label,
            like="naive",
            steps=[
                Step(name="read", rate=20_000.0, cpu_ms=0.1),
                Step(name="the rest", rate=1000.0, cpu_ms=1.2),
            ],
        )
        for label in (LONG, SCRIPT)
    ],
    advice=[
        Advice(label=label, sentence=f"store {SCRIPT} {'y' * 60} smaller.", figure="", gain=0.5)
        for label in LABELS
    ],
    skipped=[f"No time was left for these trials: {'x' * 100}."],
)


def odd_runs() -> dict[str, tuple[RunRecord, list[TrialRecord]]]:
    """Runs that hold less than a page could show."""
    nothing = a_run(empty_row("a", "it raised"), empty_row("b", "it hung"), control=None, blocks=0)
    failed = [a_trial(0, label, ended="failed", windows=[]) for label in "ab"]
    few = a_run(a_row("a", level=None), a_row("b", ratio=2.0), blocks=2, control=None)
    not_a_number = a_row("odd", math.nan, ratio=math.inf, ratio_low=math.nan, ratio_high=math.inf)
    many = [f"pipeline-{number}:knob={number}" for number in range(50)]
    fifty = a_run(a_row(many[0]), *(compared(label, 2, "faster") for label in many[1:]))
    return {
        "fifty pipelines": (fifty, trials_of({label: [1000, 900] for label in many})),
        "one block": (few, trials_of({"a": [1000], "b": [2000]})),
        "one pipeline": (a_run(a_row("mine")), trials_of({"mine": [1000] * 4})),
        "all failed": (nothing, failed),
        "under four blocks": (few, trials_of({"a": [1000, 900], "b": [2000, 2100]})),
        "figures that are no numbers": (a_run(a_row("a"), not_a_number), trials_of({"a": [1000]})),
        "nothing at all": (a_run(blocks=0, control=None), []),
    }
