"""A run's diagnosis from end to end: planted slow stages are named, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs.command import SMALL, Feedbench

pytestmark = [pytest.mark.tensorflow, pytest.mark.end_to_end]

RIGHT = Path(__file__).parents[1] / "loaders" / "right.py"

# A matrix product of some milliseconds for each image, in the same graph as the rest.
SLOW_OP = """
def photos(workload):
    import tensorflow as tf
    from pathlib import Path
    from feedbench.pipelines.built_in.tfdata_naive import TfdataNaive

    matrix = tf.random.uniform([400, 400])

    def slow(image, label):
        product = tf.matmul(matrix, matrix + tf.reduce_mean(image))
        return image + 0 * product[0, 0], label

    dataset = TfdataNaive().open(workload, Path(), Path())
    return dataset.unbatch().map(slow, num_parallel_calls=2).batch(workload.batch_size)
"""
SLOW_PYTHON = """
import time

def slowly(image):
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        sum(range(1000))
    return image

def photos(workload):
    class Feed:
        def __iter__(self):
            for images, labels in batches(workload):
                for image in images:
                    slowly(image)
                yield images, labels
    return Feed()
"""

PROFILED = """
import tempfile

import tensorflow as tf

def photos(workload):
    from pathlib import Path
    from feedbench.pipelines.built_in.tfdata_naive import TfdataNaive

    tf.profiler.experimental.start(tempfile.mkdtemp())
    return TfdataNaive().open(workload, Path(), Path())
"""


Planted = tuple[dict[str, Any], str, Path]


@pytest.fixture(scope="module")
def planted(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A traced run, what it printed, and its folder: of a planted slow op, plain tf.data, a planted
    slow loader in Python, one that is profiled already, and two that deliver more than pairs.
    """
    feedbench = Feedbench(tmp_path_factory.mktemp("planted"))
    specs = {
        "op": feedbench.loader(SLOW_OP, "op.py"),
        "tfdata_naive": "tfdata_naive",
        "python": feedbench.loader(SLOW_PYTHON, "python.py"),
        "profiled": feedbench.loader(PROFILED, "profiled.py"),
        "dicts": f"{RIGHT}:tfds_style_dicts",
        "weights": f"{RIGHT}:with_sample_weights",
    }
    words = [word for label, spec in specs.items() for word in ("-p", f"{label}={spec}")]
    done = feedbench.run("run", photos, *SMALL, *words, "--blocks", "1", "--trace", "--out", "R")
    assert done.returncode == 0, done.stderr
    folder = feedbench.folder / "R"
    return json.loads((folder / "run.json").read_bytes()), done.stdout, folder


def test_a_planted_slow_op_is_named_by_its_trace_and_by_the_first_line_of_its_advice(
    planted: Planted,
) -> None:
    diagnosis = planted[0]["diagnosis"]
    assert diagnosis["traces"]["op"]["stages"][0]["name"] == "MatMul"
    first = next(line for line in diagnosis["advice"] if line["label"] == "op")
    assert first["sentence"].startswith("MatMul takes ")
    assert f"op: {first['sentence'][:40]}" in " ".join(planted[1].split())


def test_a_planted_slow_loader_is_named_as_python_with_its_function(
    planted: Planted,
) -> None:
    diagnosis = planted[0]["diagnosis"]
    trace = diagnosis["traces"]["python"]
    assert trace["stages"][0]["name"] in {"Python", "other"}  # with py-spy: no stage it knows
    named = {function["name"] for function in trace["functions"]}
    assert named & {"python.slowly", "builtins.sum", "time.thread_time"}
    first = next(line for line in diagnosis["advice"] if line["label"] == "python")
    assert "Python" in first["sentence"]


def test_autotunes_choices_are_told_of_tf_data_and_of_nothing_else(
    planted: Planted,
) -> None:
    rows = {row["label"]: row for row in planted[0]["rows"]}
    choices = rows["tfdata_naive"]["autotune"]["choices"]
    (parallel,) = [choice for choice in choices if choice["parallelism"] is not None]
    assert 1 <= parallel["parallelism"] <= parallel["most_parallelism"]
    assert rows["tfdata_naive"]["autotune"]["cpu_budget"] >= 1
    assert rows["op"]["autotune"] is not None
    assert rows["python"]["autotune"] is None


