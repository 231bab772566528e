"""The chart of the time in each stage of each pipeline, as bars in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.axes import Axes
from rich.cells import cell_len

from feedbench.bench.records.diagnosis import Stage, Trace
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import digits
from feedbench.reports.charts import svg, tracks
from feedbench.reports.charts.tracks import WIDE, Scale, Track
from feedbench.reports.text import palette
from feedbench.reports.text.escaping import visible
from feedbench.reports.text.figures import is_known

_SIZE = 10.5  # pixels: of a piece's name
_COLUMN = 0.6 * _SIZE  # pixels of a character of it
_ROOM = 8  # pixels next to it
_SHADES = (0.5, 0.22)  # in turn, so that neighbours look different


@dataclass(frozen=True, kw_only=True)
class Bar(Track):
    """Pieces one after the other, each with its name if there is room."""

    height: ClassVar[int] = 26

    pieces: Sequence[Stage]

    def draw(self, axes: Axes, y: float, scale: Scale) -> None:
        """Draw the pieces from left to right."""
        pixels = axes.bbox.width / (scale.high - scale.low)
        left = 0.0
        for place, piece in enumerate(self.pieces):
            axes.barh(
                [y], [piece.ms], left=left, height=20, color=self.colour, zorder=2,
                alpha=_SHADES[place % 2], edgecolor="none",
            )  # fmt: skip
            axes.vlines([left + piece.ms], y - 10, y + 10, color=self.colour, linewidth=1, zorder=3)
            name = visible(piece.name)
            if cell_len(name) * _COLUMN + _ROOM < piece.ms * pixels:
                axes.text(
                    left + piece.ms / 2, y - 3.5, name, ha="center", va="baseline",
                    fontsize=_SIZE, color=svg.INK, zorder=4, parse_math=False,
                )  # fmt: skip
            left += piece.ms


@svg.plain_style()
def stages(run: RunRecord, width: int = WIDE) -> str | None:
    """Return the chart of CPU milliseconds an image by stage; None if no trace has stages."""
    bars = list(_bars(run))
    if not bars:
        return None
    most = max(sum(piece.ms for piece in bar.pieces) for bar in bars)
    name = "CPU ms per image, summed over threads"
    figure = tracks.figure(
        bars, Scale(low=0, high=1.03 * most, logarithmic=False, name=name), width
    )
    title = "Where each pipeline's CPU time goes"
    description = "; ".join(f"{bar.label}: {_all(bar.pieces)}" for bar in bars)
    return svg.render(figure, f"stages-{width}", title, description)


def _bars(run: RunRecord) -> Iterator[Bar]:
    colours = palette.colours([row.label for row in run.rows])
    traces: dict[str, Trace] = run.diagnosis.traces if run.diagnosis else {}
    for row in run.rows:
        trace = traces.get(row.label)
        stages = [s for s in trace.stages if is_known(s.ms) and s.ms > 0] if trace else []
        if trace is None or not stages:
            continue
        traced = sum(stage.ms for stage in stages)
        # Tracing itself takes time, most of all in Python, so only the shares come from the trace.
        measured = row.cpu_seconds_per_1000_images
        total = measured if is_known(measured) and measured else traced
        pieces = [
            Stage(name=stage.name, ms=stage.ms / traced * total)
            for stage in sorted(stages, key=lambda stage: -stage.ms)
        ]
        note = f"{digits(total)} ms, {pieces[0].name} {pieces[0].ms / total:.0%}"
        yield Bar(label=row.label, note=note, colour=colours[row.label], pieces=pieces)


def _all(pieces: Sequence[Stage]) -> str:
    return ", ".join(f"{piece.name} {digits(piece.ms)} ms" for piece in pieces)
