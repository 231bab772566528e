from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from feedbench.bench.verdicts.comparison import Compared
from feedbench.reports import markdown
from feedbench.reports.markdown import escaped
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    KOREAN,
    NOT_COMPARED,
    SCRIPT,
    a_preparation,
    a_proof,
    a_row,
    a_run,
    compared,
)
from tests.support.runs.comparisons import DIFFERING, FINE, SLOWER, UNSURE, a_comparison


def table(text: str, title: str) -> list[list[str]]:
    """The cells of the table under a title, the rule's included."""
    lines = text.partition(f"### {title}\n\n")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_answer_comes_first_then_the_tables_then_the_notes() -> None:
    run = a_run(a_row("naive"), compared("tuned", 4.5, "faster"), best=["tuned"])
    text = markdown.render(run)
    assert text.startswith("**tuned is the fastest: 4.50 times the rate of naive (99% interval")
    assert "\n\nAll 3,670 images in 3 classes, " in text
    assert table(text, "Speed") == [
        ["pipeline", "images/s", "± %", "ratio", "interval", "verdict"],
        [":---", "---:", "---:", "---:", "---:", ":---"],
        ["naive", "1,000", "2.0", MISSING, MISSING, MISSING],
        ["tuned", "4,500", "2.0", "4.50", "4.41-4.59", "faster"],
    ]
    assert text.index("### Phases") < text.index(f"\n- {NOT_COMPARED}")
    assert text.endswith(".\n")


def test_the_tables_are_those_of_the_terminal_in_one_line_each() -> None:
    used = {"cpu_seconds_per_1000_images": 1.06, "peak_memory_bytes": 833_000_000}
    text = markdown.render(a_run(a_row("a", proof=a_proof("near"), **used)))
    assert table(text, "Speed")[2][-2:] == ["near", "full"]
    assert table(text, "Phases")[0][1:] == [
        "first batch s",
        "first epoch s",
        "turnover s",
        "epoch s",
    ]
    assert table(text, "Resources")[::2] == [
        ["pipeline", "CPU s per 1,000 images", "peak memory"],
        ["a", "1.06", "833 MB"],
    ]


WIDEST = [
    "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=autotune,dct=fast",
    "x" * 300,
    f"{KOREAN} " * 40,
    "-" + " - 1. + 2) " * 30,
    "|*_`" * 60,
]


@pytest.mark.parametrize("label", WIDEST)
def test_no_line_is_wider_than_a_terminal_and_nothing_of_a_label_is_lost(label: str) -> None:
    row = compared(label, 2, "inconclusive", remarks=[label], preparation=a_preparation(a=None))
    run = a_run(a_row("a"), row, best=[label])
    text = markdown.render(run)
    assert max(map(cell_len, text.splitlines())) <= 100
    squeezed = re.sub(r"\\(?=[-+\d])|\s", "", text)
    assert squeezed.count("".join(escaped(label).split())) >= 4  # the answer, notes, two tables
    begun = [line for line in text.splitlines() if re.match(r"\s*([-+]|\d+[.)])\s", line)]
    assert all(line.startswith("- ") for line in begun)


@pytest.mark.parametrize("before", range(90, 98))
def test_a_line_never_ends_within_an_escape(before: int) -> None:
    text = markdown.bullets(["x" * before + "[<" + "y" * 95 + "](http://there)"])
    for line in text.splitlines():
        assert not re.search(r"(?<!\\)(\\\\)*\\$|&[#\w]*$", line), line
    assert "".join(text.split()).count(r"\[&lt;") == 1


@pytest.mark.thorough
def test_a_very_long_label_is_shortened_at_once() -> None:
    text = markdown.render(a_run(a_row("a"), compared("y" * 200_000, 2, "faster")))
    assert "… (1) |" in text


def test_a_comparison_is_not_wider_either() -> None:
    found = a_comparison(*(replace(SLOWER, label=label) for label in WIDEST), UNSURE)
    text = markdown.of_comparison(found)
    assert max(map(cell_len, text.splitlines())) <= 100
    assert text.startswith("**")
    assert "| slower |" in text


def test_the_warning_of_a_comparison_stands_before_every_figure_and_the_answer() -> None:
    text = markdown.of_comparison(DIFFERING)
    assert text.count("WARNING") == 1
    warned = text.index("WARNING")
    assert warned < text.index("verdict")
    assert warned < text.index("It is not clear")
    assert text.index("Only x.") > text.index("verdict")
    assert text.startswith("**WARNING")


def test_a_comparison_without_a_difference_begins_with_its_answer() -> None:
    text = markdown.of_comparison(a_comparison(FINE))
    assert text.startswith("**Nothing is slower by more than 5%.**")


def test_a_comparison_shows_names_as_they_are() -> None:
    text = markdown.of_comparison(
        a_comparison(Compared(label=f"{SCRIPT}|{KOREAN}", word="cannot tell"))
    )
    assert "<script>" not in text
    assert KOREAN in text
    assert r"\|" in text


def test_a_preparation_has_its_table_where_there_is_one() -> None:
    assert "### Preparation" not in markdown.render(a_run(a_row("a")))
    text = markdown.render(a_run(a_row("a"), a_row("records", preparation=a_preparation(a=3))))
    assert [row[0] for row in table(text, "Preparation")[2:]] == ["records"]
    assert table(text, "Preparation")[2][1:] == ["2.10", "37.1 MB", "3"]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("a|b", r"a\|b"),
        ("`rm`", r"\`rm\`"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("two\nlines\r\nor  three", "two lines or three"),
        ("**x** [y](z) ~~s~~", r"\*\*x\*\* \[y\](z) \~\~s\~\~"),
        ("_x_ and __y__", r"\_x\_ and \_\_y\_\_"),
        ("a\\|b", r"a\\\|b"),
        ("$x$", r"\$x\$"),
        ("a\x1b[31mb\x00", r"a\\x1b\[31mb\\x00"),
        ("@someone #1", "&#64;someone &#35;1"),
        ("tfdata_tuned:cache=none", "tfdata_tuned:cache=none"),
    ],
)
def test_a_label_is_shown_as_it_is_and_calls_nobody(label: str, said: str) -> None:
    assert escaped(label) == said


@pytest.mark.parametrize("label", ["a|b", "a\nb", "`a`|\n", "\\|"])
def test_no_label_breaks_a_table_or_a_list(label: str) -> None:
    plain = markdown.render(a_run(a_row("a"), compared("b", 2, "faster", remarks=["c"])))
    row = compared(label, 2, "faster", remarks=[label])
    text = markdown.render(a_run(a_row("a"), row))
    assert len(text.splitlines()) == len(plain.splitlines())
    assert escaped(label) in [row[0] for row in table(text, "Speed")]