def test_a_planted_slow_op_is_the_largest_step_where_plain_tf_data_stands_in_for_the_others(
    planted: Planted,
) -> None:
    (waterfall,) = [w for w in planted[0]["diagnosis"]["waterfalls"] if w["label"] == "op"]
    assert waterfall["like"] == "tfdata_naive"
    before, whole = waterfall["steps"][-2:]
    assert whole["name"] == "the rest"
    assert whole["rate"] < before["rate"] / 2  # CPU time is not known where it was read late


def test_on_real_photos_decoding_is_the_largest_stage_and_the_largest_step(
    feedbench: Feedbench, flowers: Path
) -> None:
    words = ("-p", "tfdata_naive", "--blocks", "1", "--trace", "--out", "R")
    done = feedbench.run("run", flowers, *words)
    assert done.returncode == 0, done.stderr
    diagnosis = json.loads((feedbench.folder / "R" / "run.json").read_bytes())["diagnosis"]
    assert diagnosis["traces"]["tfdata_naive"]["stages"][0]["name"] == "decode"
    (waterfall,) = diagnosis["waterfalls"]
    total = [0.0, *(step["cpu_ms"] for step in waterfall["steps"])]
    added = {
        step["name"]: after - before
        for step, before, after in zip(waterfall["steps"], total, total[1:], strict=False)
    }
    assert max(added, key=lambda name: added[name]) == "decode"


def test_the_page_tells_what_to_try(planted: Planted) -> None:
    page = (planted[2] / "report.html").read_text()
    assert '<h2 id="reasons">Why</h2>' in page
    assert "MatMul takes" in page
    assert "step by step" in page


def test_a_loader_that_is_being_profiled_already_is_measured_and_its_trace_failed_once(
    planted: Planted,
) -> None:
    run, out, folder = planted
    (row,) = [row for row in run["rows"] if row["label"] == "profiled"]
    assert row["rate"] > 0
    why_not = run["diagnosis"]["traces"]["profiled"]["why_not"]
    assert why_not.startswith("it raised AlreadyExistsError")
    said = "profiled: its trace cannot be used: it raised AlreadyExistsError"
    shown = " ".join(out.split())
    assert (shown.count(said), shown.count("AlreadyExistsError")) == (1, 1)
    page = (folder / "report.html").read_text()
    assert page.partition('id="costs"')[0].count("AlreadyExistsError") == 1


def test_dicts_and_weights_are_measured_and_notes_say_what_is_compared(planted: Planted) -> None:
    rows = {row["label"]: row for row in planted[0]["rows"]}
    for label in ("dicts", "weights"):
        assert rows[label]["failures"] == []
        assert rows[label]["rate"] is not None
        assert rows[label]["continuous"]
    page = (planted[2] / "report.html").read_text()
    for note in (
        "dicts: it delivers dicts: &#39;image&#39; and &#39;label&#39; are compared",
        "weights: it delivers (images, labels, weights): the weights are not compared.",
    ):
        assert note in page


def test_without_time_left_it_is_said_what_was_not_looked_at(
    feedbench: Feedbench, photos: Path
) -> None:
    words = ("-p", "tfdata_naive", "--time", "61s", "--trace", "--out", "R")
    done = feedbench.run("run", photos, *SMALL, *words)
    assert done.returncode == 0, done.stderr
    run = json.loads((feedbench.folder / "R" / "run.json").read_bytes())
    assert 0 < run["seconds"] <= 61
    assert run["blocks"] >= 1
    left_out = run["diagnosis"]["skipped"][-1]
    assert left_out.startswith("No time was left for these trials: ")
    # The blocks that verdicts need may have used all the time.
    is_traced = bool(run["diagnosis"]["traces"])
    assert is_traced is not ("tfdata_naive (its trace)" in left_out)
