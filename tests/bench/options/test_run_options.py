from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.options.option import options_of
from feedbench.bench.options.run_options import QUICK_SPECS, RunOptions, pace_asked_for
from feedbench.bench.options.time_options import pace_for
from feedbench.bench.records.pace import BRIEF, Pace
from feedbench.pipelines.catalog import DEFAULT_SPECS
from feedbench.pipelines.errors import RequestError
from feedbench.pipelines.forms import RANGES
from feedbench.pipelines.images.layouts import Layout


def options(**given: Any) -> RunOptions:
    usual: dict[str, Any] = {"folder": Path("photos"), "specs": ("tfdata_naive",)}
    usual["prepared"] = Path("prepared")
    return RunOptions(**{**usual, "out": Path("run"), **given})


def test_what_is_left_out_is_224_pixels_batches_of_32_five_minutes_and_a_margin_of_5_percent() -> (
    None
):
    usual = options()
    assert (usual.image_size, usual.batch_size, usual.seconds) == ((224, 224), 32, 300.0)
    assert (usual.channels, usual.dtype) == (3, "float32")
    assert usual.value_range == RANGES["0..1"]
    assert usual.label_mode == "int"
    assert (usual.margin, usual.blocks, usual.limit, usual.seed) == (0.05, None, None, 0)


def test_of_record_files_the_files_themselves_are_the_baseline_unless_pipelines_are_named() -> None:
    given = {"records": "*.tfrecord"}
    assert RunOptions.of(given, Path()).specs == ("tfrecord_existing", *DEFAULT_SPECS)
    named = RunOptions.of({**given, "pipeline": ["tfdata_naive"]}, Path())
    assert named.specs == ("tfdata_naive",)


def of(**given: Any) -> RunOptions:
    """Return the options of a command line."""
    return RunOptions.of({"trace": True, **given}, Path())


def test_a_quick_run_has_a_minute_and_three_pipelines_and_looks_for_no_reasons() -> None:
    quick = of(quick=True)
    assert (quick.quick, quick.seconds, quick.trace) == (True, 60.0, False)
    assert quick.specs == ("image_data_generator", "tfdata_tuned", "tfrecord_sharded")
    assert quick.pace == BRIEF
    usual = of()
    assert (usual.quick, usual.seconds, usual.trace) == (False, 300.0, True)
    assert (usual.specs, usual.pace) == (DEFAULT_SPECS, Pace())


def test_what_is_given_next_to_quick_replaces_its_part() -> None:
    named = of(quick=True, pipeline=["tfdata_naive"], time="2m")
    assert (named.specs, named.seconds, named.pace) == (("tfdata_naive",), 120.0, Pace())
    assert of(quick=True, blocks="4").seconds is None
    records = of(quick=True, records="*.tfrecord")
    assert records.specs == ("tfrecord_existing", *QUICK_SPECS)


@pytest.mark.parametrize(
    ("seconds", "pace"), [(30.0, BRIEF), (90.0, BRIEF), (91.0, Pace()), (None, Pace())]
)
def test_windows_are_brief_if_the_time_is_short(seconds: float | None, pace: Pace) -> None:
    assert pace_for(seconds) == pace


