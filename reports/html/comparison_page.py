"""Two runs side by side as one HTML page that loads nothing from the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from feedbench.bench import files
from feedbench.bench.verdicts.comparison import Comparison
from feedbench.reports.charts import rates
from feedbench.reports.html.templating import rendered
from feedbench.reports.sentences.comparisons import comparison
from feedbench.reports.text import palette


@dataclass(frozen=True, kw_only=True)
class ComparisonData:
    """What the page of a comparison shows."""

    title: str
    base: str
    new: str
    new_is: str  # a run, an environment or a pipeline
    is_paired: bool
    is_sequential: bool
    answer: str
    colours: Mapping[str, str]  # by label
    chart: list[Markup]  # for a wide and for a narrow page; none where there is no ratio
    rows: list[tuple[str, tuple[str, ...], tuple[int, int]]]  # label, cells, blocks of both
    differences: Sequence[str]
    notes: list[str]
    tolerance: str
    least: str  # ratio that is not slower
    level: str


def write(comparison: Comparison, file: Path, labels: Sequence[str] = ()) -> Path:
    """Write the page and return its path. Raises RequestError if it cannot be written.

    `labels` are those of the base run's rows: with them a pipeline has its colour of that run's
    own page, even where a row before it is not in both.
    """
    return files.replace(file, render(comparison, labels), option="--html")


def render(compared: Comparison, labels: Sequence[str] = ()) -> str:
    """Return the page of a comparison; `labels` are those of the base run's rows."""
    # In the base run's order: if all its pipelines are compared, these are its colours.
    in_order = dict.fromkeys([*labels, *(pipeline.label for pipeline in compared.pipelines)])
    colours = palette.colours(list(in_order))
    pictures = [rates.compared(compared, colours, width) for width in (rates.WIDE, rates.NARROW)]
    data = ComparisonData(
        title=f"Feedbench: {compared.base} and {compared.new}",
        base=compared.base,
        new=compared.new,
        new_is=compared.sides.removesuffix("s"),
        is_paired=compared.is_paired,
        is_sequential=compared.is_sequential,
        answer=comparison.answer(compared),
        colours=colours,
        # Escaped in svg.py.
        chart=[Markup(picture) for picture in pictures if picture is not None],  # noqa: S704
        rows=[
            (pipeline.label, comparison.cells(pipeline), pipeline.blocks)
            for pipeline in compared.pipelines
        ],
        differences=compared.differences,
        notes=comparison.remarks(compared),
        tolerance=f"{100 * compared.tolerance:.4g}%",
        least=f"{1 / (1 + compared.tolerance):.3f}",
        level=f"{100 * compared.level:.4g}%",
    )
    return rendered("comparison.html.j2", data)
