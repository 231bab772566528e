"""Which trials a diagnosis asks for, and what it says of those that fail. No process is begun."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.processes.progress import Quiet
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.diagnosis import Autotune, Choice, Diagnosis
from feedbench.bench.records.measurement import Profile
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import PipelineRecord, RunRecord
from feedbench.bench.records.trial import TrialRecord
from feedbench.bench.why.diagnostics import Diagnostics
from feedbench.bench.why.trace_reader import Reading
from feedbench.pipelines.catalog import Spec, parse
from feedbench.reports.sentences.why import limits
from tests.support.builders import ENVIRONMENT, a_row, a_run, a_trial

AUTOTUNE = Autotune(
    cpu_budget=2,
    ram_budget=1,
    choices=[Choice(stage="MapAndBatch", parallelism=1, most_parallelism=2, ms=1.0)],
)
TRACED = Profile(images=100, steps=4, seconds=1.0, cpu_seconds=0.2, is_tf_data=True)


class Trials:
    """Trials that end as told, and what was asked of them."""

    def __init__(self, **of_trace: Any) -> None:
        self.asked: list[tuple[str, str, str]] = []  # label, text, step
        self._of_trace = of_trace or {"ended": "traced", "traced": TRACED}
        self.in_python: set[str] = set()  # labels of those that are not tf.data

    def diagnose(self, spec: Spec, purpose: Any, *_: object, **asked: Any) -> TrialRecord:
        if purpose == "trace":
            of_trace = self._of_trace
            if spec.label in self.in_python and of_trace.get("traced") is TRACED:
                of_trace = of_trace | {"traced": replace(TRACED, is_tf_data=False)}
            return a_trial(0, spec.label, purpose=purpose, **of_trace)
        if purpose == "diagnostic":
            self.asked.append((spec.label, spec.text, asked.get("until", "")))
        return a_trial(0, spec.label, purpose=purpose)

    def cut_off(self) -> list[tuple[str, str]]:
        """Of which pipelines the first step was measured, and what was for it."""
        return [(label, text) for label, text, until in self.asked if until == "read"]

    def fixed(self) -> list[str]:
        return [text for _, text, until in self.asked if not until]


class Keeper:
    """Keeps a run's record, and its diagnosis, in memory."""

    def __init__(self, run: RunRecord, folder: Path) -> None:
        self.run = run
        self.folder = RunFolder(folder)
        self.diagnosis = Diagnosis()

    def keep_diagnosis(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis


def looked_at(
    folder: Path,
    trials: Trials | Broken,
    rows: Sequence[Row],
    labels: Sequence[str] = (),
    *,
    ops: Sequence[str] = (),
    sampler: str = "",
    datasets: Sequence[str] = (),
    **given: Any,
) -> Diagnosis:
    """What comes of it, where xprof finds these ops in every trace; a row's label is its SPEC.

    `datasets` are labels of tf.data pipelines, besides those with AUTOTUNE's choices.
    """
    if isinstance(trials, Trials):
        trials.in_python = {row.label for row in rows if row.autotune is None} - {*datasets}
    keeper = Keeper(a_run(*rows, **given), folder)
    specs = {row.label: parse(row.label) for row in rows}
    like_trials: Any = trials
    reading = Reading(ops=[(op, op, 1000.0) for op in ops])
    diagnostics = Diagnostics(
        like_trials,
        keeper,
        specs,
        folder / "w",
        folder,
        Quiet(),
        lambda *_, **__: reading,
        sampler,
    )
    diagnostics.run(labels or list(specs), [], None)
    return keeper.diagnosis


BASELINE = a_row("tfdata_naive", knobs={"cache": "none"}, autotune=AUTOTUNE)
THEIRS = a_row("loader.py:photos", 2000.0, autotune=AUTOTUNE)


def test_a_trace_that_fails_is_said_once(tmp_path: Path) -> None:
    why = "it raised AlreadyExistsError: Another profiler is running"
    found = looked_at(tmp_path, Trials(ended="failed", why=why), [BASELINE])
    said = limits(a_run(BASELINE, diagnosis=found))
    assert [sentence for sentence in said if why in sentence] == [
        f"tfdata_naive: its trace cannot be used: {why}."
    ]


def test_any_other_trial_that_fails_is_said(tmp_path: Path) -> None:
    class Failing(Trials):
        def diagnose(self, spec: Spec, purpose: Any, *_: object, **asked: Any) -> TrialRecord:
            if asked.get("until") == "decode" and purpose == "diagnostic":
                return a_trial(0, spec.label, ended="failed", why="it hung", windows=[])
            return super().diagnose(spec, purpose, **asked)

    found = looked_at(tmp_path, Failing(), [BASELINE])
    assert "tfdata_naive: its steps up to decode: it hung." in found.skipped


def test_the_fastest_is_cut_off_even_if_it_is_a_persons_own_and_ours_has_its_values_fixed(
    tmp_path: Path,
) -> None:
    trials = Trials()
    found = looked_at(tmp_path, trials, [BASELINE, THEIRS], ops=["DecodeJpeg", "MatMul"])
    assert trials.cut_off() == [
        ("loader.py:photos", "tfdata_naive"),
        ("tfdata_naive", "tfdata_naive"),
    ]
    assert [(each.label, each.like) for each in found.waterfalls] == [
        ("loader.py:photos", "tfdata_naive"),
        ("tfdata_naive", ""),
    ]
    assert [each.label for each in found.fixed] == ["tfdata_naive"]
    assert all(text.startswith("tfdata_naive") for text in trials.fixed())


@pytest.mark.parametrize(
    ("theirs", "op"),
    [
        (a_row("loader.py:photos", 2000.0), "DecodeJpeg"),  # no tf.data
        (THEIRS, "MatMul"),  # it decodes no more, once its cache is full
        (a_row("loader.py:photos", 2000.0, autotune=AUTOTUNE, knobs={"cache": "memory"}), "Decode"),
        (a_row("loader.py:photos", 500.0, autotune=AUTOTUNE), "DecodeJpeg"),  # it is not the best
    ],
)
def test_a_persons_own_that_has_no_such_steps_or_is_slower_is_not_cut_off(
    tmp_path: Path, theirs: Row, op: str
) -> None:
    trials = Trials()
    looked_at(tmp_path, trials, [BASELINE, theirs], ops=[op])
    assert trials.cut_off() == [("tfdata_naive", "tfdata_naive")]


def test_without_one_of_ours_no_values_are_fixed(tmp_path: Path) -> None:
    trials = Trials()
    found = looked_at(tmp_path, trials, [THEIRS], ops=["DecodeJpeg"])
    assert [each.label for each in found.waterfalls] == ["loader.py:photos"]
    assert (found.fixed, trials.fixed(), found.skipped) == ([], [], [])


def test_that_another_environment_is_not_traced_is_said(tmp_path: Path) -> None:
    there = Other(python="/old/bin/python", name="old", environment=ENVIRONMENT, code="")
    rows = [BASELINE, a_row("tfdata_naive @old")]
    found = looked_at(tmp_path, Trials(), rows, ["tfdata_naive"], against=there)
    assert list(found.traces) == ["tfdata_naive"]
    assert found.skipped == [
        "The diagnosis covers this environment only, not the pipelines in old."
    ]
    assert looked_at(tmp_path, Trials(), [BASELINE]).skipped == []


class Sampling(Trials):
    """Trials whose stacks can be sampled, and what samples them."""

    def diagnose(self, spec: Spec, purpose: Any, *given: object, **asked: Any) -> TrialRecord:
        if not asked.get("sampler"):
            return super().diagnose(spec, purpose, *given, **asked)
        self.asked.append((spec.label, asked["sampler"], "stacks"))
        folder = Path(asked["trace"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stacks.txt").write_text("p;f (loader.py:1);load (PIL/ImageFile.py:9) 30\n")
        taken = Profile(images=100, steps=4, seconds=1.0, cpu_seconds=0.5, is_tf_data=False)
        return a_trial(0, spec.label, purpose=purpose, ended="traced", traced=taken)


OWN = a_row("loader.py:photos@/env/bin/python")
OF_OWN = PipelineRecord(OWN.label, OWN.label, "own", python="/env/bin/python")


def test_a_loader_without_tf_data_has_its_stages_by_samples_of_its_stacks(tmp_path: Path) -> None:
    rows = [BASELINE, a_row("loader.py:photos"), a_row("threads"), OWN]
    pipelines = [*(PipelineRecord(row.label, row.label, row.label[:4]) for row in rows[:3]), OF_OWN]
    trials = Sampling()
    found = looked_at(
        tmp_path, trials, rows, ops=["MatMul"], sampler="/py-spy", pipelines=pipelines
    )
    sampled = [label for label, _, step in trials.asked if step == "stacks"]
    assert sampled == ["loader.py:photos", "threads", OWN.label]
    assert [(stage.name, stage.ms) for stage in found.traces["threads"].stages] == [("decode", 5.0)]
    assert found.traces[OWN.label].is_sampled
    assert not found.traces["tfdata_naive"].is_sampled
    assert found.skipped == []


def test_a_dataset_that_switches_autotune_off_is_not_sampled(tmp_path: Path) -> None:
    """It has no choices of AUTOTUNE, but its trace shows that a dataset's iterator delivers."""
    trials, theirs = Sampling(), a_row("loader.py:photos", 2000.0)
    found = looked_at(
        *(tmp_path, trials, [BASELINE, theirs]),
        ops=["DecodeJpeg"],
        sampler="/py-spy",
        datasets=[theirs.label],
    )
    assert not found.traces[theirs.label].is_sampled
    assert ("loader.py:photos", "tfdata_naive") in trials.cut_off()


def test_without_py_spy_one_sentence_names_all_that_are_not_sampled(tmp_path: Path) -> None:
    pipelines = [PipelineRecord("threads", "threads", "threads"), OF_OWN]
    found = looked_at(tmp_path, Trials(), [a_row("threads"), OWN], pipelines=pipelines)
    assert list(found.traces) == ["threads"]  # by TensorFlow's profiler, which sees only Python
    assert found.traces["threads"].stages == []
    assert found.advice == []
    (sentence,) = found.skipped
    assert sentence == (
        f"The stages of threads and {OWN.label} are not known, since py-spy is not installed:"
        " install it with pip install py-spy."
    )


def test_a_loader_that_cannot_be_sampled_keeps_its_trace_and_a_sentence(tmp_path: Path) -> None:
    class Failing(Trials):
        def diagnose(self, spec: Spec, purpose: Any, *given: object, **asked: Any) -> TrialRecord:
            if asked.get("sampler"):
                return a_trial(0, spec.label, ended="failed", why="py-spy took no samples")
            return super().diagnose(spec, purpose, *given, **asked)

    rows = [a_row("threads"), a_row("loader.py:photos")]
    pipelines = [PipelineRecord(row.label, row.label, row.label[:4]) for row in rows]
    found = looked_at(
        tmp_path, Failing(), rows, ops=["MatMul"], sampler="/py-spy", pipelines=pipelines
    )
    own = found.traces["loader.py:photos"]
    assert [stage.name for stage in own.stages] == ["Python", "MatMul"]
    assert found.traces["threads"].stages == []  # whatever it shows is not what threads do
    why = "are not known: py-spy took no samples."
    assert found.skipped == [
        f"The stages of threads {why}",
        f"The stages of loader.py:photos {why}",
    ]


class Broken:
    """Trials of which none can be begun."""

    def diagnose(self, *_: object, **__: object) -> Any:
        raise OSError(28, "No space left on device")


def test_what_fails_while_reasons_are_looked_for_is_said_and_loses_nothing(tmp_path: Path) -> None:
    found = looked_at(tmp_path, Broken(), [BASELINE])
    assert found.skipped == ["The diagnosis is incomplete: [Errno 28] No space left on device."]
    assert found.advice == []
