"""A run folder that somebody damaged, or made up, is one sentence and never a traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feedbench.bench.records.augmented import Augmented, Range, Transforms
from feedbench.bench.records.demand.demand import Demand, Estimate, FedRow
from feedbench.bench.records.windows import Window
from feedbench.pipelines.augmentation.ranges import Augmentation
from feedbench.pipelines.errors import RequestError
from feedbench.reports import formats
from feedbench.reports.tables import frames
from tests.support.builders import (
    SCRIPT,
    a_preparation,
    a_proof,
    a_row,
    a_run,
    a_run_folder,
    a_shuffle,
    a_trial,
    compared,
    trials_of,
)

RUN = a_run(
    a_row("a"), compared("b", 2, "faster", preparation=a_preparation(a=3)), best=["b"], blocks=4
)
TRIALS = trials_of({"a": [1000] * 4, "b": [2000] * 4})
Edit = Callable[[dict[str, Any]], Any]


def damaged(folder: Path, file: str, edit: Edit) -> Path:
    """A run folder whose run.json, or the third line of whose trials.jsonl, was edited."""
    a_run_folder(folder, RUN, TRIALS)
    records = [(folder / file).read_text()]
    if file == "trials.jsonl":
        records = records[0].splitlines()
    found = json.loads(records[min(2, len(records) - 1)])
    edit(found)
    records[min(2, len(records) - 1)] = json.dumps(found)
    (folder / file).write_text("\n".join(records) + "\n")
    return folder


def row(**given: Any) -> Edit:
    return lambda run: run["rows"][1].update(given)


def nested(folder: Path, depth: int) -> Path:
    """A run folder in which a knob is a list in a list in a list."""
    a_run_folder(folder, a_run(a_row("a", knobs={"deep": "HERE"})), [a_trial(1)])
    file = folder / "run.json"
    file.write_text(file.read_text().replace('"HERE"', "[" * depth + "]" * depth))
    return folder


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda run: run.update(margin=0), "margin is 0; expected more than 0 and less than 1"),
        (lambda run: run.update(margin=-1), "margin is -1; expected 0 or more"),
        (lambda run: run.update(margin=1), "margin is 1; expected more than 0 and less than 1"),
        (lambda run: run.update(best=["\x1b"]), r"best names '\x1b', which is no row's label"),
        (lambda run: run.update(control=[1, 0, 1]), "control holds 0; expected more than 0"),
        (lambda run: run.update(seconds=-1e300), "seconds is over 1e+60, which no figure of a run"),
        (row(rate=1e308), "rows[1].rate is over 1e+60, which no figure of a run is"),
        (row(rate=0), "rows[1].rate is 0; expected more than 0"),
        (row(ratio_low=1e-300), "rows[1].ratio_low is 1e-300; expected more than 0"),
        (row(peak_memory_bytes=10**400), "rows[1].peak_memory_bytes is over 1e+60, which no"),
        (row(turnover_seconds=-1.5), "rows[1].turnover_seconds is -1.5; expected 0 or more"),
        (
            lambda run: run["rows"][1]["preparation"]["break_even"][0].update(epochs=-1),
            "rows[1].preparation.break_even[0].epochs is -1; expected 0 or more",
        ),
    ],
)
def test_a_run_with_what_no_run_can_have_recorded_is_refused_by_its_name(
    edit: Edit, sentence: str, tmp_path: Path
) -> None:
    said = re.escape(f"{tmp_path / 'run.json'} is broken: {sentence}")
    with pytest.raises(RequestError, match=f"^{said}"):
        frames.read(damaged(tmp_path, "run.json", edit))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda m: m["windows"][1].update(seconds=0.0), "measured.windows[1] has 1,000 images in"),
        (lambda m: m["windows"][0].update(images=0), "measured.windows[0] has 0 images in 1 s; ex"),
        (lambda m: m["windows"][0].update(seconds=-1.0), "measured.windows[0].seconds is -1; exp"),
        (lambda m: m.update(windows=[]), "a trial that was measured has no windows"),
        (lambda m: m.update(open_seconds=1e300), "measured.open_seconds is over 1e+60, which no"),
    ],
)
def test_a_trial_that_no_run_can_have_recorded_is_refused_by_its_line(
    edit: Edit, sentence: str, tmp_path: Path
) -> None:
    said = re.escape(f"{tmp_path / 'trials.jsonl'}, line 3 is broken: {sentence}")
    with pytest.raises(RequestError, match=f"^{said}"):
        frames.read(damaged(tmp_path, "trials.jsonl", lambda trial: edit(trial["measured"])))


@pytest.mark.parametrize("depth", [100, 700, 990, 100_000])
def test_what_nests_too_deep_is_refused(depth: int, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"is broken: .* nests too deep"):
        frames.read(nested(tmp_path, depth))


@pytest.mark.parametrize("name", list(formats.FORMATS))
def test_what_nests_less_deep_is_shown_in_every_format(name: str, tmp_path: Path) -> None:
    assert formats.render(name, nested(tmp_path, 90))


@pytest.mark.parametrize("name", list(formats.FORMATS))
@pytest.mark.parametrize("extreme", [1e-59, 1e59])
def test_figures_at_the_ends_of_what_is_taken_are_shown_in_every_format(
    name: str, extreme: float, tmp_path: Path
) -> None:
    fields = ("rate", "rate_low", "rate_high", "ratio", "ratio_low")
    extremes: dict[str, Any] = dict.fromkeys(fields, extreme) | {
        "ratio_high": 1e60,
        "verdict": "faster",
    }
    rows = [a_row("a"), a_row("b", **extremes)]
    windows = [Window(1, 1 / extreme)] * 3
    trials = [a_trial(1, "a"), a_trial(1, "b", windows=windows)]
    folder = a_run_folder(tmp_path, a_run(*rows, best=["b"]), trials)
    assert formats.render(name, folder)


def test_a_knob_and_a_range_of_values_may_be_negative(tmp_path: Path) -> None:
    def edit(run: dict[str, Any]) -> None:
        run["rows"][1]["knobs"] = {"offset": -1}
        run["workload"]["value_range"] = [-1.0, 1.0]

    assert frames.read(damaged(tmp_path, "run.json", edit))[0].workload.value_range == (-1.0, 1.0)


def proven(**given: Any) -> Edit:
    """Give the second row a proof, and its shuffle these figures."""

    def edit(run: dict[str, Any]) -> None:
        found: dict[str, Any] = msgspec.to_builtins(a_proof())
        found["shuffle"].update(given)
        run["rows"][1]["proof"] = found

    return edit


@pytest.mark.parametrize("name", ["with_list", "with_neighbour", "with_next_epoch"])
def test_a_correlation_may_be_negative(name: str, tmp_path: Path) -> None:
    run, _ = frames.read(damaged(tmp_path, "run.json", proven(**{name: -0.5})))
    proof = run.rows[1].proof
    assert proof is not None
    assert getattr(proof.shuffle, name) == -0.5


def test_a_correlation_in_a_trial_may_be_negative_too(tmp_path: Path) -> None:
    shuffle = a_shuffle(with_list=-0.5)
    trial = a_trial(0, "b", ended="verified", windows=[], proof=a_proof(shuffle=shuffle))
    _, trials = frames.read(a_run_folder(tmp_path, RUN, [*TRIALS, trial]))
    assert trials[-1].proof == trial.proof


def test_an_augmentation_turns_images_both_ways(tmp_path: Path) -> None:
    both = Range(low=-20.9, high=20.4)
    factor = Range(low=0.8, high=1.2)
    transforms = Transforms(
        images=64,
        flipped=0.5,
        upside_down=0.0,
        rotation=both,
        width_shift=both,
        height_shift=both,
        zoom=factor,
        brightness=factor,
        contrast=50.0,
        distance=2.0,
    )
    augmented = Augmented(
        asked=Augmentation(rotate=20.0),
        is_identity_proven=True,
        expected=1.0,
        tried=64,
        recognised=64,
        certain=64,
        transforms=transforms,
    )
    row = a_row("a", proof=a_proof(augmented=augmented))
    run, _ = frames.read(a_run_folder(tmp_path, a_run(row), [a_trial(1)]))
    assert run.rows[0].proof is not None
    assert run.rows[0].proof.augmented == augmented


def test_a_model_may_be_faster_by_chance_than_over_a_ready_batch(tmp_path: Path) -> None:
    wait = Estimate(value=-0.003, low=-0.01, high=0.004, blocks=4, level=0.99)
    demand = Demand(blocks=4, rows=[FedRow(label="a", wait=wait, taken=-0.02)])
    run, _ = frames.read(a_run_folder(tmp_path, a_run(a_row("a"), demand=demand), [a_trial(1)]))
    assert run.demand == demand


@pytest.mark.parametrize("name", ["ahead", "batch_classes", "batch_classes_by_chance"])
def test_no_other_figure_of_a_shuffle_is_negative(name: str, tmp_path: Path) -> None:
    said = re.escape(f"rows[1].proof.shuffle.{name} is -1; expected 0 or more")
    with pytest.raises(RequestError, match=said):
        frames.read(damaged(tmp_path, "run.json", proven(**{name: -1})))


@pytest.mark.parametrize(
    "path", ["counts.images", "counts.missing", "compared", "off", "from_sampled.mean", "seconds"]
)
def test_no_count_or_distance_of_a_proof_is_negative(path: str, tmp_path: Path) -> None:
    def edit(run: dict[str, Any]) -> None:
        proven()(run)
        found = run["rows"][1]["proof"]
        *way, last = path.split(".")
        for name in way:
            found = found[name]
        found[last] = -2

    said = re.escape(f"rows[1].proof.{path} is -2; expected 0 or more")
    with pytest.raises(RequestError, match=said):
        frames.read(damaged(tmp_path, "run.json", edit))


def test_a_word_on_work_that_there_is_not_is_refused(tmp_path: Path) -> None:
    def edit(run: dict[str, Any]) -> None:
        proven()(run)
        run["rows"][1]["proof"]["work"] = SCRIPT

    with pytest.raises(RequestError, match="Invalid enum value '<script>"):
        frames.read(damaged(tmp_path, "run.json", edit))
