"""What a tuning says in words, on the page of its last run, and which run that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.tuning.tuning import (
    NO_TIME,
    Allowance,
    Exclusion,
    Result,
    Rung,
    last_run,
)
from feedbench.pipelines.errors import RequestError
from feedbench.reports.html import page
from feedbench.reports.sentences.tuning import answer, gains, on_page, remarks, totals_sentence
from tests.support.runs.tunings import a_tuning, a_tuning_folder


def test_the_winner_has_its_gain_from_fresh_blocks_and_the_time_of_the_planned_epochs() -> None:
    record = a_tuning()
    assert answer(record).startswith("b is 1.50 times")
    assert totals_sentence(record) == (
        "30 epochs take 10.0 s with b, and 15.0 s with a: preparation, first epoch and all others."
    )
    both, why = gains(record)
    assert "1.60 times" in both
    assert both.endswith("The second one counts.")
    assert why.startswith("They differ because of noise and selection.")


@pytest.mark.parametrize(
    ("of_default", "why"),
    [
        ([], "there was no time for it. Raise --time, or lower --limit."),
        ([Result(label="a", spec="a", why_out=NO_TIME)], f"{NO_TIME}. Raise --time, or lower"),
        ([Result(label="a", spec="a", why_out="it failed: no file")], "it failed: no file."),
    ],
)
def test_a_winner_without_the_default_is_compared_with_nothing_and_says_why(
    of_default: list[Result], why: str
) -> None:
    best = Result(label="b", spec="b", rate=1500.0)
    unmeasured: dict[str, Any] = {"before": None, "after": None}
    rung = Rung(folder="rung-1", blocks=4, best="b", results=[best, *of_default])
    said = answer(a_tuning(**unmeasured, rungs=[rung]))
    assert said.startswith(
        f"b is the best of the candidates. The default, a, was not measured: {why}"
    )
    measured = replace(rung, results=[best, Result(label="a", spec="a", rate=1.0)])
    assert "not measured" not in answer(a_tuning(**unmeasured, rungs=[rung, measured]))


def test_of_many_candidates_some_are_named_and_the_others_counted() -> None:
    excluded = [Exclusion(spec=spec, why="no time") for spec in "cdefgh"]
    record = a_tuning(equals=["a", "c", "d", "e", "f"], excluded=excluded)
    said = [*remarks(record)]
    assert "Not measured (no time): c, d, e, f and 2 others." in said
    assert any(
        each.startswith("Not shown to be slower") and "a, c, d and 2 others." in each
        for each in said
    )
    (few,) = [each for each in remarks(a_tuning(equals=[], excluded=excluded[:2])) if "c" in each]
    assert few == "Not measured (no time): c and d."


def test_more_images_in_fresh_blocks_are_mentioned() -> None:
    record = a_tuning(images=64, final_images=200, folder_images=600)
    assert (
        "64 of 600 images were measured, and 200 in fresh blocks; the times are for all images."
    ) in remarks(record)
    _, why = gains(record)
    assert why == (
        "They differ because of noise, selection and the number of images. With more images, less"
        " is extrapolated."
    )


def test_one_epoch_takes() -> None:
    assert totals_sentence(a_tuning(allowance=Allowance(epochs=1))).startswith(
        "1 epoch takes 10.0 s"
    )
    assert totals_sentence(a_tuning(allowance=Allowance())) == ""


def test_the_page_of_the_last_run_has_the_tuning_and_that_of_a_rung_has_not(tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning")
    shown = page.read(folder / "final")
    assert '<h2 id="tuning">Tuning</h2>' in shown
    assert f"<h1>{answer(a_tuning())}</h1>" in shown
    assert all(sentence.partition("'")[0] in shown for sentence in on_page(a_tuning(), ""))
    assert "without preparation, first epoch and restarts. No verdicts:" in shown
    assert 'id="tuning"' not in page.read(folder / "rung-1")


def test_a_run_beside_a_damaged_tuning_has_its_page(tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning")
    (folder / "tuning.json").write_text("{")
    assert 'id="tuning"' not in page.read(folder / "final")


def test_a_tuning_that_ended_before_its_last_run_has_no_report(tmp_path: Path) -> None:
    folder = a_tuning_folder(tmp_path / "tuning", run="")
    with pytest.raises(RequestError, match="is a tuning without a last run"):
        last_run(folder)
    assert last_run(tmp_path) is None
