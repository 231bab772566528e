"""Whether pipelines train alike, in words."""

from __future__ import annotations

import pytest

from feedbench.bench.records.trainings.training import TrainingRecord
from feedbench.bench.training.likeness import likeness_of
from feedbench.reports.sentences.trainings import training as sentences
from tests.support.runs.trainings import a_record, a_training, an_epoch


def judged(*trainings: object, **given: object) -> TrainingRecord:
    import msgspec

    record = a_record(*trainings, **given)  # type: ignore[arg-type]
    return msgspec.structs.replace(record, likeness=likeness_of(record))


def test_pipelines_that_train_alike() -> None:
    assert sentences.likeness(judged(a_training("a", [0.7]), a_training("b", [0.75]))) == (
        "The pipelines train alike: final validation accuracy is 70.0% to 75.0%, within chance."
        " With one seed and 20 validation images, chance alone may make differences of about"
        " 26.3 points (binomial error); --repeats measures it."
    )


def test_a_pipeline_that_trains_worse_is_named() -> None:
    sentence = sentences.likeness(judged(a_training("a", [0.9]), a_training("b", [0.1])))
    assert sentence.startswith("b trains worse than a: 10.0% instead of 90.0%. ")


def test_seeds_are_named_where_they_were_measured() -> None:
    trainings = [
        a_training(label, [accuracy], seed=seed)
        for label in ("a", "b")
        for seed, accuracy in enumerate((0.7, 0.8))
    ]
    sentence = sentences.likeness(judged(*trainings, repeats=2))
    assert "75.0% for each. Over 2 seeds, chance alone makes differences of about" in sentence


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (a_training("b", status="failed"), "takes two trained pipelines"),
        (a_training("b", epochs=[an_epoch(val_accuracy=None)]), "compile it with metrics"),
    ],
)
def test_what_cannot_be_compared_is_explained(second: object, words: str) -> None:
    assert words in sentences.likeness(judged(a_training("a"), second))


def test_a_failure_a_nan_and_other_weights_are_remarked() -> None:
    remarks = [
        *sentences.remarks(
            a_record(
                a_training("a", nan_epoch=2),
                a_training("b", status="failed", why="memory ran out", hint="use --batch-size 16"),
                a_training("c", initial_weights="other"),
                notes=["There is no validation part."],
            )
        )
    ]
    assert remarks[0] == "There is no validation part."
    assert remarks[1] == "a: its loss was not a number in epoch 2; training continued."
    assert remarks[2] == "b: failed, memory ran out; use --batch-size 16."
    assert remarks[3].startswith("The initial weights differ between a, b and c")
