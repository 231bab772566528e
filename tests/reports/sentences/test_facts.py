"""How to have a run again, as its page says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.conditions.environment import Environment, Other
from feedbench.bench.records.run import PipelineRecord, SplitRecord
from feedbench.reports.sentences.answer import heading
from feedbench.reports.sentences.facts import command, facts, form
from tests.support.builders import WORKLOAD, a_row, a_run

SUITE = ("test_pipelines.py", "--feedbench-data=photos")


def repeated(*words: str) -> str:
    return command(a_run(a_row("a"), command=list(words)))


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("/env/bin/feedbench", "feedbench"),
        ("/env/lib/python3.11/site-packages/feedbench/__main__.py", "feedbench"),
        ("-c", "feedbench"),
        ("/env/bin/pytest", "pytest"),
        ("/env/bin/py.test", "pytest"),
        ("/env/lib/python3.11/site-packages/pytest/__main__.py", "pytest"),
    ],
)
def test_the_program_is_called_by_its_name(program: str, name: str) -> None:
    assert repeated(program, *SUITE) == f"{name} {' '.join(SUITE)}"


@pytest.mark.parametrize("program", ["/opt/pytest/something.py", "setup.py"])
def test_nobody_is_told_to_run_another_program(program: str) -> None:
    assert repeated(program, *SUITE) == ""


@pytest.mark.parametrize("option", ["--out", "--feedbench-out"])
def test_the_runs_own_folder_which_is_in_use_is_left_out(option: str) -> None:
    for words in ([option, "my run"], [f"{option}=my run"]):
        assert repeated("pytest", "a", *words, "-x", "b c") == "pytest a -x 'b c'"


def test_what_only_begins_like_it_stays() -> None:
    words = ("--output", "x", "--feedbench-outer=y")
    assert repeated("pytest", *words) == "pytest --output x --feedbench-outer=y"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "180x240x3 float32 in [0, 1]"),
        ({"value_range": (-1.0, 1.0), "fit": "pad"}, "180x240x3 float32 in [-1, 1], fitted by pad"),
        ({"data_format": "channels_first", "dtype": "float16"}, "3x180x240 float16 in [0, 1]"),
        ({"normalization": "imagenet"}, "180x240x3 float32 normalized as imagenet"),
    ],
)
def test_the_form_of_an_image_is_named(given: dict[str, Any], words: str) -> None:
    assert form(replace(WORKLOAD, **given)) == words


def test_a_split_and_a_network_are_named_in_the_heading_and_among_the_facts() -> None:
    split = SplitRecord(subset="training", training=480, validation=120, by="seed 0", share=0.2)
    work = replace(WORKLOAD, split=split, images=480, folder_images=480, preprocess="resnet50")
    run = replace(a_run(a_row("a")), workload=work)
    assert heading(run).startswith("all 480 images for training in 3 classes (120 for validation,")
    named = dict(facts(run))
    assert named["Split"] == "480 images for training; 120 for validation, by seed 0"
    assert named["Images measured"] == "480 for training, in 3 classes"
    assert ", as preprocess_input of resnet50, in batches of" in named["Delivered"]
    assert "Split" not in dict(facts(a_run(a_row("a"))))


def test_where_the_images_for_validation_were_measured_the_others_are_named() -> None:
    split = SplitRecord(subset="validation", training=480, validation=120, by="seed 0", share=0.2)
    work = replace(WORKLOAD, split=split, images=120, folder_images=120)
    words = heading(replace(a_run(a_row("a")), workload=work))
    assert words.startswith("all 120 images for validation in 3 classes (480 for training, by seed")


def test_the_software_of_pipelines_with_a_python_of_their_own_is_shown() -> None:
    environment = Environment("Linux", "a processor", 2.0, 2, 2**33, "3.12.1", {"torch": "2.9.0"})
    run = a_run(
        *(a_row(label) for label in ("a", "b", "c")),
        pipelines=[
            PipelineRecord("a", "tfdata_naive", "a"),
            PipelineRecord("b", "b.py:f@/torch/bin/python", "b", python="/torch/bin/python"),
            PipelineRecord("c", "c.py:f@/torch/bin/python", "c", python="/torch/bin/python"),
        ],
        interpreters=[
            Other(python="/torch/bin/python", name="torch", environment=environment, code="")
        ],
    )
    expected = "Python 3.12.1, torch 2.9.0; /torch/bin/python"
    assert dict(facts(run))["Software of b and c"] == expected
