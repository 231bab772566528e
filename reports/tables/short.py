"""The short tables, for a terminal and for a pull request: which columns, and a row's cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from feedbench.bench.text import size
from feedbench.reports.sentences import equal_work
from feedbench.reports.sentences.preparation import pays_off_briefly
from feedbench.reports.text import figures
from feedbench.reports.text.figures import shown

if TYPE_CHECKING:
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord

WORDS = {"verdict", "work"}
"""The columns that hold words, not figures."""

Column = tuple[str, Callable[["Row"], str]]
"""A title, which a narrow column breaks at its line ends, and a row's cell; "": not known."""


def speed() -> list[Column]:
    """Return how fast it is, and what it delivers."""
    return [
        ("images/s", _rate),
        ("± %", lambda row: shown(figures.spread(row), figures.percent, "")),
        ("ratio", lambda row: shown(row.ratio, missing="")),
        ("interval", lambda row: figures.interval(row.ratio_low, row.ratio_high, "")),
        ("verdict", lambda row: row.verdict or ""),
        ("work", lambda row: equal_work.word(row, "")),
        ("shuffle", lambda row: equal_work.shuffled(row.proof, "")),
    ]


def phases(*, extrapolated: bool) -> list[Column]:
    """Return the phases; the epoch is `extrapolated` to the folder where a part was measured."""

    def epoch(row: Row) -> str:
        return _seconds(row.folder_epoch_seconds if extrapolated else row.epoch_seconds)

    return [
        ("first\nbatch s", lambda row: _seconds(row.first_batch_seconds)),
        ("first\nepoch s", lambda row: _seconds(row.first_epoch_seconds)),
        ("turn-\nover s", lambda row: _seconds(row.turnover_seconds)),
        ("epoch s", epoch),
    ]


def used() -> list[Column]:
    """Return what it took."""
    return [
        ("CPU s per\n1,000 images", lambda row: shown(row.cpu_seconds_per_1000_images, missing="")),
        ("CPU %", lambda row: shown(row.cpu_utilisation, figures.percent, "")),
        ("peak\nmemory", lambda row: shown(row.peak_memory_bytes, size, "")),
    ]


def prepared() -> list[Column]:
    """Return what it wrote beforehand."""

    def of(row: Row) -> tuple[str, str, str]:
        found = row.preparation
        if found is None:
            return "", "", ""
        took = shown(found.seconds, figures.seconds, "")
        return took, size(found.bytes), pays_off_briefly(found)

    return [
        ("prepar-\nation s", lambda row: of(row)[0]),
        ("\nwritten", lambda row: of(row)[1]),
        ("pays off\nafter epochs", lambda row: of(row)[2]),
    ]


def known(run: RunRecord, columns: list[Column]) -> list[Column]:
    """Leave out the columns of which nothing is known."""
    return [column for column in columns if any(column[1](row) for row in run.rows)]


def _rate(row: Row) -> str:
    return figures.no_rate(row) if row.rate is None else shown(row.rate)


def _seconds(seconds: float | None) -> str:
    return shown(seconds, figures.seconds, "")
