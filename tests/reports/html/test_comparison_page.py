"""The page of a comparison as text; what a browser makes of it is tested in tests/browser."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from feedbench.bench.verdicts.comparison import Comparison, Sides
from feedbench.pipelines.errors import RequestError
from feedbench.reports.html import comparison_page
from feedbench.reports.sentences.comparisons.comparison import PAIRED, UNPAIRED
from feedbench.reports.text import palette
from feedbench.reports.text.figures import MISSING
from tests.support.builders import SCRIPT
from tests.support.html.reader import Reader, without_own_scripts
from tests.support.runs.comparisons import FINE, SLOWER, UNSURE, a_comparison

BOTH = a_comparison(FINE, SLOWER, UNSURE)


def test_the_answer_stands_first_and_every_pipeline_has_its_row() -> None:
    text = comparison_page.render(BOTH)
    assert "<h1>b is slower by more than 5%.</h1>" in text
    _, *rows = Reader(text).tables["compared"]
    assert rows == [
        ["a", "1,000", "1,010", "1.01", "0.990-1.03", "0 and 0", "not slower"],
        ["b", "1,000", "700", "0.700", "0.680-0.720", "8 and 8", "slower"],
        ["c", *[MISSING] * 4, "0 and 0", "cannot tell"],
    ]


def test_what_differs_is_a_warning_where_it_may_be_the_reason() -> None:
    differing = replace(BOTH, differences=["tensorflow: 2.20 and 2.21"])
    warning = "The runs differ in more than the pipelines"
    text = comparison_page.render(differing)
    assert text.index(warning) < text.index("<main>")  # before any figure
    assert text.count(warning) == 1
    assert "tensorflow: 2.20 and 2.21" in text
    assert '<a href="#differences">' in text
    assert '<h2 id="differences">' in text
    paired = comparison_page.render(replace(differing, is_paired=True))
    assert warning not in paired
    assert "tensorflow: 2.20 and 2.21" in paired
    assert "Nothing that is checked: system, processor" in comparison_page.render(BOTH)


def test_it_says_that_the_run_could_stop_after_any_block() -> None:
    paired = replace(BOTH, is_paired=True, sides="pipelines")
    assert "Computed by Student's t over pairs" in comparison_page.render(paired)
    sequential = comparison_page.render(replace(paired, is_sequential=True))
    assert "It holds whenever the run stops" in sequential
    assert "Student" not in sequential


@pytest.mark.parametrize(
    ("is_paired", "sentence"), [(False, UNPAIRED), (True, PAIRED.format(base="base"))]
)
def test_it_says_how_sharply_they_compare(is_paired: bool, sentence: str) -> None:
    sides: Sides = "environments" if is_paired else "runs"
    text = comparison_page.render(replace(BOTH, is_paired=is_paired, sides=sides))
    assert html.escape(sentence, quote=True).replace("&#x27;", "&#39;") in text


def test_without_a_ratio_there_is_no_chart_and_the_page_is_whole() -> None:
    text = comparison_page.render(a_comparison(UNSURE))
    assert "No ratios: no pipeline could be compared." in text
    assert "<svg" not in text
    assert "c: it was not measured in the new run." in text


def marks(text: str) -> dict[str, str]:
    """The colour of the mark beside each label, by the label."""
    found = re.findall(r'class="mark" style="background: (#\w+)"></span><code>(.*?)</code>', text)
    return {label: colour for colour, label in found}


def test_a_pipeline_has_its_colour_of_the_base_runs_page_and_one_without_a_ratio_shifts_none() -> (
    None
):
    text = comparison_page.render(a_comparison(FINE, UNSURE, SLOWER))
    own = palette.colours([*"acb"])
    assert marks(text) == own
    wide = text[text.index("<svg") : text.index("</svg>")]
    assert own["b"] in wide
    assert own["c"] not in wide  # it has no ratio


def test_a_row_of_the_base_run_that_the_new_one_lacks_shifts_no_colour() -> None:
    rows = ["baseline", "gone", "a", "b"]
    text = comparison_page.render(a_comparison(FINE, SLOWER), rows)
    own = palette.colours(rows)
    assert marks(text) == {"a": own["a"], "b": own["b"]}
    assert own["b"] in text[text.index("<svg") : text.index("</svg>")]


def test_nothing_of_a_name_is_read_as_markup() -> None:
    named: Comparison = replace(
        a_comparison(replace(SLOWER, label=SCRIPT)), base=SCRIPT, differences=[SCRIPT]
    )
    assert "<script" not in without_own_scripts(comparison_page.render(named))


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot write"):
        comparison_page.write(BOTH, tmp_path / "none" / "page.html")
    assert comparison_page.write(BOTH, tmp_path / "page.html").read_text().startswith("<!DOCTYPE")
