"""The chart of ratios as a picture of its own, for slides and papers."""

from __future__ import annotations

import io
import warnings
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from feedbench.bench.records.run import RunRecord
from feedbench.reports.charts import rates, svg
from feedbench.reports.sentences.citation import citation
from feedbench.reports.text.escaping import visible

Form = Literal["svg", "png", "pdf"]

_DOTS = 216  # an inch, of a PNG: three for each pixel of the page's chart
_STYLE: Any = {  # keys that matplotlib's types name one by one
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "feedbench",  # the same run is the same file
    "pdf.fonttype": 42,  # TrueType: many journals refuse the default, Type 3
}


@svg.plain_style()
def ratios(run: RunRecord, blocks: pd.DataFrame, form: Form) -> bytes | None:
    """Return the run's chart of ratios as a file, on white; None if there is nothing to compare.

    `blocks` is `frames.blocks` of the run. The file's metadata say how to cite it.
    """
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # The fonts may lack a letter of a label. It is drawn as a box then.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = rates.ratios_figure(run, blocks)
        if figure is None:
            return None
        _mark_dots(figure)
        file = io.BytesIO()
        figure.savefig(
            file,
            format=form,
            dpi=_DOTS,
            facecolor="white",
            bbox_inches="tight",
            metadata=_metadata(run, form),
        )
    return file.getvalue()


def _mark_dots(figure: Figure) -> None:
    """Make the dots marks: a line without length is drawn in SVG only."""
    for line in figure.axes[0].lines:
        if line.get_gid() == svg.DOTS:
            across, up = (np.asarray(places)[::3] for places in line.get_data())
            line.set_data(across, up)
            line.set(linestyle="none", marker="o", markersize=line.get_linewidth())
            line.set_markeredgewidth(0)


def _metadata(run: RunRecord, form: Form) -> dict[str, Any]:
    """Return a file's own words on what it shows, without the time at which it was drawn."""
    title, source = "Ratio of each pipeline to the baseline", visible(citation(run))
    match form:
        case "svg":
            return {"Title": title, "Description": source, "Date": None}
        case "png":
            return {"Title": title, "Description": source}
        case "pdf":
            return {"Title": title, "Subject": source, "CreationDate": None}
