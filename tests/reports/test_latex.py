"""The tables for a paper. No LaTeX is needed: what it would stumble over is looked for."""

from __future__ import annotations

import re

import pytest

from feedbench.bench.records.run import RunRecord
from feedbench.reports import latex
from feedbench.reports.sentences.citation import citation
from tests.support.builders import HOSTILE, a_preparation, a_row, a_run, compared, empty_row
from tests.support.html.pages import full_run, odd_runs

LONG = "tfdata_tuned:cache=none,shuffle=full,prefetch=autotune,parallel_calls=autotune"
RUN = a_run(
    a_row("naive", cpu_seconds_per_1000_images=1.06),
    compared("tfdata_tuned", 4.5, "faster", preparation=a_preparation(naive=3)),
    empty_row("mine", "it raised"),
    best=["tfdata_tuned"],
)
NEEDED = {r"\begin", r"\end", r"\caption", r"\label", r"\centering", r"\small", r"\setlength"}
NEEDED |= {r"\tabcolsep", r"\toprule", r"\midrule", r"\bottomrule", r"\texttt", r"\pm"}
NEEDED |= {r"\raggedright", r"\allowbreak", r"\linewidth", r"\ldots"}


def code(text: str) -> str:
    """What LaTeX reads: no comment."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("%"))


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table."""
    return [
        [re.split(r" (?<!\\)& ", row) for row in re.findall(r"^(.*) \\\\$", body, re.MULTILINE)]
        for body in re.findall(r"\\begin\{tabular\}.*?\\end\{tabular\}", code(text), re.DOTALL)
    ]


def faults(text: str) -> list[str]:
    """What would keep LaTeX from setting the text as it is meant."""
    source = code(text)
    plain = re.sub(r"\\[&%$#_{}]|\\\\$", "", source, flags=re.MULTILINE)
    found = [f"raw {char}" for char in "#%^~_" if char in plain]
    found += ["braces"] * (plain.count("{") != plain.count("}"))
    found += ["dollars"] * (plain.count("$") != 2 * plain.count(r"$\pm$"))
    commands = set(re.findall(r"\\[A-Za-z]+", plain))
    found += sorted(command for command in commands - NEEDED if not command.startswith(r"\text"))
    begun, ended = (re.findall(rf"\\{word}\{{(\w+)\}}", source) for word in ("begin", "end"))
    found += ["environments"] * (sorted(begun) != sorted(ended))
    kinds = re.findall(r"\\begin\{tabular\}\{((?:p\{[^}]*\})?[lr]*)\}", source)
    for kind, rows in zip(kinds, tables(text), strict=True):
        columns = len(re.sub(r"\{[^}]*\}", "", kind))
        found += ["columns"] * any(len(row) != columns for row in rows)
    return found


def test_each_table_has_the_rules_of_booktabs_and_the_figures_of_the_markdown() -> None:
    text = latex.render(RUN)
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert code(text).count(f"{rule}\n") == 4
    speed, phases, resources, prepared = tables(text)
    assert speed == [
        ["pipeline", "images/s", r"$\pm$ \%", "ratio", "interval", "verdict"],
        [r"\texttt{naive}", "1,000", "2.0", "--", "--", "--"],
        [r"\texttt{tfdata\_tuned}", "4,500", "2.0", "4.50", "4.41--4.59", "faster"],
        [r"\texttt{mine}", "failed", "--", "--", "--", "--"],
    ]
    assert phases[1][1] == "0.532"
    assert resources[1] == [r"\texttt{naive}", "1.06"]
    assert [row[0] for row in prepared[1:]] == [r"\texttt{tfdata\_tuned}"]
    assert r"\begin{tabular}{lrrrrl}" in text
    assert r"The ratio is to naive, with its 99\% interval.}\label{tab:feedbench-speed}" in text


def test_its_comments_cite_the_run_and_give_the_answer_and_how_sure_it_is() -> None:
    text = latex.render(RUN)
    comment = " ".join(line.lstrip("% ") for line in text.splitlines() if line.startswith("%"))
    assert citation(RUN) in comment
    assert "tfdata_tuned is the fastest: 4.50 times the rate of naive" in comment
    assert "How sure: 8 blocks" in comment


@pytest.mark.parametrize(
    "label",
    [*HOSTILE, LONG, r"\input{x}", "a\nb\r% c", "[1] ~^", "\N{HORIZONTAL ELLIPSIS}\N{EN DASH}±'`"],
)
def test_no_label_is_a_command_or_ends_a_comment(label: str) -> None:
    run = a_run(a_row(label), compared("b", 2, "faster", remarks=[label]), best=[label])
    assert faults(latex.render(run)) == []


def runs() -> dict[str, RunRecord]:
    return {name: run for name, (run, _) in {"full": full_run(), **odd_runs()}.items()}


@pytest.mark.parametrize("name", runs())
def test_the_tables_of_every_run_are_well_formed(name: str) -> None:
    assert faults(latex.render(runs()[name])) == []


def test_a_long_label_may_be_broken_between_its_knobs() -> None:
    text = latex.render(a_run(a_row("a"), compared(LONG, 2, "faster")))
    assert r"\begin{tabular}{p{0.35\linewidth}rrrrl}" in text
    assert (
        r"\raggedright\texttt{tfdata\_\allowbreak{}tuned:\allowbreak{}cache=\allowbreak{}" in text
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("50% of a_b & c", r"50\% of a\_b \& c"),
        (r"\x{y}$1#", r"\textbackslash{}x\{y\}\$1\#"),
        ("a~^<b>", r"a\textasciitilde{}\textasciicircum{}\textless{}b\textgreater{}"),
        ("|`c'\"", r"\textbar{}\textasciigrave{}c\textquotesingle{}\textquotedbl{}"),
        ("a\x1b b\nc", r"a\textbackslash{}x1b b c"),
    ],
)
def test_a_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert latex.escaped(text) == shown