@pytest.mark.parametrize(
    "given",
    [
        {"image_size": (1, 1)},
        {"image_size": (4096, 4096)},
        {"batch_size": 1},
        {"blocks": 1},
        {"limit": 1},
        {"limit": "all"},
        {"seed": 2**31 - 1},
        {"margin": 0.001},
        {"margin": 0.99},
        {"seconds": None},
    ],
)
def test_the_smallest_and_the_largest_values_are_taken(given: dict[str, Any]) -> None:
    name, value = next(iter(given.items()))
    assert getattr(options(**given), name) == value


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"image_size": (0, 224)}, "--image-size 0x224: expected 1 to 4096 pixels a side"),
        ({"image_size": (224, 0)}, "--image-size 224x0: expected 1 to 4096 pixels a side"),
        ({"image_size": (4097, 9)}, "--image-size 4097x9: expected 1 to 4096 pixels a side"),
        ({"image_size": (9, 4097)}, "--image-size 9x4097: expected 1 to 4096 pixels a side"),
        (
            {"dtype": "uint8", "value_range": RANGES["-1..1"]},
            (
                "--range -1..1: expected 0..255 with --dtype uint8\nhint: leave --range out, or use"
                " --dtype float32"
            ),
        ),
        (
            {"channels": 1, "value_range": RANGES["imagenet"]},
            (
                "--range imagenet: its mean is of red, green and blue, and --channels is 1\n"
                "hint: use --channels 3, or --range 0..1"
            ),
        ),
        ({"batch_size": 0}, "--batch-size 0: expected 1 or more images"),
        ({"batch_size": -1}, "--batch-size -1: expected 1 or more images"),
        ({"blocks": 0}, "--blocks 0: expected 1 or more blocks"),
        ({"blocks": -4}, "--blocks -4: expected 1 or more blocks"),
        (
            {"out": Path("r\udcff")},
            "--out 'r\\udcff': expected a name in valid UTF-8\nhint: name another folder",
        ),
        ({"limit": 0}, "--limit 0: expected 1 or more images, or all"),
        ({"seed": -1}, "--seed -1: expected 0 to 2147483647"),
        ({"seed": 2**31}, "--seed 2147483648: expected 0 to 2147483647"),
        ({"pixels": 0.0}, "--pixels 0: expected more than 0 and at most 255 grey levels"),
        ({"pixels": 256.0}, "--pixels 256: expected more than 0 and at most 255 grey levels"),
        ({"margin": 0.0}, "--margin 0%: expected more than 0% and under 100%"),
        ({"margin": 1.0}, "--margin 100%: expected more than 0% and under 100%"),
    ],
)
def test_what_no_run_can_be_made_of_is_refused_with_the_option_and_what_was_expected(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        options(**given)


def test_a_run_has_the_usual_pace_unless_a_test_asks_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FEEDBENCH_PACE", raising=False)
    assert options().pace == pace_asked_for() == Pace()
    monkeypatch.setenv("FEEDBENCH_PACE", '{"least_seconds": 0.5, "low_copied": 0}')
    assert pace_asked_for() == Pace(least_seconds=0.5, low_copied=0.0)


@pytest.mark.parametrize("text", ["", "fast", "[]", '{"least_seconds": 0}', '{"seconds": 1}'])
def test_what_is_no_pace_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("FEEDBENCH_PACE", text)
    with pytest.raises(RequestError, match=f"^FEEDBENCH_PACE={re.escape(text)}: expected a pace"):
        pace_asked_for()


def test_a_run_without_a_folder_goes_into_one_named_after_the_local_date_and_time() -> None:
    before = datetime.now().astimezone()
    folder = RunOptions(folder=Path("photos")).out
    after = datetime.now().astimezone()
    assert folder.parent == Path("feedbench-runs")
    assert f"{before:%Y-%m-%dT%H%M%S}" <= folder.name <= f"{after:%Y-%m-%dT%H%M%S}"


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ({}, 300.0),
        ({"blocks": "8"}, None),
        ({"time": "90s"}, 90.0),
        ({"time": "90s", "blocks": "8"}, 90.0),
    ],
)
def test_a_run_takes_five_minutes_unless_it_is_told_a_time_or_its_blocks(
    typed: dict[str, str], seconds: float | None
) -> None:
    assert RunOptions.of(typed, Path("photos")).seconds == seconds


def test_what_is_typed_for_nothing_is_the_default_of_each_option() -> None:
    typed = RunOptions.of({option.name: None for option in options_of(RunOptions)}, Path("photos"))
    usual = RunOptions(folder=Path("photos"))
    for option in options_of(RunOptions):
        if option.field != "out":  # it is named after the time
            assert getattr(typed, option.field) == getattr(usual, option.field)


def test_what_is_typed_of_labels_and_folders_reaches_the_layout(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    table = str(tmp_path / "labels.csv")
    typed = {"labels": table, "label-column": "breed", "classes": "b,a"}
    assert RunOptions.of({**typed, "follow-links": True}, tmp_path).layout == Layout(
        labels=table, label_column="breed", classes=("b", "a"), follow_links=True
    )
    assert RunOptions.of({"classes-from": "leaf", "part": "test"}, tmp_path).layout == Layout(
        classes_from="leaf", part="test"
    )


def test_what_cannot_be_read_is_named_as_it_was_typed() -> None:
    sentence = "--feedbench-channels '2': expected 1 or 3"
    with pytest.raises(RequestError, match=f"^{sentence}$"):
        RunOptions.of({"channels": "2"}, Path("photos"), prefix="--feedbench-")
